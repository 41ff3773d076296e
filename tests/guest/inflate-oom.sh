#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# A balloon that gives memory back before anybody is killed for it, and then does
# not grow again until the host asks anew.
# vm: mem=512 smp=2 timeout=120 balloon=free-page-reporting=on,deflate-on-oom=on
# vm: modules=fpr,virtio_fpr,virtio_balloon,fpr_mute files=hog,memload,balloon-lib.sh
# shellcheck disable=SC1091 # the paths are the guest's
. /test/lib.sh
. /bin/balloon-lib.sh
plan 24

begin
total=$(meminfo MemTotal)
inflate_to $((240 * MIB))
equal "what the guest may have back is its own, KiB less" $((total - $(meminfo MemTotal))) 0

load 1 40
sleep 1
# 100 MiB more than there is
need=$(($(meminfo MemAvailable) / MIB + 100))
check "a process gets $need MiB" hog $need 500
equal "nobody was killed" "$(vmstat oom_kill)" 0
check "memory is as it was written" load_ends
left=$(balloon_kb)
in_range "that much is left in the balloon, KiB" "$left" 4 $((150 * MIB))
equal "and the host knows" "$(actual_kb)" "$left"
if ours_only 1; then
	equal "what was given back is counted" "$(balloon oom_bytes)" $(((240 * MIB - left) * MIB))
fi

# Also while the balloon tries to get more than there is.
inflate_to $((120 * MIB))
# All that the guest manages, of which its kernel keeps some
most=$(($(meminfo MemTotal) / MIB * MIB))
ask $most
short $most
equal "nobody was killed" "$(vmstat oom_kill)" 0
check "a process gets 200 MiB" hog 200 500
equal "nobody was killed" "$(vmstat oom_kill)" 0
inflated=$(vmstat balloon_inflate)
# Longer than it ever waits
sleep 14
equal "it does not grow by itself, pages" $(($(vmstat balloon_inflate) - inflated)) 0
left=$(balloon_kb)
inflate_to $((left / 2 / 4 * 4))
inflate_to $((left + 40 * MIB))

# The work has memory in hand for the balloon, which the host takes its time with, when
# memory runs out: it is waited for.
in_hand() { [ "$(meminfo MemFree)" -lt $((had - 50 * MIB)) ]; }
if ours_only 4; then
	inflate_to 0
	fpr_set enabled 0
	slow 5000 >/sys/module/virtio_fpr/parameters/report_timeout_ms
	modprobe fpr_mute
	settle
	had=$(meminfo MemFree)
	need=$(($(meminfo MemAvailable) / MIB - 40))
	ask $((64 * MIB))
	check "the work has some in hand" wait_until 10 in_hand
	check "a process gets $need MiB" hog $need 500
	equal "nobody was killed" "$(vmstat oom_kill)" 0
	check "it was waited for" log_has "no answer on queue reporting_vq"
	rmmod fpr_mute
	fpr_set enabled 1
	reached $((64 * MIB))
fi
finish
