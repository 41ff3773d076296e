#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# The host wants something while no driver is there to hear it: before the first
# comes, and between two.  Nobody comes to harm, and the driver that comes serves it.
# vm: mem=256 smp=1 timeout=120 backing=memfd qemu_version=11
# vm: backend="vhost-user-fpr --control-socket={control} --pressure=none"
# vm: device=vhost-user,virtio-id=13,num_vqs=1,vq_size=64,config_size=40
# vm: modules=fpr,virtio_fpr
# shellcheck disable=SC1091 # the path is the guest's
. /test/lib.sh
plan 9

drv=/sys/bus/virtio/drivers/virtio_fpr_vendor
modprobe fpr delay_ms=600000
host_sync before >/dev/null
check "the driver loads" modprobe virtio_fpr
check "it learns of the pressure" wait_until 10 fpr_is pressure critical
check "and of the request" wait_until 10 fpr_is stats/requests 1
host_sync answered >/dev/null
echo virtio0 >$drv/unbind
host_sync between >/dev/null
equal "nobody hears it" "$(fpr device) $(fpr stats/requests)" "none 1"
check "bound again" sh -c "echo virtio0 >$drv/bind"
check "it learns of the pressure" wait_until 10 fpr_is pressure high
check "and of the request" wait_until 10 fpr_is stats/requests 2
host_sync answered >/dev/null
equal "no error" "$(fpr stats/errors)" 0
check "unload" sh -c "rmmod virtio_fpr && rmmod fpr"
