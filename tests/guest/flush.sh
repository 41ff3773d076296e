#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# Flush with a slow and with a failing device, and what is freed meanwhile.
# vm: mem=1024 smp=2 timeout=120 modules=fpr,fpr_testdev
# shellcheck disable=SC1091 # the path is the guest's
. /test/lib.sh
plan 18

testdev_set() { echo "$2" >"/sys/module/fpr_testdev/parameters/$1"; }
mkdir -p /mnt
mount -t tmpfs -o size=80% tmpfs /mnt
fill() { dd if=/dev/zero of="/mnt/$1" bs=1M count=200 2>/dev/null; }
# Of 200 MiB: some is in blocks that hold something else too.
pages=$((180 * 256))

modprobe fpr delay_ms=12000 floor_order=9
check "the test device takes reports" modprobe fpr_testdev
check "and gets all that is free" fpr_set flush 1
# In blocks of order 9 and 10, of 4 KiB pages.  ZONE_DMA has 3584 of them, and the share
# of it that is reported at a time is less than a buddy.
whole=$(awk '{ n += $14 * 512 + $15 * 1024 } END { print n }' /proc/buddyinfo)
check "of every zone" fpr_above stats/reported_pages $((whole - 1536))
diag "$(fpr stats/reported_pages) of $whole pages"
fpr_set floor_order 4

# While a flush waits for the device, more is freed: that is no part of the
# flush, but must not wait for the sweep, nor for another run two delays later.
# A new value makes a sweep now, so that the next one is half a minute away.  When
# the flush begins nothing has been freed for longer than a quarter of the delay,
# and before that nothing was ageing, so no other run is about to come.
fill one
fill two
sweeps=$(fpr stats/sweeps)
fpr_set cold_ms 13000
wait_until 30 fpr_above stats/sweeps "$sweeps" || bail "no sweep after a new value"
sweeps=$(fpr stats/sweeps)
fpr_set flush 1
testdev_set delay_ms 1500
before=$(fpr stats/reported_pages)
rm /mnt/one
(nap 4000; fpr_set flush 1) &
flush=$!
nap 4500
check "the flush waits for the device" wait_until 5 fpr_is state reporting
rm /mnt/two
# Nothing was ageing when the flush began, so for the delay of 12 s the worker has
# no other reason to look than what was freed meanwhile; and a quarter of that is when
# it looks.  Without a process, whose memory would be a reason.
read -r marks <"$FPR_SYSFS/stats/marks"
wait $flush
flushed=$?
nap $(($(slow 1) * 3500))
read -r more <"$FPR_SYSFS/stats/marks"
check "it returns" test $flushed = 0
check "what was freed meanwhile has been noticed" test $((more - marks)) -ge $((pages / 512))
check "with the first file reported" fpr_above stats/reported_pages $((before + pages))
testdev_set delay_ms 0
# Its age is 12 to 15 s then.
check "the second one follows by itself" wait_until 20 \
	fpr_above stats/reported_pages $((before + 2 * pages))
if [ "$(slow 1)" = 1 ]; then
	equal "and not by a sweep" "$(fpr stats/sweeps)" "$sweeps"
else
	skip "and not by a sweep" "overwriting takes longer than until a sweep"
fi

# A device that fails: the flush says so, and nothing is lost.
fill one
testdev_set fail_every 1
rm /mnt/one
refuse "a flush that the device fails fails" fpr_set flush 1
check "the error is counted" fpr_above stats/errors 0
# It tries again by itself after a second.
check "the state says so" wait_until 5 fpr_is state backoff
testdev_set fail_every 0
check "the next flush does not wait for the back-off" fpr_set flush 1
check "and reports it" fpr_above stats/reported_pages $((before + 3 * pages))

# Pausing ends a flush that is under way, and one that waits for its turn.
testdev_set delay_ms 1500
fill one
rm /mnt/one
fpr_set flush 1 &
first=$!
wait_until 5 fpr_is state reporting
fpr_set flush 1 &
second=$!
usleep 300000
fpr_set enabled 0
refuse "a flush that is paused away fails" wait $first
refuse "and so does the one behind it" wait $second

# And both are over: what is free is reported after the delay, not on resuming.
testdev_set delay_ms 0
fpr_set delay_ms 10000
before=$(fpr stats/reported_pages)
fpr_set enabled 1
sleep 5
equal "resuming carries none of them out" "$(fpr stats/reported_pages)" "$before"
fpr_set delay_ms 10
check "reporting goes on with the delay" wait_until 10 \
	fpr_above stats/reported_pages "$before"
