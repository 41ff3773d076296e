#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# A small guest gets much memory.  Who frees a block of the old marks that, and none
# of the new: what lies idle there is not reported over and over.
# vm: mem=512 smp=1 timeout=240 modules=fpr,fpr_testdev files=kload maxmem=5120
# shellcheck disable=SC1091 # the path is the guest's
. /test/lib.sh
plan 7

more_than() { [ "$(meminfo MemTotal)" -gt "$1" ]; }
total=$(meminfo MemTotal)
modprobe fpr delay_ms=10 threshold_kb=0
check "a device" modprobe fpr_testdev
echo online_movable >/sys/devices/system/memory/auto_online_blocks
host_sync add >/dev/null
check "memory comes" wait_until 60 more_than $((total + 4000000))
check "it is reported" fpr_set flush 1
check "all of it" fpr_above stats/reported_pages 1000000
before=$(fpr stats/reported_pages)
marks=$(fpr stats/marks)
mkdir -p /mnt
mount -t tmpfs -o size=50% tmpfs /mnt
for _ in 1 2 3 4 5 6 7 8; do
	dd if=/dev/zero of=/mnt/file bs=1M count=64 2>/dev/null
	rm /mnt/file
	nap 200
done
check "old memory comes and goes" test "$(fpr stats/marks)" -gt "$marks"
again=$(($(fpr stats/reported_pages) - before))
in_range "what was freed is reported, and no more, MiB" $((again / 256)) 60 $((8 * 64 * 2))
reported=$(fpr stats/reported_free_pages)
check "the rest still counts as such: $((reported / 256)) MiB" test "$reported" -gt 1000000
