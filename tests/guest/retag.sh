#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# Pageblocks that are half full of pages which nobody can move: reporting what is free
# in them leaves them to such pages, so that the next ones do not spoil others.
# vm: mem=1024 smp=1 timeout=240 modules=fpr,fpr_testdev files=pinned
# shellcheck disable=SC1091 # the path is the guest's
. /test/lib.sh
plan 4

# unmovable: pageblocks of that type
unmovable() {
	awk '/^Number of blocks type/ { on = 1; next } on { n += $5 } END { print n }' \
		/proc/pagetypeinfo
}

mkfifo /tmp/hold
pinned 400 2 </tmp/hold >/tmp/pinned.log &
exec 3>/tmp/hold
check "memory that cannot be moved" wait_until 60 grep -q filled /tmp/pinned.log
echo >&3
wait_until 20 grep -q halved /tmp/pinned.log
before=$(unmovable)
modprobe fpr cold_ms=100 delay_ms=100 threshold_kb=0
check "a device" modprobe fpr_testdev
check "all is reported" fpr_set flush 1
sleep 3
in_range "as many pageblocks are for such memory" "$(unmovable)" $((before * 95 / 100)) $((before + 10))
exec 3>&-
wait
rmmod fpr_testdev
rmmod fpr
