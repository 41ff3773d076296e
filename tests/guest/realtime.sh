#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# A real-time thread owns a processor, for a minute: nobody who flushes, pauses,
# resumes or unbinds meanwhile waits for it.
# vm: mem=512 smp=2 timeout=300 modules=fpr,fpr_testdev files=rtbusy append=isolcpus=1
# vm: alone="what waits for the processor may be left"
# shellcheck disable=SC1091 # the path is the guest's
. /test/lib.sh
plan 11

# within MS COMMAND...: that it takes no longer
within() {
	within_ms=$(slow "$1")
	shift
	within_begin=$(uptime_ms)
	"$@" || return 1
	within_took=$(($(uptime_ms) - within_begin))
	echo "took $within_took ms"
	[ "$within_took" -le "$within_ms" ]
}
busy() { kill -0 $owner 2>/dev/null; }
testdev() { cat "/sys/module/fpr_testdev/parameters/$1"; }

check "a device" modprobe fpr_testdev
diag "hook $(fpr hook)"
check "all is reported" fpr_set flush 1
# Else it leaves a twentieth of the time to others.
echo -1 >/proc/sys/kernel/sched_rt_runtime_us
rtbusy 1 60 >/tmp/busy &
owner=$!
wait_until 10 grep -q busy /tmp/busy
sleep 1
check "a flush ends" within 5000 fpr_set flush 1
check "a pause" within 2000 fpr_set enabled 0
equal "it has begun" "$(fpr state)" paused
equal "nothing is with the device" "$(fpr stats/held_pages)" 0
# The kernel's own part of unloading a module waits for that processor, in 5.10.
rmmod fpr_testdev &
unloading=$!
check "the device goes" wait_until 5 fpr_is device none
check "figures can be read" within 1000 fpr stats/reported_free_pages
check "all that beside it" busy
kill $owner
wait $owner $unloading
check "then a device can be had" modprobe fpr_testdev
check "and reports" fpr_set enabled 1
