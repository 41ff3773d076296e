#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# The one rule: a device that overwrites all it is given, be it reported or named
# for a migration, under a load that verifies its memory, at several orders, slow,
# failing and with odd limits.
# Not one byte changes, and all memory is back in the end.
# vm: mem=1024 smp=2 timeout=400 modules=fpr,fpr_testdev files=memload
# vm: append=LOAD_S=6
# shellcheck disable=SC1091 # the path is the guest's
. /test/lib.sh
plan 61

testdev() { cat "/sys/module/fpr_testdev/parameters/$1"; }
testdev_set() { echo "$2" >"/sys/module/fpr_testdev/parameters/$1"; }

mkdir -p /mnt
mount -t tmpfs -o size=80% tmpfs /mnt

named_above() { [ "$(testdev hint_pages)" -gt "$1" ]; }
# Asks for hints until the file is gone; a number each time.
hints() {
	number=1
	while [ -e /tmp/hinting ]; do
		testdev_set hint $((number += 1)) 2>/dev/null
		nap 200
	done
	testdev_set hint 0
}

# round NAME: load for a while with what is set now, and check the device's view
round() {
	before=$(testdev pages)
	named=$(testdev hint_pages)
	: >/tmp/hinting
	hints &
	check "$1: memory is as it was written" \
		memload "$LOAD_S" 500 4 /mnt "$KTAP_POINT"
	check "$1: free memory was named" wait_until 30 named_above "$named"
	rm /tmp/hinting
	wait
	check "$1: all that is free can be flushed" flush_until_ok
	check "$1: the device got pages" test "$(testdev pages)" -gt "$before"
	equal "$1: the contract was kept" "$(testdev violations)" 0
	check "$1: pause" fpr_set enabled 0
	equal "$1: nothing is held while paused" "$(fpr stats/held_pages)" 0
	fpr_set enabled 1
}

# With failures injected a flush may fail; the next one goes on where it ended, but
# where the kernel itself frees enough for three reports meanwhile, as with KASAN,
# that one fails too.
flush_until_ok() {
	for _ in 1 2 3 4 5; do
		fpr_set flush 1 && return
	done
	testdev_set fail_every 0
	fpr_set flush 1
}

modprobe fpr delay_ms=10 cold_ms=10 threshold_kb=0 || bail "fpr does not load"
settle
free_before=$(memfree_kb)

modprobe fpr_testdev
fpr_set floor_order 4
round "order 9, pieces down to order 4"

fpr_set floor_order 0
round "order 9, pieces down to a page"

fpr_set order 10
fpr_set floor_order 10
testdev_set expect_order 10
round "order 10, slow"

testdev_set expect_order 4
fpr_set order 4
testdev_set delay_ms 30
round "order 4, slower still"

fpr_set order 0
testdev_set expect_order 0
testdev_set delay_ms 5
fpr_set hold_kb 4096
round "order 0, little held"

testdev_set fail_every 3
fpr_set order 4
fpr_set hold_kb 262144
errors=$(fpr stats/errors)
round "every third report fails"
check "errors are counted" test "$(fpr stats/errors)" -gt "$errors"
testdev_set fail_every 0

rmmod fpr_testdev
equal "the device is gone" "$(fpr device)" none
modprobe fpr_testdev max_entries=2 max_entry_kb=2048 min_order=9
fpr_set order 0
round "2 entries of 2 MiB"

rmmod fpr_testdev
modprobe fpr_testdev max_entries=32 min_order=2
fpr_set order 9
fpr_set floor_order 3
round "pieces of order 2, in runs of order 3"

rmmod fpr_testdev
refuse "a device that cannot take one block is refused" \
	modprobe fpr_testdev max_entries=1 max_entry_kb=2048
check "with a reason" log_has "not enough for one free block"
rmmod fpr

settle
memory_back "MemFree is back, KiB" "$free_before" 65536
