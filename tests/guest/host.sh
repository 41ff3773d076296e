#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# What a host wants: memory sooner or later by its pressure, and all of it now,
# down to an order of its choice, with an answer.
# vm: mem=512 smp=2 timeout=180 modules=fpr,fpr_testdev
# shellcheck disable=SC1091 # the path is the guest's
. /test/lib.sh
plan 38

dev=/sys/module/fpr_testdev/parameters
testdev() { cat "$dev/$1"; }
testdev_is() { [ "$(testdev "$1")" = "$2" ]; }
# A request of the order parameter, answered
ask() { # NUMBER ORDER
	echo "$1 $2" >$dev/request && wait_until 20 testdev_is answered "$1"
}
mkdir -p /mnt
mount -t tmpfs tmpfs /mnt
fill() { dd if=/dev/zero of=/mnt/file bs=1M count=80 2>/dev/null; }
churn() { fill; rm /mnt/file; }
reported() { fpr stats/reported_pages; }
# More than half of the 80 MiB above a number of pages: some is in blocks that hold
# something else too.
back() { fpr_above stats/reported_pages $(($1 + 12000)); }

modprobe fpr delay_ms=600000 threshold_kb=0
check "a device" modprobe fpr_testdev
equal "says nothing of pressure" "$(fpr pressure)" unknown
check "all is reported" fpr_set flush 1

# Requests
equal "none was made" "$(fpr stats/requests)" 0
before=$(reported)
churn
equal "with a delay of ten minutes nothing is reported" "$(reported)" "$before"
check "a request is answered" ask 1 9
check "with what was freed" back "$before"
equal "and counted" "$(fpr stats/requests)" 1
equal "the answer says how much, KiB" "$(testdev answered_kb)" $((($(reported) - before) * 4))
before=$(reported)
check "another one" ask 2 9
equal "finds little more, in MiB" $((($(reported) - before) / 256 / 16)) 0

# Below the order parameter
echo 10 >"$FPR_SYSFS/order"
check "at order 10 all is reported" ask 3 10
before=$(reported)
check "down to order 0" ask 4 0
check "there is more" fpr_above stats/reported_pages "$before"
equal "and the order is as it was" "$(fpr order)" 10
echo 9 >"$FPR_SYSFS/order"

# Together with what else goes on
echo 300 >$dev/delay_ms
churn
answers=$(testdev answers)
for number in 5 6 7; do echo "$number 9" >$dev/request; done
check "several at a time: the last is answered" wait_until 30 testdev_is answered 7
in_range "in fewer answers" $(($(testdev answers) - answers)) 1 2
echo 0 >$dev/delay_ms
fpr_set enabled 0
churn
echo "8 9" >$dev/request
sleep 1
equal "while paused it waits" "$(testdev answered)" 7
fpr_set enabled 1
check "until it goes on" wait_until 20 testdev_is answered 8
churn
echo 1 >$dev/fail_every
echo "9 9" >$dev/request
sleep 2
equal "while reports fail it waits" "$(testdev answered)" 8
echo 0 >$dev/fail_every
check "until they do not" wait_until 30 testdev_is answered 9
# The back-off holds, however often the worker is woken: 0, 1, 3, 7, 15, 31 s.
echo 20 >"$FPR_SYSFS/delay_ms"
failures=$(testdev failures)
echo 1 >$dev/fail_every
echo "10 9" >$dev/request
# Much at once: a few MiB may come from blocks that are in use otherwise, where
# nothing is free as a whole afterwards.
fails() { churn && [ "$(testdev failures)" -gt "$failures" ]; }
check "a report of it fails" wait_until 20 fails
for _ in $(seq 10); do churn; done
in_range "a request that waits keeps to the back-off, attempts" \
	$(($(testdev failures) - failures)) 1 6
echo 0 >$dev/fail_every
fpr_set enabled 0
fpr_set enabled 1
check "and is answered after a new start" wait_until 20 testdev_is answered 10
echo 600000 >"$FPR_SYSFS/delay_ms"

# Pressure
wanted() { # LEVEL NAME
	echo "$1" >$dev/pressure && [ "$(fpr pressure)" = "$2" ]
}
check "critical" wanted 4 critical
before=$(reported)
churn
check "everything at once, in spite of the delay" wait_until 15 back "$before"
echo 2000 >"$FPR_SYSFS/delay_ms"
check "none" wanted 1 none
fpr_set flush 1
before=$(reported)
churn
sleep 6
equal "longer than the delay" "$(reported)" "$before"
check "high" wanted 3 high
check "what was waiting comes at once" wait_until 15 back "$before"
check "low" wanted 2 low
before=$(reported)
churn
check "as the delay says" wait_until 10 back "$before"
equal "the contract was kept" "$(testdev violations)" 0
check "another device may come" sh -c \
	"rmmod fpr_testdev && modprobe fpr_testdev no_answers=1"
equal "and says nothing of pressure" "$(fpr pressure)" unknown
served=$(fpr stats/requests)
echo "1 9" >$dev/request
check "one that wants no answer may ask" \
	wait_until 20 fpr_is stats/requests $((served + 1))
wakeups=$(fpr stats/wakeups)
sleep 1
in_range "and then there is quiet, runs" $(($(fpr stats/wakeups) - wakeups)) 0 20
check "unload, with a request waiting" sh -c \
	"echo 0 >$FPR_SYSFS/enabled; echo '1 9' >$dev/request; rmmod fpr_testdev && rmmod fpr"
