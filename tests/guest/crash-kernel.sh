#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# In a crash kernel, which has little memory and a dump to write, fpr does nothing.
# This one only believes that it is one.
# vm: mem=256 smp=1 timeout=60 balloon=free-page-reporting=on
# vm: modules=fpr,virtio_fpr append=elfcorehdr=0x1000
# shellcheck disable=SC1091 # the path is the guest's
. /test/lib.sh
plan 4

refuse "fpr is not loaded" modprobe fpr
check "the log says why" log_has 'fpr: this is a crash kernel'
refuse "nor is its driver" modprobe virtio_fpr
check "the device is left alone" test ! -e /sys/bus/virtio/devices/virtio0/driver
