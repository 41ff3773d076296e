#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# Loading and unloading both modules again and again under a load that verifies
# its memory: in each cycle something is reported, and every third one unloads
# in the middle of a report.  Nothing is lost, neither bytes nor pages.  "make
# soak" does it 200 times.
# vm: mem=768 smp=2 timeout=900 balloon=free-page-reporting=on
# vm: modules=fpr,virtio_fpr,fpr_badhost files=memload append=CYCLES=15
# shellcheck disable=SC1091,SC3045 # the path is the guest's; so is busybox's read
. /test/lib.sh
plan 8

mkdir -p /mnt
mount -t tmpfs -o size=80% tmpfs /mnt
# Once before, so that what the first load allocates for good is not counted.
modprobe virtio_fpr
rmmod virtio_fpr fpr
settle
free_before=$(memfree_kb)

# Without a process each, since these decide how long a cycle takes.
reports() { read -r now <"$FPR_SYSFS/stats/reports" && [ "$now" -gt 0 ]; }
reporting() { read -r now <"$FPR_SYSFS/state" && [ "$now" = reporting ]; }
# soon COMMAND: looks again and again, for ten seconds at the most
soon() {
	tries=0
	while ! "$1"; do
		tries=$((tries + 1))
		[ $tries -lt 10000 ] || return 1
		[ $((tries % 10)) != 0 ] || nap 10
	done
	return 0
}
# free_blocks ORDER: how many of that order or a higher one; not those of zone DMA,
# which is too small to lend one of order 10
free_blocks() {
	awk -v order="$1" '$4 != "DMA" { for (i = 5 + order; i <= NF; i++) n += $i }
		END { print n + 0 }' /proc/buddyinfo
}
# Nothing is reported where memory is in smaller pieces for all that time.
no_report() { # ORDER
	free=$(free_blocks "$1")
	diag "cycle $cycle, order $1: no report, $free such blocks free"
	sed "s/^/# /" /proc/buddyinfo
	[ "$free" -gt 0 ] && ! soon reports
}

modprobe fpr_badhost max_late_ms=60
# The load takes what CPU the cycles leave, and they wait a lot.
# shellcheck disable=SC2016 # of the other shell
sh -c 'renice -n 10 -p $$ && exec memload 36000 400 3 /mnt 1' >/tmp/memload.log 2>&1 &
load=$!
cycle=0
reported=0
empty=0
amid=0
while [ $cycle -lt "$CYCLES" ]; do
	order=$((cycle % 11))
	insmod /modules/fpr.ko delay_ms=10 threshold_kb=0 order=$order || break
	# Answers that come late, so that a report can be met.
	echo $((cycle % 3 == 0)) >/sys/module/fpr_badhost/parameters/faults
	insmod /modules/virtio_fpr.ko || break
	soon reports || ! no_report $order || empty=$((empty + 1))
	[ $((cycle % 3)) != 0 ] || ! soon reporting || amid=$((amid + 1))
	rmmod virtio_fpr || break
	read -r pages <"$FPR_SYSFS/stats/reported_pages"
	reported=$((reported + pages))
	rmmod fpr || break
	cycle=$((cycle + 1))
done
equal "load and unload" "$cycle" "$CYCLES"
check "they did report: $((reported / 256)) MiB" test $reported -gt $((CYCLES * 1000))
equal "cycles without a report of what was free" $empty 0
# Every third cycle tries to, and in a few nothing more is due in that time.
check "unloaded in the middle of a report: $amid times" test $amid -ge $((CYCLES * 3 / 10))
kill $load
check "memory is as it was written" wait $load
sed "s/^/# /" /tmp/memload.log
check "nothing is loaded" test ! -e /sys/kernel/fpr
rmmod fpr_badhost
settle
memory_back "MemFree is back, KiB" "$free_before" 65536
refuse "no complaint in the log" log_has "fpr: .*(cannot|failed a report|VIOLATION)"
