#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# A host that can discard nothing smaller than 1 GiB, more than this kernel ever has
# in one piece: the driver says so and leaves the device alone, and the guest goes on.
# vm: mem=256 smp=1 timeout=90 backing=memfd qemu_version=11
# vm: backend="vhost-user-fpr --granule=1G --pressure=none --control-socket={control}"
# vm: device=vhost-user,virtio-id=13,num_vqs=1,vq_size=64,config_size=40
# vm: modules=fpr,virtio_fpr,fpr_testdev files=memload
# shellcheck disable=SC1091 # the path is the guest's
. /test/lib.sh
plan 10

mkdir -p /mnt
mount -t tmpfs tmpfs /mnt
drv=/sys/bus/virtio/drivers/virtio_fpr_vendor
modprobe fpr delay_ms=10 threshold_kb=0
check "the driver loads" modprobe virtio_fpr
refuse "it does not have the device" test -e $drv/virtio0
check "it says why" log_has \
	"virtio0 discards blocks of order 18 and larger, this kernel has none above order 10"
equal "once" "$(dmesg | grep -c 'discards blocks of order')" 1
equal "the core has no device" "$(fpr device)" none
refuse "binding it is refused again" sh -c "echo virtio0 >$drv/bind"
check "the guest goes on" memload 5 100 1 /mnt 1
check "another device is taken" modprobe fpr_testdev
host_sync counters >/dev/null
check "and reported to" fpr_set flush 1
check "unload" sh -c "rmmod fpr_testdev && rmmod virtio_fpr && rmmod fpr"
