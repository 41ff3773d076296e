#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# Many users read a figure that is counted when it is read, over and over: nobody waits
# for all of them, neither memory that comes back from the device nor who pauses.
# vm: mem=1536 smp=2 timeout=240 modules=fpr,fpr_testdev files=fragment
# shellcheck disable=SC1091 # the path is the guest's
. /test/lib.sh
plan 5

readers=16
# pause: how long it takes amid a flush, ms, in $paused
pause() {
	fpr_set enabled 1
	fpr_set flush 1 &
	flush=$!
	nap 200
	paused=$(uptime_ms)
	fpr_set enabled 0
	paused=$(($(uptime_ms) - paused))
	wait $flush
}

# Memory in pieces takes longest to be counted.
mkfifo /tmp/hold
fragment 64 64 2 </tmp/hold >/tmp/fragment.log &
exec 3>/tmp/hold
wait_until 60 grep -q fragmented /tmp/fragment.log
modprobe fpr
check "a device" modprobe fpr_testdev
fpr_set floor_order 0
fpr_set flush 1
pause
diag "alone a pause takes $paused ms"
fpr_set enabled 1
fpr_set flush 1
for _ in $(seq $readers); do
	while [ ! -e /tmp/stop ]; do
		cat "$FPR_SYSFS/stats/reported_free_pages" >/dev/null
	done &
	pids="$pids $!"
done
nap 500
longest=0
for _ in 1 2 3; do
	pause
	diag "beside $readers readers $paused ms"
	[ "$paused" -lt "$longest" ] || longest=$paused
done
touch /tmp/stop
in_range "a pause beside them, ms" "$longest" 0 $(($(slow 1) * 1500))
equal "nothing is with the device then" "$(fpr stats/held_pages)" 0
exec 3>&-
# shellcheck disable=SC2086 # a list
wait $pids
check "the device goes" rmmod fpr_testdev
check "and the core" rmmod fpr
