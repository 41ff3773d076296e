#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# A kernel that relies on what free pages hold, and hosts that promise it or do
# not: reporting works, or is refused with the remedy.
# vm: mem=512 smp=1 timeout=90 modules=fpr,fpr_testdev,virtio_fpr files=memload
# vm: balloon=free-page-reporting=on,page-poison=off append=init_on_free=1
# shellcheck disable=SC1091 # the path is the guest's
. /test/lib.sh
plan 9

mkdir -p /mnt
mount -t tmpfs -o size=80% tmpfs /mnt
check "virtio_fpr loads" modprobe virtio_fpr
check "the host without page-poison is refused" \
	log_has "init_on_free=1.*offer page-poison on the host"
equal "nothing is registered" "$(fpr device)" none
rmmod virtio_fpr
refuse "so is a test device that promises nothing" modprobe fpr_testdev no_promises=1
check "one that promises zeroes is taken" modprobe fpr_testdev
echo 10 >/sys/kernel/fpr/delay_ms
check "memory is as it was written" memload 5 200 2 /mnt 1
check "pages were reported" test "$(cat /sys/module/fpr_testdev/parameters/pages)" -gt 1000
equal "the contract was kept" "$(cat /sys/module/fpr_testdev/parameters/violations)" 0
# New memory has to read as zero: the kernel did not clear it when it was allocated.
dd if=/dev/zero of=/mnt/zero bs=1M count=100 2>/dev/null
truncate -s 100M /mnt/hole 2>/dev/null || dd if=/dev/null of=/mnt/hole bs=1M seek=100 2>/dev/null
check "new pages are clear" cmp /mnt/zero /mnt/hole
