#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# An encrypted guest (encrypted.patch): refused with the way out, which works.
# vm: mem=256 smp=1 timeout=60 balloon=free-page-reporting=on modules=fpr,virtio_fpr
# shellcheck disable=SC1091 # the path is the guest's
. /test/lib.sh
plan 7

refuse "the load is refused" modprobe fpr
check "with the reason and the way out" \
	log_has "fpr: guest memory is encrypted.*load with allow_encrypted=1"
equal "nothing is left" "$(ls -d /sys/kernel/fpr /sys/module/fpr 2>/dev/null)" ""
refuse "and so with the driver, which needs it" modprobe virtio_fpr
check "told to, it loads" modprobe fpr allow_encrypted=1
check "with a warning" log_has "fpr: guest memory is encrypted.*going on because of allow_encrypted=1"
check "and reports" sh -c "modprobe virtio_fpr && echo 1 >/sys/kernel/fpr/flush"
