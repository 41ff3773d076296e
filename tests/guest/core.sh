#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# Loading, parameters good and bad, sysfs against its documentation, unloading:
# without any device.
# vm: mem=512 smp=2 timeout=120 modules=fpr,fpr_testdev files=docs/abi/sysfs-kernel-fpr
# shellcheck disable=SC1091 # the path is the guest's
. /test/lib.sh
plan 46

# bad NAME=VALUE RANGE: the load fails, and the log names the range
bad() {
	dmesg -c >/dev/null
	refuse "load with $1 is refused" modprobe fpr "$1"
	check "and the log says why: $2" log_has "fpr: .*$2"
}

bad order=11 "order must be a number from 0 to 10"
bad order=-1 "order must be a number from 0 to 10"
bad delay_ms=9 "delay_ms must be a number from 10 to 600000"
bad delay_ms=soon 'delay_ms must be a number from 10 to 600000, not "soon"'
bad hold_kb=1 "hold_kb must be a number from 4096 to 16777216"
bad threshold_kb=99999999999 "threshold_kb must be a number from 0 to 16777216"
bad enabled=2 "enabled must be a number from 0 to 1"
bad hook=magic "hook must be auto, tracepoint, tracepoint.drain, ftrace, kprobe or none"
check "nothing is left of a refused load" test ! -e /sys/kernel/fpr

check "load with good parameters" modprobe fpr order=4 delay_ms=200 hold_kb=8192
equal "order is as given" "$(fpr order)" 4
equal "delay_ms is as given" "$(fpr delay_ms)" 200
equal "hold_kb is as given" "$(fpr hold_kb)" 8192
check "a hook has been proven" test "$(fpr hook)" != none
equal "no device yet" "$(fpr state) $(fpr device)" "no-device none"
equal "module parameters show what is in effect" \
	"$(cat /sys/module/fpr/parameters/order)" 4
refuse "a second load is refused" insmod "$(modinfo -F filename fpr 2>/dev/null ||
	find /lib/modules -name fpr.ko | head -n 1)"

# set_bad NAME VALUE: refused with EINVAL, and the old value stays
set_bad() {
	old=$(fpr "$1")
	refuse "$1 does not take '$2'" fpr_set "$1" "$2"
	equal "$1 keeps its value" "$(fpr "$1")" "$old"
}

set_bad order 11
set_bad delay_ms 0
set_bad delay_ms ""
set_bad threshold_kb 1e3
set_bad hold_kb 0
set_bad enabled maybe
check "order takes a good value" fpr_set order 10
check "and hexadecimal" fpr_set delay_ms 0x100
equal "which is meant so" "$(fpr delay_ms)" 256
refuse "flush wants a yes" fpr_set flush 0
refuse "flush without a device fails" fpr_set flush 1

# The documentation names every file, and every file it names is there.
awk '/^What:/ { print $2 }' /bin/sysfs-kernel-fpr | sort >/tmp/documented
find /sys/kernel/fpr -type f | sort >/tmp/present
check "sysfs is as documented" diff /tmp/documented /tmp/present
for file in /sys/kernel/fpr/stats/*; do
	grep -qE '^[0-9]+$' "$file" || echo "$file"
done >/tmp/odd
equal "every counter is a number" "$(cat /tmp/odd)" ""
check "unload" rmmod fpr
check "sysfs is gone" test ! -e /sys/kernel/fpr
