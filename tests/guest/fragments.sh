#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# Memory that is free in pieces: that of a block that is cold leaves the host, in few
# discards; what is smaller than the floor, too little of a block, or hot stays.
# vm: mem=512 smp=2 timeout=420 balloon=free-page-reporting=on
# vm: modules=fpr,virtio_fpr files=fragment
# shellcheck disable=SC1091 # the path is the guest's
. /test/lib.sh
plan 19

# fragments PIECE_KIB EVERY: leaves $kept and $freed, KiB
fragments() {
	: >/tmp/fragments
	fragment 150 "$@" <>/tmp/next >/tmp/fragments &
	program=$!
	wait_until 90 grep -q fragmented /tmp/fragments || return 1
	kept=$(sed 's/fragmented //' /tmp/fragments)
	freed=$((kept / ($2 - 1)))
}
reported_kb() { echo $(($(fpr stats/reported_bytes) >> 10)); }
whole_again() {
	kill $program
	wait $program
	check "$1" wait_until 20 fpr_above stats/reported_bytes $((before + kept * 900))
	# A block is calm no more when it was reported as a whole.
	fpr_set flush 1
}
# What the kernel itself frees meanwhile, and whole blocks that were left over
some_kb=$((16 << 10))
# Longer than it takes to be cold
cold() { sleep "$(slow 5)"; }

mkfifo /tmp/next
check "the driver loads" sh -c "modprobe fpr floor_order=9 && modprobe virtio_fpr"
check "all is reported" fpr_set flush 1

fragments 64 2 || bail "no fragments"
diag "freed $((freed >> 10)) MiB in pieces of 64 KiB"
cold
before=$(reported_kb)
cold
in_range "without a floor the pieces stay, KiB" $(($(reported_kb) - before)) 0 $some_kb
host_sync fragmented >/dev/null
before=$(reported_kb)
segments=$(fpr stats/segments)
reports=$(fpr stats/reports)
fpr_set floor_order 4
# Cold, and as long as it may take then.  Without a process: what that takes and frees
# makes blocks hot.
looks=$(slow 70)
while read -r bytes <"$FPR_SYSFS/stats/reported_bytes" &&
	[ $((bytes >> 10)) -lt $((before + freed * 9 / 10)) ] && [ "$looks" -gt 0 ]; do
	nap 100
	looks=$((looks - 1))
done
check "they are reported in time, when there is one" test "$looks" -gt 0
diag "after $((($(slow 70) - looks) * 100)) ms"
host_sync given >/dev/null
given=$(($(reported_kb) - before))
segments=$(($(fpr stats/segments) - segments))
reports=$(($(fpr stats/reports) - reports))
diag "$given KiB of $freed in $segments discards, $reports reports"
in_range "what was freed is reported, KiB" "$given" $((freed * 9 / 10)) \
	$((freed + freed / 8 + some_kb))
in_range "a discard for a piece, and few more" "$segments" 1 $((freed * 5 / 256))
check "of which there are many in a report" test "$segments" -gt $((reports * 20))
in_range "it counts as reported, KiB" $(($(fpr stats/reported_free_pages) * 4)) \
	$((freed * 9 / 10)) $((freed + (400 << 10)))

before=$(fpr stats/reported_bytes)
whole_again "whole blocks are reported when they are whole again"

fragments 32 2 || bail "no fragments"
cold
before=$(reported_kb)
cold
in_range "pieces below the floor stay, KiB" $(($(reported_kb) - before)) 0 $some_kb
fpr_set floor_order 3
check "until the floor is lower" wait_until 30 fpr_above stats/reported_bytes \
	$((before * 1024 + freed * 900))
fpr_set floor_order 4
before=$(fpr stats/reported_bytes)
whole_again "whole blocks again"

fragments 64 16 || bail "no fragments"
before=$(reported_kb)
cold
in_range "too little of a block stays, KiB" $(($(reported_kb) - before)) 0 $some_kb
before=$(fpr stats/reported_bytes)
whole_again "but for whole blocks"

# Freed into after its pieces were reported: they are not reported once more before long,
# but what is new is, as soon as it is cold.
fragments 64 4 || bail "no fragments"
freed=$((kept / 3))
before=$(reported_kb)
# A shell that looks again and again makes the blocks hot that it gets its memory from.
cold
in_range "a quarter of each block is reported, KiB" $(($(reported_kb) - before)) \
	$((freed * 8 / 10)) $((freed + freed / 4 + some_kb))
sleep 5
before=$(reported_kb)
echo >/tmp/next
cold
in_range "and a second one, with the first, KiB" $(($(reported_kb) - before)) \
	$((freed * 16 / 10)) $((freed * 5 / 2 + some_kb))
kill $program
wait $program
# It has become a habit by now.
fpr_set flush 1

# Hot: freed into again and again, sooner than it is cold
fpr_set cold_ms 600000
fragments 64 2 || bail "no fragments"
cold
before=$(reported_kb)
cold
in_range "what is not cold stays, KiB" $(($(reported_kb) - before)) 0 $some_kb
check "but for a flush" fpr_set flush 1
in_range "which reports it, KiB" $(($(reported_kb) - before)) $((freed * 9 / 10)) \
	$((freed + freed / 8 + some_kb))
kill $program
