#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# A balloon and sleep, under a load that verifies its memory: given back before,
# grown again after, whether it had its size, was on the way to it or could not get
# there; at last really asleep.
# vm: boot=bzimage
# vm: mem=512 smp=2 timeout=150 balloon=free-page-reporting=on
# vm: modules=fpr,virtio_fpr,virtio_balloon,fpr_nosuspend files=memload,hog,balloon-lib.sh
# vm: alone="QEMU's q35 can be resumed once"
# shellcheck disable=SC1091 # the paths are the guest's
. /test/lib.sh
. /bin/balloon-lib.sh
plan 21

grep -q mem /sys/power/state || bail "this kernel cannot suspend"
# All is frozen, devices included, and thawed again.
freeze() {
	dmesg -c >/dev/null
	echo mem 2>/dev/null >/sys/power/state
	log_has "PM: suspend exit"
}
begin
check "a device that refuses to be suspended" modprobe fpr_nosuspend
load 1

inflate_to $((150 * MIB))
deflated=$(vmstat balloon_deflate)
check "frozen with it, and thawed" freeze
reached $((150 * MIB))
equal "it was given back, pages" $(($(vmstat balloon_deflate) - deflated)) 38400
equal "and grew again, KiB" "$(balloon_kb)" $((150 * MIB))
for _ in 1 2; do
	ask 0
	reached 0
	partly $((200 * MIB))
	check "frozen while it grows, and thawed" freeze
	reached $((200 * MIB))
done
ask $((20 * MIB))
check "frozen while it shrinks, and thawed" freeze
reached $((20 * MIB))

# More than there is, for nobody else either
check "memory is as it was written" load_ends
fuse 100
most=$(($(meminfo MemAvailable) + 30 * MIB + 20 * MIB))
most=$((most - most % 4))
ask $most
short $most
check "frozen while it cannot grow, and thawed" freeze
burn
reached $most
inflate_to $((100 * MIB))
load 2

check "the other device" rmmod fpr_nosuspend
host_sync suspend >/dev/null
# Once: QEMU's q35 loses its power management ports in the first resume.
check "asleep and awake again" sh -c "echo mem >/sys/power/state"
reached $((100 * MIB))
equal "it grew again" "$(balloon_kb)" $((100 * MIB))
check "memory is as it was written" load_ends
if ours_only 2; then
	equal "reporting goes on" "$(fpr device)" "$(balloon_device)"
	equal "no error" "$(fpr stats/errors)" 0
fi
finish
