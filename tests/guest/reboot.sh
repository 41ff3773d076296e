#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# The guest restarts while a device that takes its time has memory: that memory is
# back before anything else may run in it, a kernel that kexec starts for one.
# Ends in the restart, and leaves the modules loaded: the host judges the rest.
# vm: mem=256 smp=2 timeout=60 modules=fpr,fpr_testdev
# vm: alone="the guest restarts"
# shellcheck disable=SC1091 # the path is the guest's
. /test/lib.sh
plan 3

modprobe fpr delay_ms=10 threshold_kb=0
check "a slow device" modprobe fpr_testdev delay_ms=4000
check "has memory" wait_until 10 fpr_above stats/held_pages 0
equal "is asked for no more than that" "$(fpr stats/reports)" 0
mark restart
echo "fpr-guest-run-complete"
reboot -f
