#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# Unhooking waits for probes that run: a CPU is kept inside the tracepoint, and unloading
# does not return before it has left.  Otherwise that probe would touch what unloading
# has freed.  Pausing and unregistering wait for nobody, also not for the rest of a pass.
# vm: mem=256+ smp=2 timeout=60 modules=fpr,fpr_testdev,fpr_linger
# shellcheck disable=SC1091 # the path is the guest's
. /test/lib.sh
plan 13

parameters=/sys/module/fpr_linger/parameters
lingers() { [ "$(cat $parameters/lingering)" = "$1" ]; }

# while_lingering TEXT COMMAND...: the command returns while a CPU is in the probe
while_lingering() {
	text=$1
	shift
	echo 2000 >$parameters/ms
	check "a CPU is inside the tracepoint" wait_until 5 lingers Y
	check "$text" "$@"
}

check "the tracepoint can be held" modprobe fpr_linger
modprobe fpr hook=tracepoint
modprobe fpr_testdev
while_lingering "pause returns" fpr_set enabled 0
check "while it is there" lingers Y
wait_until 10 lingers N
fpr_set enabled 1
# Unloading the device's module does wait, in the kernel.
unregisters() {
	rmmod fpr_testdev &
	unloading=$!
	wait_until 5 fpr_is device none
}
while_lingering "unregistering returns" unregisters
check "while it is there" lingers Y
wait "$unloading"
wait_until 10 lingers N
modprobe fpr_testdev
while_lingering "unloading returns" rmmod fpr_testdev fpr
check "not before it has left" lingers N
rmmod fpr_linger
check "all is unloaded" test ! -e $parameters

# Reports of 4 MiB each
modprobe fpr hook=ftrace delay_ms=10 hold_kb=4096
modprobe fpr_testdev busy_ms=300
check "a long pass begins" wait_until 5 fpr_is state reporting
reports=$(($(memfree_kb) / 4096))
fpr_set enabled 0
check "pausing does not wait for the rest of it" fpr_below stats/reports $((reports / 2))
diag "$(fpr stats/reports) of $reports reports"
