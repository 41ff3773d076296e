#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# A host that offers no reporting: a sentence with the remedy, and the device is taken
# for its balloon, since one that was refused may be left to no driver at all (MMIO).
# vm: mem=256 smp=1 timeout=90 balloon=plain modules=fpr,virtio_fpr,virtio_balloon
# vm: files=balloon-lib.sh,hog,memload
# shellcheck disable=SC1091 # the paths are the guest's
. /test/lib.sh
. /bin/balloon-lib.sh
plan 10

check "the driver loads" modprobe virtio_fpr
check "the device is bound" wait_until 5 bound
check "the log names the remedy" log_has "add free-page-reporting=on"
equal "nothing is registered" "$(fpr device)" none
equal "and it says so" "$(cat /sys/bus/virtio/devices/virtio0/fpr/reporting)" 0
inflate_to $((64 * MIB))
inflate_to 0
refuse "a flush says that there is no device" fpr_set flush 1
check "the driver unloads" rmmod virtio_fpr
modprobe virtio_balloon
check "virtio_balloon can have it" \
	test -e /sys/bus/virtio/drivers/virtio_balloon/virtio0
host_sync over >/dev/null
