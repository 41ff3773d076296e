#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# The vendor device as a PCI function with a vendor's own ids, served by
# vfio-user-fpr to an unmodified QEMU: the guest sees those ids, its stock
# virtio-pci takes the function, memory leaves the host, each side counts the same,
# and the host can ask for all that is free.
# vm: mem=768 smp=2 timeout=180 backing=memfd qemu_version=11
# vm: backend="vfio-user-fpr --pci-id=1234:104d:5678:0009 --control-socket={control} --pressure=low"
# vm: device=vfio-user
# vm: modules=fpr,virtio_fpr
# shellcheck disable=SC1091 # the path is the guest's
. /test/lib.sh
plan 21

mkdir -p /mnt
mount -t tmpfs -o size=80% tmpfs /mnt
fill() { dd if=/dev/zero of=/mnt/file bs=1M count=256 2>/dev/null; }
dev=/sys/bus/virtio/devices/virtio0
drv=/sys/bus/virtio/drivers/virtio_fpr_vendor
agree() { [ "$(cat $dev/fpr/discarded_bytes)" = "$(fpr stats/reported_bytes)" ]; }
pci=$(dirname "$(grep -l 0x1234 /sys/bus/pci/devices/*/vendor)")
diag "PCI function $(basename "$pci"): $(cat "$pci/vendor" "$pci/device" "$pci/subsystem_vendor" "$pci/subsystem_device" "$pci/class" | tr '\n' ' ')"
equal "the vendor's ids" "$(cat "$pci/vendor" "$pci/device" | tr '\n' ' ')" "0x1234 0x104d "
equal "and the subsystem's" "$(cat "$pci/subsystem_vendor" "$pci/subsystem_device" | tr '\n' ' ')" "0x5678 0x0009 "
check "no driver takes it by itself" test ! -e "$pci/driver"
check "the driver loads" modprobe virtio_fpr vendor=0x1234 device=0x104d
equal "virtio-pci has the function" "$(basename "$(readlink "$pci/driver")")" virtio-pci
equal "a device of id 13" "$(cat $dev/device)" 0x000d
equal "of the subsystem's vendor" "$(cat $dev/vendor)" 0x5678
check "and fpr has it" test -d $drv/virtio0
equal "the core reports to it" "$(fpr device)" virtio0
check "the host's pressure is known" wait_until 5 fpr_is pressure low
grep virtio0 /proc/interrupts | while read -r line; do diag "interrupts: $line"; done
check "by messages" grep -q "MSI.*virtio0" /proc/interrupts

check "all that is free is reported" fpr_set flush 1
fill
host_sync filled >/dev/null
before=$(fpr stats/reported_bytes)
rm /mnt/file
check "what is freed is reported in time" wait_until 10 \
	fpr_above stats/reported_bytes $((before + (230 << 20)))
host_sync freed >/dev/null
equal "nothing was refused" "$(cat $dev/fpr/refused_bytes)" 0
check "what was reported was discarded" wait_until 5 agree

fpr_set delay_ms 600000
fill
host_sync filled >/dev/null
rm /mnt/file
host_sync request >/dev/null
equal "a request was served" "$(fpr stats/requests)" 1
check "and counted the same on both sides" wait_until 5 agree

host_sync counters >/dev/null
echo virtio0 >$drv/unbind
echo virtio0 >$drv/bind
equal "bound again" "$(fpr device)" virtio0
check "all is reported" fpr_set flush 1
check "the driver unloads" rmmod virtio_fpr
check "and the core" rmmod fpr
