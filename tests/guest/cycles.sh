#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# Loading and unloading both modules again and again under a load that verifies
# its memory.  Nothing is lost, neither bytes nor pages.  "make soak" does it 200
# times.
# vm: mem=768 smp=2 timeout=900 balloon=free-page-reporting=on
# vm: modules=fpr,virtio_fpr files=memload append=CYCLES=15
# shellcheck disable=SC1091 # the path is the guest's
. /test/lib.sh
plan 6

mkdir -p /mnt
mount -t tmpfs -o size=80% tmpfs /mnt
# Once before, so that what the first load allocates for good is not counted.
modprobe virtio_fpr
rmmod virtio_fpr fpr
settle
free_before=$(memfree_kb)

memload 900 400 3 /mnt 1 >/tmp/memload.log 2>&1 &
load=$!
reported=0
cycle=0
while [ $cycle -lt "$CYCLES" ]; do
	modprobe fpr delay_ms=10 threshold_kb=0 order=$((cycle % 11)) || break
	modprobe virtio_fpr || break
	[ $((cycle % 3)) = 0 ] || usleep 50000
	reported=$((reported + $(fpr stats/reported_pages)))
	rmmod virtio_fpr || break
	rmmod fpr || break
	cycle=$((cycle + 1))
done
equal "load and unload" "$cycle" "$CYCLES"
check "they did report: $((reported / 256)) MiB" test $reported -gt $((CYCLES * 1000))
kill $load
check "memory is as it was written" wait $load
sed "s/^/# /" /tmp/memload.log
check "nothing is loaded" test ! -e /sys/kernel/fpr
settle
in_range "MemFree is back, KiB" "$(memfree_kb)" $((free_before - 8192)) \
	$((free_before + 65536))
refuse "no complaint in the log" log_has "fpr: .*(cannot|failed a report|VIOLATION)"
