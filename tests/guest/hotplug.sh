#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# Memory that is added while fpr runs is reported too, and memory that reports
# are made of can be taken offline, under a load that verifies its memory.
# vm: mem=512 smp=2 timeout=150 modules=fpr,fpr_testdev files=memload
# vm: maxmem=2048
# shellcheck disable=SC1091 # the path is the guest's
. /test/lib.sh
plan 12

testdev() { cat "/sys/module/fpr_testdev/parameters/$1"; }
more_than() { [ "$(meminfo MemTotal)" -gt "$1" ]; }
mkdir -p /mnt
mount -t tmpfs -o size=95% tmpfs /mnt

free_before=$(memfree_kb)
modprobe fpr delay_ms=10 threshold_kb=0
check "the test device takes reports" modprobe fpr_testdev
check "and gets all that is free" fpr_set flush 1
memload 600 250 2 /mnt 1 >/tmp/memload.log 2>&1 &
load=$!

# Slower reports, so that offlining meets pages that are with the device.
echo 20 >/sys/module/fpr_testdev/parameters/delay_ms
total=$(meminfo MemTotal)
before=$(testdev pages)
find /sys/devices/system/memory -maxdepth 1 -name 'memory[0-9]*' | sort >/tmp/before
# Else some kernels put what nobody can move into it at once.
echo online_movable >/sys/devices/system/memory/auto_online_blocks
host_sync add >/dev/null
wait_until 10 sh -c 'ls -d /sys/devices/system/memory/memory[0-9]* | sort >/tmp/after; ! cmp -s /tmp/before /tmp/after'
blocks=$(grep -vxFf /tmp/before /tmp/after)
for block in $blocks; do
	[ "$(cat "$block/state")" = online ] || echo online_movable >"$block/state"
done
check "memory was added" wait_until 10 more_than $((total + 900000))
# More than the guest had before, in spite of the load, which takes and frees.
check "and is reported" wait_until 20 fpr_above stats/reported_free_pages 180000
check "by the device's count too" test "$(testdev pages)" -gt $((before + 250000))

# Away and back again, while reports go on.
went=0
for round in 1 2 3; do
	for block in $blocks; do
		echo offline >"$block/state" 2>/dev/null && went=$((went + 1))
	done
	fpr_set flush 1
	for block in $blocks; do
		[ "$(cat "$block/state")" = online ] || echo online_movable >"$block/state"
	done
done
check "it goes offline: $went blocks" test "$went" -ge 12
check "and comes back: round $round" more_than $((total + 900000))
check "and is reported again" wait_until 20 fpr_above stats/reported_free_pages 180000
kill $load
check "memory is as it was written" wait $load
equal "the contract was kept" "$(testdev violations)" 0
rmmod fpr_testdev
check "the core unloads" rmmod fpr
added=$((1048576 * (100 - ${FPR_MORE_MEM:-0}) / 100))
in_range "all memory is free, KiB" "$(memfree_kb)" $((free_before + added - 65536)) \
	$((free_before + 1048576))
