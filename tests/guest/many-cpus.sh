#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# Sixteen CPUs that free memory at once: what the hook writes, which they share, is
# seldom; nothing is lost; and what they keep on their lists goes back too.
# vm: mem=1024 smp=16 timeout=240 balloon=free-page-reporting=on
# vm: modules=fpr,virtio_fpr files=memload
# shellcheck disable=SC1091 # the path is the guest's
. /test/lib.sh
plan 9

freed() { awk '$1 == "pgfree" { print $2 }' /proc/vmstat; }

equal "CPUs" "$(nproc)" 16
check "the driver loads" modprobe virtio_fpr
check "all is reported" fpr_set flush 1
mkdir -p /mnt && mount -t tmpfs tmpfs /mnt

frees=$(freed)
marks=$(fpr stats/marks)
begin=$(uptime_ms)
check "memory is as it was written" memload 20 600 16 /mnt
ms=$(($(uptime_ms) - begin))
frees=$(($(freed) - frees))
nap 1000
marks=$(($(fpr stats/marks) - marks))
diag "$frees pages freed in $ms ms: $marks marks set"
# The worker looks four times in delay_ms (800) at the most; a GiB is 512 blocks.
in_range "one for each block and look at the most" "$marks" 100 $(((ms / 200 + 7) * 512))
check "and for many pages each" test "$frees" -gt $((marks * 10))

free=$(meminfo MemFree)
check "a flush" fpr_set flush 1
in_range "and all that is free is with the host, KiB" \
	$(($(fpr stats/reported_free_pages) * 4)) $((free * 9 / 10)) $((free * 11 / 10))
equal "no error" "$(fpr stats/errors)" 0
