#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# The same kernel, and a host that promises it: memory goes back and comes again
# as zeroes.
# vm: mem=1024 smp=1 timeout=90 modules=fpr,virtio_fpr files=content,memload
# vm: balloon=free-page-reporting=on,page-poison=on append=init_on_free=1
# shellcheck disable=SC1091 # the paths are the guest's
. /test/lib.sh
. /bin/content
plan 6

check "virtio_fpr loads" modprobe virtio_fpr
equal "the host is taken" "$(fpr device)" virtio0
dd if=/dev/urandom of=/mnt/file bs=1M count=200 2>/dev/null
host_sync filled >/dev/null
rm /mnt/file
check "flush" fpr_set flush 1
host_sync freed >/dev/null
fpr_set delay_ms 10
check "new pages are clear" content_clear
rm /mnt/zero
check "memory is as it was written" memload 5 200 2 /mnt 1
equal "no error" "$(fpr stats/errors)" 0
