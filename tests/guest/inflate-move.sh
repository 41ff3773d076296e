#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# A balloon is no stone in the way: compaction and memory offlining move its base
# pages out of a range, and its chunks there make room; none is lost, the host has
# the new ones, and the data of a load that verifies its memory are as they were.
# vm: mem=512 maxmem=1024 smp=2 timeout=200 balloon=free-page-reporting=on
# vm: append=memhp_default_state=online_movable
# vm: modules=fpr,virtio_fpr,virtio_balloon
# vm: files=memload,fragment,ballpages,balloon-lib.sh
# shellcheck disable=SC1091 # the paths are the guest's
. /test/lib.sh
. /bin/balloon-lib.sh
plan 33

sys=/sys/devices/system/memory
# The memory that is added: two memory blocks, at their addresses, MiB
low=4096
middle=$((low + 128))
high=$((low + 256))
blocks="$sys/memory$((low / 128)) $sys/memory$((middle / 128))"
added() { [ "$(cat "$sys/memory$((middle / 128))/state")" = online ]; }
# Somebody else may hold a page for a moment.
take_away() { # BLOCK
	for _ in 1 2 3 4 5; do
		echo offline 2>/dev/null >"$1/state" && return
		sleep 0.2
	done
	return 1
}
bring_back() { # HOW
	for block in $blocks; do
		[ "$(cat "$block/state")" = online ] || echo "$1" >"$block/state" || return
	done
}
# What each zone has of memory that is the guest's
managed() { awk '/^Node/ { zone = $NF } $1 == "managed" { printf "%s %s ", zone, $2 }' /proc/zoneinfo; }
none_lost() { # KIB
	equal "none is lost: KiB, pages, KiB for the host" \
		"$(balloon_kb) $(in_balloon) $(actual_kb)" "$1 $(($1 / 4)) $1"
}

check "the driver loads" load_driver
host_sync add >/dev/null
check "memory was added" wait_until 10 added
remember_free
managed_before=$(managed)

dd if=/dev/urandom of=/mnt/kept bs=1M count=12 2>/dev/null
sum=$(md5sum /mnt/kept)

# Where no two free pages are neighbours, the balloon is of base pages.
sh -c 'echo 1000 >/proc/self/oom_score_adj; exec fragment "$@"' fragment 32 4 4 \
	<>/tmp/never >/tmp/fragmented &
fragment=$!
check "free memory is in single pages" wait_until 60 test -s /tmp/fragmented
! ours || fpr_set enabled 0
kib=$((120 * MIB))
inflate_to $kib
pages=$(ballpages $low $high)
check "$pages base pages are in the range" test "$pages" -gt 5000
below=$(ballpages $low $middle)
kill $fragment
wait $fragment 2>/dev/null

# Compaction moves what can be moved to the end of its zone; a load would be moved
# there, too.  A round ends early where its two scanners meet, after much or little of the
# range: it goes on until several in a row have moved none out of it.
check "some are below the middle" test "$below" -gt 500
migrated=$(vmstat balloon_migrate)
left=$below
idle_rounds=0
while [ "$left" -gt $((below / 10)) ] && [ $idle_rounds -lt 5 ]; do
	echo 1 >/proc/sys/vm/compact_memory
	left_before=$left
	left=$(ballpages $low $middle)
	[ "$left" -lt "$left_before" ] && idle_rounds=0 || idle_rounds=$((idle_rounds + 1))
done
in_range "compaction moves them, of $below below the middle there are left" \
	"$left" 0 $((below / 10))
check "they are counted: $(($(vmstat balloon_migrate) - migrated))" test \
	$(($(vmstat balloon_migrate) - migrated)) -ge $((below - left))
none_lost $kib

# And offlining whatever is there.
load 1
pages=$(ballpages $low $high)
migrated=$(vmstat balloon_migrate)
host_sync trace >/dev/null
for block in $blocks; do
	check "${block##*/} goes offline" take_away "$block"
done
equal "of $pages base pages there are left" "$(ballpages $low $high)" 0
check "they are counted: $(($(vmstat balloon_migrate) - migrated))" test \
	$(($(vmstat balloon_migrate) - migrated)) -ge "$pages"
none_lost $kib
if ours_only 1; then
	# Paused: it discards nothing else.
	discards=$(host_sync discards)
	in_range "the host has discarded the new ones, KiB" "${discards% *}" $((pages * 4)) $((240 * MIB))
	fpr_set enabled 1
fi
inflate_to 0
check "the memory comes back" bring_back online_movable
equal "each zone has what it had" "$(managed)" "$managed_before"
check "memory is as it was written" load_ends
equal "a file is as it was" "$(md5sum /mnt/kept)" "$sum"
rm /mnt/kept
free_again "and is free, KiB" 65536

# Chunks: the kernel cannot move them, so the guest gets them back, and others are
# taken elsewhere.
if ours_only 11; then
	for block in $blocks; do
		check "${block##*/} goes offline" take_away "$block"
	done
	# There is room for the balloon nowhere else.
	fill 300
	check "and comes back, for whatever there is" bring_back online_kernel
	# Before anybody else takes what cannot be moved
	kib=$((230 * MIB))
	inflate_to $kib
	chunks=$(balloon chunk_bytes)
	check "$((chunks / MIB / MIB)) MiB of chunks" test "$chunks" -gt $((200 * MIB * MIB))
	for block in "$low $middle" "$middle $high"; do
		# shellcheck disable=SC2086 # two numbers
		check "some of them there" test "$(ballpages $block)" -gt 5000
	done
	rm /mnt/file
	went=0
	for block in $blocks; do
		take_away "$block" && went=$((went + 1))
	done
	check "memory with chunks goes offline: $went of 2 blocks" test $went -gt 0
	reached $kib
	none_lost $kib
	inflate_to 0
	bring_back online_movable
	free_again "the memory is free, KiB" 65536
fi
check "unload" unload_driver
host_sync over >/dev/null
