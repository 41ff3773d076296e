#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# vhost-user-fpr serves the stock balloon device to the kernel's own driver: a file
# is freed, and its memory leaves the host; and the driver can come back.
# vm: mem=768 smp=2 timeout=150 backing=memfd modules=virtio_balloon qemu_version=11
# vm: backend="vhost-user-fpr --balloon --once --verbose --control-socket={control}"
# vm: device=vhost-user,virtio-id=5,num_vqs=3,vq_size=64,config_size=16
# shellcheck disable=SC1091 # the path is the guest's
. /test/lib.sh
plan 4

bound() { test -e /sys/bus/virtio/drivers/virtio_balloon/virtio0; }

mkdir -p /mnt
mount -t tmpfs -o size=80% tmpfs /mnt
check "the kernel's driver loads" modprobe virtio_balloon
check "and takes the device" wait_until 5 bound
dd if=/dev/zero of=/mnt/file bs=1M count=256 2>/dev/null
host_sync filled >/dev/null
rm /mnt/file
host_sync freed >/dev/null
check "it goes" rmmod virtio_balloon
modprobe virtio_balloon
check "and comes back" wait_until 5 bound
dd if=/dev/zero of=/mnt/file bs=1M count=256 2>/dev/null
host_sync again >/dev/null
rm /mnt/file
host_sync gone >/dev/null
