#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# A guest with memory below and above 4 GiB: a balloon of half of it comes from above,
# since there are devices that can use nothing else than what is below.  One that
# takes all that it can get leaves each of the kernel's zones a reserve.
# vm: mem=5120 smp=2 timeout=240 balloon=free-page-reporting=on
# vm: modules=fpr,virtio_fpr,virtio_balloon files=balloon-lib.sh,hog,memload
# shellcheck disable=SC1091 # the paths are the guest's
. /test/lib.sh
. /bin/balloon-lib.sh
plan 10

# lowmem_reserve ZONE: the largest one that it keeps for who can use no other, KiB
lowmem_reserve() {
	awk -v zone="$1" '$1 == "Node" { on = $4 == zone }
		on && $1 == "protection:" {
			gsub(/[(),]/, "")
			for (i = 2; i <= NF; i++)
				if ($i > most)
					most = $i
		}
		END { print most * 4 }' /proc/zoneinfo
}
# has_left ZONE KIB HAD: a point that is ok when so much and its reserve is free there,
# or all that it had, where that is less
has_left() {
	left=$(zone "$1" free)
	least=$(($2 + $(lowmem_reserve "$1")))
	[ $least -le "$3" ] || least=$3
	check "$1 has its reserve: $left of $least KiB" test "$left" -ge "$least"
}

check "the driver loads" load_driver
all=$(($(meminfo MemTotal) / 4 * 4))
lowest=$(zone DMA free)
low=$(zone DMA32 free)
high=$(zone Normal free)
check "there is memory of both kinds" test "$low" -gt $((1024 * MIB))
inflate_to $((2560 * MIB))
diag "free: DMA32 $(zone DMA32 free), Normal $(zone Normal free) KiB"
check "what is below 4 GiB is as free as it was" test "$(zone DMA32 free)" -gt $((low * 9 / 10))
inflate_to $((4096 * MIB))
diag "free: DMA32 $(zone DMA32 free), Normal $(zone Normal free) KiB"
if ours_only 3; then
	ask "$all"
	short "$all"
	diag "$(balloon_kb) of $all KiB in the balloon"
	has_left DMA "$(zone DMA high)" "$lowest"
	has_left DMA32 "$(zone DMA32 high)" "$low"
	# The system goes on taking of this one, down to its low watermark.
	has_left Normal $((($(zone Normal low) + $(zone Normal high)) / 2)) "$high"
fi
equal "nobody was killed for it" "$(vmstat oom_kill)" 0
check "unload" unload_driver
host_sync over >/dev/null
