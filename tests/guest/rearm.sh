#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# The hook that was chosen at load cannot be armed when it is needed: ftrace has been
# switched off meanwhile.  Another one takes its place, and what is freed is reported.
# vm: mem=512 smp=2 timeout=120 modules=fpr,fpr_testdev
# shellcheck disable=SC1091 # the path is the guest's
. /test/lib.sh
switch=/proc/sys/kernel/ftrace_enabled
[ -e $switch ] || skip_all "ftrace is switched off" "this kernel has no such switch"
plan 14

mkdir -p /mnt
mount -t tmpfs -o size=80% tmpfs /mnt
reports() {
	dd if=/dev/zero of=/mnt/file bs=1M count=128 2>/dev/null
	reports_before=$(fpr stats/reported_pages)
	rm /mnt/file
	wait_until 10 fpr_above stats/reported_pages $((reports_before + 96 * 256))
}
# On one processor: who takes the hook off does not get to it in between.
at_once() { taskset 1 sh -c "echo 0 >$FPR_SYSFS/enabled && echo 1 >$FPR_SYSFS/enabled"; }
off() { echo 0 2>/dev/null >$switch; }

check "fpr loads" modprobe fpr threshold_kb=0
equal "with ftrace" "$(fpr hook)" ftrace
check "ftrace is switched off" off
check "a device can be had all the same" modprobe fpr_testdev
refuse "by another hook" fpr_is hook ftrace
diag "$(fpr hook)"
check "the log says why" log_has 'fpr: hook ftrace is switched off.* by now'
check "all is reported" fpr_set flush 1
check "and what is freed" reports
check "fpr unloads" sh -c "rmmod fpr_testdev && rmmod fpr"
echo 1 >$switch

modprobe fpr hook=ftrace threshold_kb=0
off
check "a device can be had where ftrace alone is allowed" modprobe fpr_testdev
equal "without a hook" "$(fpr hook)" none
echo 1 >$switch
check "until reporting is switched off and on again" at_once
equal "then it is back" "$(fpr hook)" ftrace
check "and unloads" sh -c "rmmod fpr_testdev && rmmod fpr"
