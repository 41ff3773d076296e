#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# A device that offers free page hinting too has its reporting queue one further.
# vm: mem=512 smp=1 timeout=90 modules=fpr,virtio_fpr
# vm: qemu="-object iothread,id=io0"
# vm: qemu="-device virtio-balloon-pci,free-page-hint=on,iothread=io0,free-page-reporting=on"
# shellcheck disable=SC1091 # the path is the guest's
. /test/lib.sh
plan 3

mkdir -p /mnt
mount -t tmpfs -o size=80% tmpfs /mnt
check "the driver loads" modprobe virtio_fpr
check "the device is bound" fpr_is device virtio0
dd if=/dev/zero of=/mnt/file bs=1M count=200 2>/dev/null
host_sync filled >/dev/null
rm /mnt/file
sleep 2
host_sync freed >/dev/null
equal "no error" "$(fpr stats/errors)" 0
