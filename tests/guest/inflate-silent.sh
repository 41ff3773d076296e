#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# A host that does not answer when the balloon grows or shrinks: after the time-out
# the device is reset and all memory is the guest's again, nothing hangs, and a new
# binding works.
# vm: mem=512 smp=2 timeout=150 balloon=free-page-reporting=on
# vm: modules=fpr,virtio_fpr,virtio_balloon,fpr_mute files=memload,balloon-lib.sh
# shellcheck disable=SC1091 # the paths are the guest's
. /test/lib.sh
. /bin/balloon-lib.sh
plan 46

muted() { [ "$(cat /sys/module/fpr_mute/parameters/lost)" -gt 0 ]; }
timeout_ms=$(slow 1500)
check "the driver loads" load_driver "report_timeout_ms=$timeout_ms"
check "what is free is reported" fpr_set flush 1
remember_free
total=$(meminfo MemTotal)
load 1

# silent QUEUE BEFORE AFTER ANEW: the target goes from the one to the other, KiB; the
# command has the device work again
silent() {
	inflate_to "$2"
	dmesg -c >/dev/null
	modprobe fpr_mute "queue=$1"
	deflated=$(vmstat balloon_deflate)
	ask "$3"
	check "$1: there is no answer" wait_until 10 muted
	equal "$1: nothing is taken back before the host knows, pages" \
		$(($(vmstat balloon_deflate) - deflated)) 0
	check "$1: the device is given up" wait_until 10 fpr_is device none
	check "$1: the log says why" log_has "no answer on queue $1 within $timeout_ms ms: device reset"
	check "$1: the balloon is empty" wait_until 10 in_balloon_is 0
	equal "$1: the guest has all its memory, KiB" "$(meminfo MemTotal)" "$total"
	rmmod fpr_mute
	check "$1: it begins anew" "$4"
	reached "$3"
	check "$1: and reports" fpr_set flush 1
}
by_itself() { wait_until 20 fpr_is device virtio0; }
silent inflate $((40 * MIB)) $((160 * MIB)) rebind
# By less than is named at a time, so that the wait is the last thing before it is free.
silent deflate $((120 * MIB)) $((112 * MIB)) by_itself
silent reporting_vq 0 $((100 * MIB)) rebind
# The balloon has its size, and a report of what the load frees is not answered.
fpr_set order 0
silent reporting_vq $((100 * MIB)) $((100 * MIB)) by_itself

# Unloading waits for an answer, but not for ever.
modprobe fpr_mute queue=deflate
start=$(uptime_ms)
check "the driver unloads beside a silent host" unload_driver
in_range "soon, ms" $(($(uptime_ms) - start)) 0 $((4 * timeout_ms + $(slow 3000)))
check "nothing is in the balloon" in_balloon_is 0
rmmod fpr_mute
check "it loads again" load_driver
reached $((100 * MIB))
check "memory is as it was written" load_ends
inflate_to 0
check "unload" unload_driver
free_again "the memory is back, KiB"
host_sync over >/dev/null
