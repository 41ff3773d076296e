#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# The device is unplugged while it is reporting, and plugged in again.
# vm: mem=512 smp=2 timeout=120 modules=fpr,virtio_fpr
# vm: qemu="-device pcie-root-port,id=port0,chassis=1"
# vm: qemu="-device virtio-balloon-pci,id=b0,bus=port0,free-page-reporting=on"
# vm: alone="leaves another device"
# shellcheck disable=SC1091 # the path is the guest's
. /test/lib.sh
plan 9

mkdir -p /mnt
mount -t tmpfs -o size=80% tmpfs /mnt
churn() {
	while [ ! -e /tmp/stop ]; do
		dd if=/dev/zero of=/mnt/file bs=1M count=150 2>/dev/null
		rm /mnt/file
		usleep 100000
	done
}
bound() { [ "$(fpr device)" != none ]; }

modprobe fpr delay_ms=10 threshold_kb=0
check "the driver loads" modprobe virtio_fpr
check "the device is bound" wait_until 10 bound
free_before=$(memfree_kb)
churn &
load=$!
sleep 2
host_sync unplug >/dev/null
check "it goes" wait_until 20 fpr_is device none
equal "nothing is held" "$(fpr stats/held_pages)" 0
host_sync plug >/dev/null
check "it comes back" wait_until 20 bound
before=$(fpr stats/reports)
check "and reports" wait_until 10 fpr_above stats/reports "$before"
touch /tmp/stop
wait $load
check "the driver unloads" rmmod virtio_fpr
memory_back "the memory is back, KiB" "$free_before" 32768
check "the core unloads" rmmod fpr
