#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# The program that serves the device stops in the middle of a report, and is
# killed: the guest notices within its time limit, takes its memory back, loses no
# byte of it, and says so.  QEMU's device cannot be given another program.
# vm: mem=512 smp=2 timeout=180 backing=memfd qemu_version=11
# vm: backend="vhost-user-fpr --control-socket={control} --pressure=critical"
# vm: device=vhost-user,virtio-id=13,num_vqs=1,vq_size=64,config_size=40
# vm: modules=fpr,virtio_fpr files=memload,hog
# shellcheck disable=SC1091 # the path is the guest's
. /test/lib.sh
plan 11

mkdir -p /mnt
mount -t tmpfs -o size=80% tmpfs /mnt
drv=/sys/bus/virtio/drivers/virtio_fpr_vendor
settle
before=$(memfree_kb)
modprobe fpr delay_ms=10 threshold_kb=0
check "the driver loads" modprobe virtio_fpr report_timeout_ms=3000
check "all is reported" fpr_set flush 1
# Whole blocks: the load, busy with pieces, may leave none for a long time.
dd if=/dev/zero of=/mnt/file bs=1M count=64 2>/dev/null
memload 600 150 2 /mnt 1 >/tmp/memload.log 2>&1 &
load=$!
sleep 2
host_sync stop >/dev/null
rm /mnt/file
check "a report is in flight" wait_until 10 fpr_above stats/held_pages 0
host_sync kill >/dev/null
check "the guest notices" wait_until 20 fpr_is device none
check "and says so" log_has "no answer on queue [a-z_]+ within 3000 ms: device reset"
equal "nothing is held" "$(fpr stats/held_pages)" 0
sleep 3
kill $load
check "memory is as it was written" wait $load
check "no more than one error" test "$(fpr stats/errors)" -le 1
echo virtio0 >$drv/unbind
check "another device may come" test "$(fpr device)" = none
check "unload" sh -c "rmmod virtio_fpr && rmmod fpr"
settle
in_range "all memory is free, KiB" "$(memfree_kb)" $((before - 16384)) $((before + 65536))
