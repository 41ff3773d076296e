#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# What is needed again and again is kept, after three rounds and as much of it as is
# needed; what is freed beside it goes back on time, and so does all of it when nobody
# needs it any more.  And what the operator wants to be kept.
# vm: mem=768 smp=2 timeout=240 modules=fpr,fpr_testdev
# shellcheck disable=SC1091 # the path is the guest's
. /test/lib.sh
plan 26

dev=/sys/module/fpr_testdev/parameters
mkdir -p /mnt
mount -t tmpfs -o size=90% tmpfs /mnt
fill() { dd if=/dev/zero of="/mnt/$1" bs=1M count="$2" 2>/dev/null; }
reported_mib() { echo $(($(fpr stats/reported_bytes) >> 20)); }
kept() { fpr stats/kept_blocks; }
keeps() { [ "$(kept)" -ge "$1" ]; }
keeps_none() { [ "$(kept)" = 0 ]; }

mib=160
blocks=$((mib / 2))
# What was freed has been reported, or is kept, but for what is freed all the time; and
# the device has returned it.
dealt_with() {
	[ $(($(fpr stats/candidate_blocks) - $(kept))) -lt 16 ] && fpr_is stats/held_pages 0
}
deal() { sleep 1 && wait_until 20 dealt_with; }
# One round, as fast as the machine is
round() {
	fill churn $mib
	rm /mnt/churn
	deal
}
# MiB reported of a round, after it
round_mib() {
	before=$(reported_mib)
	round
	echo $(($(reported_mib) - before))
}

# Pieces would make it hard to say what is reported for what.
modprobe fpr delay_ms=200 floor_order=10 threshold_kb=0
check "a device" modprobe fpr_testdev
check "all is reported" fpr_set flush 1
equal "nothing is kept" "$(kept)" 0

# A habit
in_range "what is freed first is reported, MiB" "$(round_mib)" $((mib / 2)) $((mib * 2))
in_range "and needed a second time, too" "$(round_mib)" $((mib / 2)) $((mib * 2))
# Where freeing takes longer than the delay, a round is several, and a habit sooner.
[ "$(slow 1)" = 1 ] && third=$((mib / 2)) || third=0
in_range "and a third time" "$(round_mib)" "$third" $((mib * 2))
round
round
in_range "in the end nearly all is kept, blocks" "$(kept)" $((blocks / 2)) $((blocks * 5 / 4))
saved=$(fpr stats/saved_blocks)
in_range "and next to nothing reported, MiB" $((($(round_mib) + $(round_mib)) / 2)) 0 $((mib / 4))
check "what was kept is saved" fpr_above stats/saved_blocks $((saved + blocks / 2))

# Beside it
fill other 400
sleep 1
before=$(reported_mib)
rm /mnt/other
check "what is freed beside it is dealt with soon" deal
in_range "and goes back, MiB" $(($(reported_mib) - before)) \
	150 500
# On a machine that takes long to write it, none: what was kept is over by then.
in_range "and no more is kept than is needed again" "$(kept)" 0 $((blocks * 5 / 4))

# No more
check "when nobody needs it any more, it goes too" wait_until 90 keeps_none
in_range "all of it, MiB" $(($(reported_mib) - before)) 250 700
# But for what was in use when its time came
round
in_range "and little is kept from then on, blocks" "$(kept)" 0 $((blocks / 2))

# For the operator
fpr_set flush 1
fpr_set reserve_kb $((64 << 10))
round
in_range "a reserve is kept, blocks" "$(kept)" 30 34
before=$(reported_mib)
sleep "$(slow 5)"
in_range "and stays, MiB" $(($(reported_mib) - before)) 0 16
echo 4 >$dev/pressure
check "a host that needs it badly gets it" wait_until 20 keeps_none
echo 2 >$dev/pressure
round
check "a reserve again" keeps 30
check "a flush" fpr_set flush 1
equal "takes it" "$(kept)" 0

# What has been in use since long before is not needed again when it is freed, if that
# takes ever so many delays.
fpr_set reserve_kb 0
check "a device anew" sh -c "modprobe -r fpr_testdev && modprobe fpr_testdev"
check "all is reported" fpr_set flush 1
for i in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16; do
	fill old-$i 24
done
sleep 1
before=$(fpr stats/reported_bytes)
most=0
for file in /mnt/old-*; do
	rm "$file"
	for i in 1 2; do
		nap 50
		now=$(kept)
		[ "$now" -le "$most" ] || most=$now
	done
done
check "what was in use is freed bit by bit, and reported" \
	wait_until 20 fpr_above stats/reported_bytes $((before + (330 << 20)))
in_range "next to nothing of it is kept, blocks" "$most" 0 8
equal "the contract was kept" "$(cat $dev/violations)" 0
