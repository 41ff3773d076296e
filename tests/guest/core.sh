#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# Loading, parameters good and bad, sysfs against its documentation, unloading:
# without any device.
# vm: mem=512 smp=2 timeout=120 modules=fpr,fpr_testdev files=docs/abi/sysfs-kernel-fpr
# shellcheck disable=SC1091 # the path is the guest's
. /test/lib.sh
plan 64

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

# Every parameter, with every kind of nonsense that it can be given: at load and
# while loaded.  Each is refused, names the range, and changes nothing.
ranges="order:0:10 floor_order:0:10 delay_ms:10:600000 cold_ms:10:600000
threshold_kb:0:16777216 reserve_kb:0:536870912 hold_kb:4096:16777216 enabled:0:1"
nonsense() { # smallest largest
	[ "$1" = 0 ] || echo $(($1 - 1))
	echo $(($2 + 1))
	printf '%s\n' -1 4294967297 18446744073709551616 0xg 1e3 y
}
more_nonsense() { # takes longer, or is no argument of modprobe
	printf '%s\n' -0x1 4294967296 99999999999999999999 0x 1.5 1k 1,2 --1 ++1 true none '*' ünf \
		'' ' ' '1 2' ' 1' '1 '
}
named() { # name smallest largest; busybox tries each load twice
	dmesg | grep -o "fpr: $1 must be a number from $2 to $3, not \".*" | sort -u | wc -l
}
load_nonsense() { # name smallest largest
	dmesg -c >/dev/null
	nonsense "$2" "$3" >/tmp/nonsense
	while read -r value; do
		! modprobe fpr "$1=$value" 2>/dev/null || { echo "took $1=$value"; return 1; }
	done </tmp/nonsense
	equal_counts "$(wc -l </tmp/nonsense)" "$(named "$@")"
}
set_nonsense() { # name smallest largest
	dmesg -c >/dev/null
	set_before=$(fpr "$1")
	{ nonsense "$2" "$3"; more_nonsense; } >/tmp/nonsense
	while IFS= read -r value; do
		! fpr_set "$1" "$value" || { echo "took $1=$value"; return 1; }
	done </tmp/nonsense
	[ "$(fpr "$1")" = "$set_before" ] || { echo "$1 is $(fpr "$1")"; return 1; }
	equal_counts "$(wc -l </tmp/nonsense)" "$(named "$@")"
}
equal_counts() { [ "$1" = "$2" ] || { echo "$1 refused, $2 explained"; return 1; }; }

for range in $ranges; do
	# shellcheck disable=SC2046 # three words
	set -- $(echo "$range" | tr : ' ')
	check "load: $1 takes no nonsense" load_nonsense "$@"
done
refuse "allow_encrypted takes no nonsense" modprobe fpr allow_encrypted=perhaps
check "and the kernel says so" log_has "perhaps.*invalid for parameter.*allow_encrypted"
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

for range in $ranges; do
	# shellcheck disable=SC2046 # three words
	set -- $(echo "$range" | tr : ' ')
	check "set: $1 takes no nonsense" set_nonsense "$@"
done
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

# The documentation names every file, and every file it names is there; those of a
# device are the vendor test's.
awk '/^What:/ { print $2 }' /bin/sysfs-kernel-fpr | sort >/tmp/documented
find /sys/kernel/fpr -type f | sort >/tmp/present
check "sysfs is as documented" diff /tmp/documented /tmp/present
for file in /sys/kernel/fpr/stats/*; do
	grep -qE '^[0-9]+$' "$file" || echo "$file"
done >/tmp/odd
equal "every counter is a number" "$(cat /tmp/odd)" ""
check "unload" rmmod fpr
check "sysfs is gone" test ! -e /sys/kernel/fpr
