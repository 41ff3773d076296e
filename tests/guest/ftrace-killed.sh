#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# ftrace has stopped for good while fpr was hooked, and does not let go of it: fpr
# stays loaded, since its code may still be called, and goes on by another hook.
# vm: mem=512 smp=2 timeout=120 modules=fpr,fpr_testdev,fpr_killftrace
# vm: alone="fpr cannot be unloaded any more"
# So it ends in a restart.
# shellcheck disable=SC1091 # the path is the guest's
. /test/lib.sh
plan 10

mkdir -p /mnt
mount -t tmpfs -o size=80% tmpfs /mnt
use() { dd if=/dev/zero of=/mnt/file bs=1M count=100 2>/dev/null && rm /mnt/file; }

modprobe fpr hook=auto threshold_kb=0
check "a device" modprobe fpr_testdev
equal "by ftrace" "$(fpr hook)" ftrace
check "ftrace stops" modprobe fpr_killftrace
check "a pause" fpr_set enabled 0
logged() { log_has 'fpr: hook ftrace cannot be disarmed'; }
check "the log says that fpr stays" wait_until 10 logged
check "reporting goes on" fpr_set enabled 1
refuse "by another hook" fpr_is hook ftrace
check "the device goes" rmmod fpr_testdev
refuse "fpr does not" rmmod fpr
check "memory can be used" use
echo "fpr-guest-run-complete"
reboot -f
