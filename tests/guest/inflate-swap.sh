#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# A guest whose processes have most of its memory, and which has swap: the host gets
# what it asks for, as from the kernel's own driver, and the processes lose nothing.
# vm: mem=512 smp=1 timeout=240 balloon=free-page-reporting=on disk=768
# vm: modules=fpr,virtio_fpr,virtio_balloon files=balloon-lib.sh,hog,memload
# vm: load=virtio_pci,virtio_blk
# shellcheck disable=SC1091 # the paths are the guest's
. /test/lib.sh
. /bin/balloon-lib.sh
plan 8

check "there is swap" sh -c 'mkswap /dev/vda && swapon /dev/vda'
check "the driver loads" load_driver
hog 300 60000 >/tmp/hog.log 2>&1 &
hog=$!
rss_is() { [ "$(awk '/^VmRSS/ { print $2 }' "/proc/$hog/status")" -ge $((300 * MIB)) ]; }
wait_until 20 rss_is
diag "$(meminfo MemAvailable) KiB available, $(meminfo SwapFree) KiB of swap free"
ask $((200 * MIB))
check "the host has what it asks for" wait_until 30 balloon_kb_is $((200 * MIB))
check "beside the process" kill -0 $hog
diag "$(meminfo MemAvailable) KiB available, $(meminfo SwapFree) KiB of swap free"
equal "nobody was killed for it" "$(vmstat oom_kill)" 0
check "the process has what it wrote" wait $hog
inflate_to 0
check "unload" unload_driver
host_sync over >/dev/null
