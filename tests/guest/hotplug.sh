#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# Memory that is added while fpr runs is reported too, and memory that reports
# are made of can be taken offline, under a load that verifies its memory; only
# when nothing is with the device, and that wait has an end.
# vm: mem=512 smp=2 timeout=240 modules=fpr,fpr_testdev files=memload
# vm: maxmem=2048
# shellcheck disable=SC1091 # the path is the guest's
. /test/lib.sh
plan 18

testdev() { cat "/sys/module/fpr_testdev/parameters/$1"; }
more_than() { [ "$(meminfo MemTotal)" -gt "$1" ]; }
mkdir -p /mnt
mount -t tmpfs -o size=95% tmpfs /mnt

free_before=$(memfree_kb)
modprobe fpr delay_ms=10 threshold_kb=0
check "the test device takes reports" modprobe fpr_testdev
check "and gets all that is free" fpr_set flush 1
# What CPU the device leaves: 5.10 would give it little.
sh -c "renice -n 19 -p \$\$; exec memload 600 250 2 /mnt 1" >/tmp/memload.log 2>&1 &
load=$!

# Slower reports, so that offlining meets pages that are with the device.
echo 20 >/sys/module/fpr_testdev/parameters/delay_ms
total=$(meminfo MemTotal)
before=$(testdev pages)
find /sys/devices/system/memory -maxdepth 1 -name 'memory[0-9]*' | sort >/tmp/before
# Else some kernels put what nobody can move into it at once.
echo online_movable >/sys/devices/system/memory/auto_online_blocks
host_sync add >/dev/null
# Its blocks appear one after the other.
check "memory was added" wait_until 10 more_than $((total + 900000))
find /sys/devices/system/memory -maxdepth 1 -name 'memory[0-9]*' | sort >/tmp/after
blocks=$(grep -vxFf /tmp/before /tmp/after)
in_range "in blocks of 128 MiB" "$(echo "$blocks" | wc -l)" 8 8
# More than the guest had before, in spite of the load, which takes and frees.
check "and is reported" wait_until 60 fpr_above stats/reported_free_pages 180000
reported_more() { [ "$(testdev pages)" -gt $((before + 180000)) ]; }
check "by the device's count too" wait_until 60 reported_more

# Away and back again, while reports go on.  The kernel may give up on a page that
# somebody holds for a moment, fpr or not: again.  Why it did is in the log, where
# the kernel can say it.
echo "file mm/memory_hotplug.c +p" 2>/dev/null >/proc/dynamic_debug/control
went=0
tries=0
take_away() {
	for _ in 1 2 3 4 5; do
		tries=$((tries + 1))
		echo offline 2>/dev/null >"$1/state" && return
		sleep 0.2
	done
	return 1
}
for round in 1 2 3; do
	for block in $blocks; do
		take_away "$block" && went=$((went + 1))
	done
	fpr_set flush 1
	for block in $blocks; do
		[ "$(cat "$block/state")" = online ] || echo online_movable >"$block/state"
	done
done
check "it goes offline: 8 blocks 3 times, $tries attempts" test "$went" -eq 24
check "and comes back: round $round" more_than $((total + 900000))
check "and is reported again" wait_until 60 fpr_above stats/reported_free_pages 180000
kill $load
check "memory is as it was written" wait $load

# A device that keeps what it has for longer than offlining waits
offline() {
	for block in $blocks; do
		echo offline 2>/dev/null >"$block/state" && return
	done
	return 1
}
fpr_set enabled 0
echo 14000 >/sys/module/fpr_testdev/parameters/delay_ms
fpr_set enabled 1
check "the device has memory" wait_until 10 fpr_above stats/held_pages 0
reports=$(fpr stats/reports)
block=${blocks##*[[:space:]]}
refuse "none goes offline meanwhile" sh -c "echo offline >$block/state"
check "and the log says why" log_has "fpr: memory cannot go offline: the device has had some"
echo 10 >/sys/module/fpr_testdev/parameters/delay_ms
check "it is back" wait_until 20 fpr_above stats/reports "$reports"
check "afterwards it does go offline" wait_until 10 offline
equal "the contract was kept" "$(testdev violations)" 0
rmmod fpr_testdev
check "the core unloads" rmmod fpr
for block in $blocks; do
	[ "$(cat "$block/state")" = online ] || echo online_movable >"$block/state"
done
added=$((1048576 * (100 - ${FPR_MORE_MEM:-0}) / 100))
in_range "all memory is free, KiB" "$(memfree_kb)" $((free_before + added - 65536)) \
	$((free_before + 1048576))
