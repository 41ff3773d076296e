#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# Pieces on per-CPU lists: what a CPU freed last waits there, tens of MiB of it from
# 6.7 on.  A block whose pieces are all on such a list is reported when it is cold,
# like any other, and does not wait for a sweep to find it.
# vm: mem=1024 smp=2 timeout=240 modules=fpr,fpr_testdev files=fragment
# shellcheck disable=SC1091 # the path is the guest's
. /test/lib.sh
plan 5

# reported BYTES: waits 25 s until so much was.  It looks rarely: each look is a process
# that ends, and a block in which it has freed memory is not cold.
reported() {
	for _ in 1 2 3 4 5 6 7 8 9 10; do
		nap 2500
		fpr_above stats/reported_bytes "$1" && return
	done
	echo "$(fpr stats/reported_bytes) of $1 bytes, $(fpr stats/candidate_blocks) candidates"
	return 1
}
pages_on_lists() { awk '$1 == "count:" { n += $2 } END { print n + 0 }' /proc/zoneinfo; }

check "the driver loads" modprobe fpr_testdev
check "all is reported" fpr_set flush 1
# The next sweep is half a minute away, and every block is looked at once before any is
# cold, which drains the lists.
sweeps=$(fpr stats/sweeps)
fpr_set cold_ms 5000
wait_until 30 fpr_above stats/sweeps "$sweeps" || bail "no sweep after a new value"
sweeps=$(fpr stats/sweeps)
begin=$(uptime_ms)

before=$(fpr stats/reported_bytes)
fragment 200 <>/tmp/never >/tmp/fragments &
program=$!
wait_until 60 grep -q fragmented /tmp/fragments || bail "no fragments"
listed_kb=$(($(pages_on_lists) * 4))
freed_kb=$(sed 's/fragmented //' /tmp/fragments)
diag "$freed_kb KiB are free in pieces, $listed_kb KiB are on per-CPU lists"
case $(uname -r),$(slow 1) in
5.* | 6.[0-6].*) skip "much of it is on such lists" "their length is fixed in this kernel" ;;
*,1) check "much of it is on such lists" test "$listed_kb" -gt $((freed_kb / 10)) ;;
*) skip "much of it is on such lists" "this kernel takes so long that they are emptied meanwhile" ;;
esac
# Of 30 s, 15 are left: three times what it takes to be cold.
if [ $(($(uptime_ms) - begin)) -lt 15000 ]; then
	check "all of it is reported" reported $((before + freed_kb * 980))
	equal "before a sweep" "$(fpr stats/sweeps)" "$sweeps"
else
	skip "all of it is reported" "a sweep comes before"
	skip "before a sweep" "likewise"
fi
kill $program
