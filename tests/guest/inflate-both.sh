#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# Two devices: memory is reported to fpr's own, which is the better one for it, and
# the stock one has its balloon and its statistics meanwhile; when fpr's own goes,
# memory is reported to the stock one, until it is back.
# vm: mem=512 smp=2 timeout=150 backing=memfd qemu_version=11
# vm: balloon=free-page-reporting=on
# vm: backend="vhost-user-fpr --control-socket={control} --pressure=low"
# vm: device=vhost-user,virtio-id=13,num_vqs=1,vq_size=64,config_size=40
# vm: modules=fpr,virtio_fpr,virtio_balloon files=memload,balloon-lib.sh
# shellcheck disable=SC1091 # the paths are the guest's
. /test/lib.sh
. /bin/balloon-lib.sh
plan 27

devices=/sys/bus/virtio/devices
stock_drv=/sys/bus/virtio/drivers/virtio_fpr
own_drv=/sys/bus/virtio/drivers/virtio_fpr_vendor
stock=$(balloon_device)
own=$(grep -lx 0x000d $devices/*/device | sed 's,/device$,,; s,.*/,,')
reporting() { cat "$devices/$1/fpr/reporting" 2>/dev/null; }
used() { echo "$(fpr device) $(reporting "$own") $(reporting "$stock")"; }
used_is() { [ "$(used)" = "$1" ]; }

check "the driver loads" load_driver
check "it has the one" test -e $stock_drv/"$stock"
check "and the other" test -e "$own_drv/$own"
equal "memory is reported to the vendor device" "$(used)" "$own 1 0"
equal "the pressure of its host is known" "$(fpr pressure)" low
remember_free
load 1

inflate_to $((100 * MIB))
check "all that is free is reported" fpr_set flush 1
check "to the vendor device" test \
	"$(cat "$devices/$own/fpr/discarded_bytes")" -gt $((100 * MIB * MIB))
host_sync statistics >/dev/null

echo "$own" >$own_drv/unbind
check "unbound: to the stock device" wait_until 10 used_is "$stock  1"
equal "the balloon stays, KiB" "$(balloon_kb)" $((100 * MIB))
check "and takes all that is free" fpr_set flush 1
freed_is_reported "and what is freed"
inflate_to $((150 * MIB))
echo "$own" >$own_drv/bind
check "bound again: to the vendor device" wait_until 10 used_is "$own 1 0"
check "it takes all that is free" fpr_set flush 1
inflate_to $((50 * MIB))

# The other way round
echo "$stock" >$stock_drv/unbind
equal "without the stock device: to the vendor device" "$(used)" "$own 1 "
check "the balloon is empty" in_balloon_is 0
check "all that is free is reported" fpr_set flush 1
echo "$stock" >$stock_drv/bind
reached $((50 * MIB))
equal "with it: to the vendor device" "$(used)" "$own 1 0"
check "the memory for the balloon is there" balloon_kb_is $((50 * MIB))
for _ in 1 2 3; do
	echo "$own" >$own_drv/unbind
	echo "$stock" >$stock_drv/unbind
	echo "$own" >$own_drv/bind
	echo "$stock" >$stock_drv/bind
done
check "after some more of that, too" wait_until 10 used_is "$own 1 0"
reached $((50 * MIB))
host_sync statistics >/dev/null
equal "no error" "$(fpr stats/errors)" 0
check "memory is as it was written" load_ends
finish
