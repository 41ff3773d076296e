#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# Suspend to RAM under load: no report runs while the device is frozen, and
# reporting goes on afterwards.
# vm: boot=bzimage
# vm: mem=512 smp=2 timeout=120 balloon=free-page-reporting=on
# vm: modules=fpr,virtio_fpr files=memload
# vm: alone="QEMU's q35 can be resumed once"
# shellcheck disable=SC1091 # the path is the guest's
. /test/lib.sh
plan 8

mkdir -p /mnt
mount -t tmpfs -o size=80% tmpfs /mnt
grep -q mem /sys/power/state || bail "this kernel cannot suspend"

modprobe fpr delay_ms=10 threshold_kb=0
check "the driver loads" modprobe virtio_fpr
free_before=$(memfree_kb)
memload 600 200 2 /mnt 1 >/tmp/memload.log 2>&1 &
load=$!
sleep 2
host_sync suspend >/dev/null
# Once: QEMU's q35 loses its power management ports in the first resume.
check "asleep and awake again" sh -c "echo mem >/sys/power/state"
check "the device is back" fpr_is device virtio0
before=$(fpr stats/reports)
kill $load
check "memory is as it was written" wait $load
check "reporting goes on: what the load has freed" wait_until 20 \
	fpr_above stats/reports "$before"
equal "no error" "$(fpr stats/errors)" 0
check "unload" sh -c "rmmod virtio_fpr && rmmod fpr"
memory_back "the memory is back, KiB" "$free_before" 32768
