#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# Frozen and thawed again and again under load, right in the middle of the
# worker's doings: it runs again each time, and no byte is lost.  Also while the
# host is late with an answer, or gives none.
# vm: mem=512 smp=2 timeout=240 balloon=free-page-reporting=on
# vm: modules=fpr,virtio_fpr,fpr_nosuspend,fpr_badhost files=memload
# shellcheck disable=SC1091 # the path is the guest's
. /test/lib.sh
plan 20

mkdir -p /mnt
mount -t tmpfs -o size=80% tmpfs /mnt
grep -q mem /sys/power/state || bail "this kernel cannot suspend"

# Blocks are due all the time, and with them the worker's timer.
modprobe fpr delay_ms=100 threshold_kb=0
check "the driver loads" modprobe virtio_fpr
check "a device that refuses to be suspended" modprobe fpr_nosuspend
memload 600 200 2 /mnt 1 >/tmp/memload.log 2>&1 &
load=$!

stuck=0
dmesg -c >/dev/null
for _ in 1 2 3 4 5 6 7 8; do
	sleep 0.7
	echo mem 2>/dev/null >/sys/power/state
	before=$(fpr stats/wakeups)
	wait_until 5 fpr_above stats/wakeups "$before" || stuck=$((stuck + 1))
done
equal "the device was frozen and restored each time" \
	"$(dmesg | grep -c 'fpr: reporting free memory to virtio0')" 8
equal "times that the worker did not run again" "$stuck" 0
kill $load
check "memory is as it was written" wait $load
equal "no error" "$(fpr stats/errors)" 0

# A report is under way when everything is to be frozen, which once was for ever.
badhost=/sys/module/fpr_badhost/parameters
freeze_with() { # fault
	fpr_set flush 1
	dd if=/dev/zero of=/mnt/file bs=1M count=60 2>/dev/null
	echo "$1" >$badhost/faults
	rm /mnt/file
	wait_until 5 fpr_above stats/held_pages 0 || return
	dmesg -c >/dev/null
	echo mem 2>/dev/null >/sys/power/state
	echo 0 >$badhost/faults
	log_has "PM: suspend exit"
}
slow 1500 >/sys/module/virtio_fpr/parameters/report_timeout_ms
check "a host to be late" modprobe fpr_badhost max_late_ms=1000
for round in 1 2 3; do
	check "$round: frozen before a late answer, and thawed" freeze_with 1
	check "$round: reporting goes on" fpr_set flush 1
done
check "frozen before an answer that never comes, and thawed" freeze_with 4
equal "the report has failed" "$(fpr stats/errors)" 1
equal "a device that was given up is back" "$(fpr device)" virtio0
check "a flush is done" fpr_set flush 1
check "the host is good again" rmmod fpr_badhost
check "the other device" rmmod fpr_nosuspend
check "unload" sh -c "rmmod virtio_fpr && rmmod fpr"
