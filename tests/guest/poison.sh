#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# A kernel that poisons free pages and checks the poison (generic flavour of 6.1).
# vm: mem=512 smp=1 timeout=120 modules=fpr,fpr_testdev,virtio_fpr files=memload
# vm: balloon=free-page-reporting=on,page-poison=off append=page_poison=1
# vm: kernels=6.1-generic,6.1-debug,6.12-debug
# shellcheck disable=SC1091 # the path is the guest's
. /test/lib.sh
plan 7

mkdir -p /mnt
mount -t tmpfs -o size=80% tmpfs /mnt
check "virtio_fpr loads" modprobe virtio_fpr
check "the host without page-poison is refused" \
	log_has "page_poison=1.*offer page-poison on the host"
equal "nothing is registered" "$(fpr device)" none
rmmod virtio_fpr
refuse "so is a test device that promises nothing" modprobe fpr_testdev no_promises=1
check "one that keeps the poison is taken" modprobe fpr_testdev
echo 10 >/sys/kernel/fpr/delay_ms
check "memory is as it was written" memload 5 200 2 /mnt 1
equal "the contract was kept" "$(cat /sys/module/fpr_testdev/parameters/violations)" 0
