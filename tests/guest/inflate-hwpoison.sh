#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# Memory errors in pages of the balloon: what comes out of it is used again, but for
# those pages.
# vm: mem=512 smp=2 timeout=120 balloon=free-page-reporting=on
# vm: modules=fpr,virtio_fpr,virtio_balloon files=balloon-lib.sh,hog,memload,pageflags
# vm: alone="a page is lost" allow=page
# shellcheck disable=SC1091 # the paths are the guest's
. /test/lib.sh
. /bin/balloon-lib.sh
hurt=/sys/devices/system/memory/hard_offline_page
if ! [ -e $hurt ]; then
	host_sync over >/dev/null
	skip_all "memory errors" "this kernel does not know them"
fi
plan 8

check "the driver loads" load_driver
inflate_to $((250 * MIB))
page=$(pageflags first offline 81920)
check "a page of the balloon" test -n "$page"
echo $((page * 4096)) 2>/dev/null >$hurt
diag "$(pageflags of "$page")"
check "has an error" sh -c "pageflags of $page | grep -q hwpoison"
inflate_to 0
check "nobody has it" sh -c "! pageflags of $page | grep -qE 'buddy|anon|lru'"
check "all memory can be used" hog $(($(meminfo MemAvailable) / 1024 - 24)) 1000
check "it still has it, and nobody" sh -c "pageflags of $page | grep hwpoison | grep -vqE 'buddy|anon|lru'"
host_sync over >/dev/null
