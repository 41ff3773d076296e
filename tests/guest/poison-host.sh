#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# The same kernel, and a host that takes the poison value: reports are accepted,
# with a warning that hosts like this one (QEMU) then discard nothing.
# vm: mem=1024 smp=1 timeout=120 modules=fpr,virtio_fpr files=content,memload
# vm: balloon=free-page-reporting=on,page-poison=on append=page_poison=1
# vm: kernels=6.1-generic,6.12-rt,6.1-debug,6.12-debug
# shellcheck disable=SC1091 # the paths are the guest's
. /test/lib.sh
. /bin/content
plan 6

check "virtio_fpr loads" modprobe virtio_fpr
equal "the host is taken" "$(fpr device)" virtio0
check "with a warning and its remedy" \
	log_has "virtio_fpr virtio0: page poisoning is on: .*discard nothing; boot with page_poison=0"
fpr_set delay_ms 10
dd if=/dev/urandom of=/mnt/file bs=1M count=200 2>/dev/null
host_sync filled >/dev/null
rm /mnt/file
check "flush" fpr_set flush 1
host_sync freed >/dev/null
# The kernel checks the poison of each page that it takes, and would complain.
check "memory is as it was written" memload 5 200 2 /mnt 1
equal "no error" "$(fpr stats/errors)" 0
