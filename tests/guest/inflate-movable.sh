#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# Most of a guest's memory is for movable pages only (ZONE_MOVABLE), as where memory
# was hot-plugged.  The host takes half of it: then the kernel still has memory for
# itself, as with its own driver, since what is movable goes into the balloon first.
# vm: mem=2048 smp=2 timeout=240 balloon=free-page-reporting=on
# vm: modules=fpr,virtio_fpr,virtio_balloon files=balloon-lib.sh,hog,memload,manyfiles
# vm: append=kernelcore=640M
# shellcheck disable=SC1091 # the paths are the guest's
. /test/lib.sh
. /bin/balloon-lib.sh
plan 8

kernel_kb() { echo $(($(zone DMA32 free) + $(zone Normal free))); }

check "the driver loads" load_driver
before=$(kernel_kb)
check "most is movable" test "$(zone Movable managed)" -gt $((1200 * MIB))
inflate_to $((1024 * MIB))
diag "free: movable $(zone Movable free), others $(kernel_kb) of $before KiB"
check "what the kernel can use is as free as it was" \
	test "$(kernel_kb)" -gt $((before * 9 / 10))
mkdir /many
mount -t tmpfs -o nr_inodes=0,size=10% tmpfs /many
check "200000 files can be made" manyfiles /many 200000
equal "nobody was killed for it" "$(vmstat oom_kill)" 0
umount /many
inflate_to 0
check "unload" unload_driver
host_sync over >/dev/null
