#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# A host that offers no reporting: a sentence with the remedy, and the device is
# left to the kernel's own driver.
# vm: mem=256 smp=1 timeout=60 balloon=plain modules=fpr,virtio_fpr,virtio_balloon
# shellcheck disable=SC1091 # the path is the guest's
. /test/lib.sh
plan 5

check "the driver loads" modprobe virtio_fpr
check "the device is not bound" test ! -e /sys/bus/virtio/devices/virtio0/driver
check "the log names the remedy" log_has "add free-page-reporting=on"
equal "nothing is registered" "$(fpr device)" none
modprobe virtio_balloon
check "virtio_balloon can have it" \
	test -e /sys/bus/virtio/drivers/virtio_balloon/virtio0
