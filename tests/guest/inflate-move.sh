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
plan 36

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
# How far it goes is the kernel's affair: its scanners may meet before.
in_range "compaction moves them, of $below below the middle there are left" \
	"$left" 0 $((below * 3 / 4))
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

# Chunks: the kernel cannot move them.  So none is taken of memory that was added, where
# it would be in the way, for whatever the memory is there; and the guest gets back what
# is in memory of another kind that goes offline, and others are taken elsewhere.
# ballooned: the first memory block, of those that were there, that is in the balloon, all
# but 2 MiB or 4 of 128
ballooned() {
	for n in 0 1 2 3; do
		[ "$(ballpages $((n * 128)) $((n * 128 + 128)))" -lt 31744 ] || echo "$sys/memory$n"
	done | head -n 1
}
if ours_only 13; then
	for block in $blocks; do
		check "${block##*/} goes offline" take_away "$block"
	done
	check "and comes back, for whatever there is" bring_back online_kernel
	# Before anybody else takes what cannot be moved
	kib=$((300 * MIB))
	inflate_to $kib
	chunks=$(balloon chunk_bytes)
	pages=$(ballpages $low $high)
	check "there are chunks, $((chunks / MIB / MIB)) MiB" test "$chunks" -gt $((100 * MIB * MIB))
	check "and $pages other pages" test $((kib / 4 - chunks / 4096)) -ge "$pages"
	block=$(ballooned)
	check "${block##*/} is nearly all chunks" test -n "$block"
	# What else lies there may be the kernel's own, for the kernel to refuse at once.
	if take_away "$block"; then
		ok "and goes offline"
		check "and comes back" sh -c "echo online >$block/state"
	elif log_has 'unmovable page'; then
		skip "and goes offline" "there are pages of the kernel's"
		skip "and comes back" "likewise"
	else
		not_ok "and goes offline"
		not_ok "and comes back"
	fi
	reached $kib
	none_lost $kib
	went=0
	for block in $blocks; do
		take_away "$block" && went=$((went + 1))
	done
	check "memory of the balloon goes offline: $went of 2 blocks" test $went -gt 0
	reached $kib
	none_lost $kib
	inflate_to 0
	bring_back online_movable
	free_again "the memory is free, KiB" 65536
fi
check "unload" unload_driver
host_sync over >/dev/null
