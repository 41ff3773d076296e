#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# A kernel that relies on what is in free pages, here a poison that it checks, and a
# host that keeps it in what is reported: what comes out of the balloon has it too.
# vm: mem=512 smp=1 timeout=240 balloon=free-page-reporting=on,page-poison=on
# vm: modules=fpr,virtio_fpr,virtio_balloon append=page_poison=1
# vm: files=memload,hog,balloon-lib.sh
# vm: kernels=6.1-generic,6.12-rt,6.1-debug,6.12-debug
# shellcheck disable=SC1091 # the paths are the guest's
. /test/lib.sh
. /bin/balloon-lib.sh
plan 7

check "the driver loads" load_driver
inflate_to $((160 * MIB))
if ours_only 1; then
	equal "all of it was allocated" "$(balloon chunk_bytes)" 0
fi
inflate_to 0
check "memory can be used" fill 300
equal "and had its poison" "$(dmesg | grep -c 'pagealloc: memory corruption')" 0
rm /mnt/file
check "unload" unload_driver
host_sync over >/dev/null
