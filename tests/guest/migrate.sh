#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# A live migration of a guest whose memory is verified all the time: what is free is
# left out where fpr may name it, and everything else arrives.
# vm: mem=640 smp=2 timeout=450 modules=fpr,virtio_fpr files=memload,migrate-lib.sh
# A QEMU that keeps memory by itself: see migrate-none.sh.
# vm: qemu_version=11
# vm: qemu="-object iothread,id=io0"
# vm: qemu="-device virtio-balloon-pci,free-page-hint=on,iothread=io0,free-page-reporting=on"
# vm: alone="moves to another QEMU"
# shellcheck disable=SC1091 # the path is the guest's
. /test/lib.sh
. /bin/migrate-lib.sh
plan 13

# dirty MIB: so much of free memory holds something else than zeros
dirty() {
	dd if=/dev/zero bs=1M count=8 2>/dev/null | tr '\0' x >/mnt/part
	i=0
	while [ $((i += 8)) -le "$1" ]; do cat /mnt/part; done >/mnt/file
	rm /mnt/file /mnt/part
}
hinted_mib() { echo $(($(cat /sys/bus/virtio/devices/virtio0/fpr/hinted_bytes) >> 20)); }

# Nothing is reported: only hints keep free memory from being sent.
modprobe fpr delay_ms=600000
check "the driver loads" modprobe virtio_fpr
check "the device is bound" fpr_is device virtio0
sleep 1
verify_begin
dirty 320

fpr_set enabled 0
host_sync unnamed >/dev/null
check "unnamed: memory is as it was written" intact
equal "nothing was named, MiB" "$(hinted_mib)" 0
fpr_set enabled 1
host_sync cancelled >/dev/null
check "cancelled: memory is as it was written" intact
check "nothing is held" wait_until 5 fpr_is stats/held_pages 0
equal "the device is there" "$(fpr device)" virtio0
host_sync named >/dev/null
check "named: memory is as it was written" intact
in_range "free memory was named, MiB" "$(hinted_mib)" 320 100000
check "reports go on" fpr_set flush 1
fpr_set delay_ms 10
fpr_set threshold_kb 0
host_sync reporting >/dev/null
check "with reports: memory is as it was written" intact
verify_end
equal "no error" "$(fpr stats/errors)" 0
