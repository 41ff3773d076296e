#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# A guest with memory below and above 4 GiB: a balloon of half of it comes from above,
# since there are devices that can use nothing else than what is below.  One that is
# larger leaves some of it.
# vm: mem=5120 smp=2 timeout=240 balloon=free-page-reporting=on
# vm: modules=fpr,virtio_fpr,virtio_balloon files=balloon-lib.sh,hog,memload
# shellcheck disable=SC1091 # the paths are the guest's
. /test/lib.sh
. /bin/balloon-lib.sh
plan 7

check "the driver loads" load_driver
low=$(zone DMA32 free)
check "there is memory of both kinds" test "$low" -gt $((1024 * MIB))
inflate_to $((2560 * MIB))
diag "free: DMA32 $(zone DMA32 free), Normal $(zone Normal free) KiB"
check "what is below 4 GiB is as free as it was" test "$(zone DMA32 free)" -gt $((low * 9 / 10))
inflate_to $((4096 * MIB))
diag "free: DMA32 $(zone DMA32 free), Normal $(zone Normal free) KiB"
equal "nobody was killed for it" "$(vmstat oom_kill)" 0
check "unload" unload_driver
host_sync over >/dev/null
