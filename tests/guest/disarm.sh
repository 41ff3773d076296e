#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# Unhooking waits for probes that run: a CPU is kept inside the tracepoint, and
# neither pausing nor unregistering returns before it has left.  Otherwise that
# probe would touch what unloading has freed.  It does not wait for a pass.
# vm: mem=256+ smp=2 timeout=60 modules=fpr,fpr_testdev,fpr_linger
# shellcheck disable=SC1091 # the path is the guest's
. /test/lib.sh
plan 13

parameters=/sys/module/fpr_linger/parameters
lingers() { [ "$(cat $parameters/lingering)" = "$1" ]; }

# while_lingering TEXT COMMAND...: the command returns after the probe
while_lingering() {
	text=$1
	shift
	echo 2000 >$parameters/ms
	check "a CPU is inside the tracepoint" wait_until 5 lingers Y
	check "$text" "$@"
	check "not before it has left" lingers N
}

check "the tracepoint can be held" modprobe fpr_linger
modprobe fpr hook=tracepoint
modprobe fpr_testdev
while_lingering "pause returns" fpr_set enabled 0
fpr_set enabled 1
while_lingering "unregistering returns" rmmod fpr_testdev
modprobe fpr_testdev
while_lingering "unloading returns" rmmod fpr_testdev fpr
rmmod fpr_linger
check "all is unloaded" test ! -e $parameters

# Unhooking ftrace waits until every task has slept, or said that it might have:
# the worker does so between two reports, of 4 MiB each.
modprobe fpr hook=ftrace delay_ms=10 hold_kb=4096
modprobe fpr_testdev busy_ms=300
check "a long pass begins" wait_until 5 fpr_is state reporting
reports=$(($(memfree_kb) / 4096))
fpr_set enabled 0
check "pausing does not wait for the rest of it" fpr_below stats/reports $((reports / 2))
diag "$(fpr stats/reports) of $reports reports"
