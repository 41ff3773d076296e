#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# Each hook kind: armed, proven, and what is freed is reported long before the
# sweep would find it; and kinds that are switched off are named and refused.
# vm: mem=512 smp=2 timeout=180 modules=fpr,fpr_testdev
# shellcheck disable=SC1091 # the path is the guest's
. /test/lib.sh
plan 47

mkdir -p /mnt
mount -t tmpfs -o size=80% tmpfs /mnt
pages=$((96 * 256))

# reports SECONDS: 128 MiB are freed, and most are reported in that time (the
# first of a file fill holes in blocks that stay in use)
reports() {
	dd if=/dev/zero of=/mnt/file bs=1M count=128 2>/dev/null
	# The sweep has to see it in use, or nothing has changed when it looks again.
	[ "$(fpr hook)" != none ] || sleep 4
	reports_before=$(fpr stats/reported_pages)
	rm /mnt/file
	wait_until "$1" fpr_above stats/reported_pages $((reports_before + pages)) && return
	echo "reported: $(($(fpr stats/reported_pages) - reports_before)) pages"
	return 1
}

for hook in tracepoint tracepoint+drain ftrace kprobe none; do
	check "hook=$hook loads" modprobe fpr hook=$hook threshold_kb=0
	equal "hook=$hook is shown" "$(fpr hook)" $hook
	check "hook=$hook has a device" modprobe fpr_testdev
	check "hook=$hook: all that is free is reported first" fpr_set flush 1
	check "hook=$hook: what is freed is reported" reports 10
	sweeps=$(fpr stats/sweeps)
	if [ $hook = none ]; then
		in_range "hook=$hook: by a sweep" "$sweeps" 1 100
	elif [ "$(slow 1)" = 1 ]; then
		equal "hook=$hook: not by a sweep" "$sweeps" 0
	else
		skip "hook=$hook: not by a sweep" "flushing takes longer than until a sweep"
	fi
	# Kprobes do not nest: what an interrupt frees within a probe is missed, and
	# left to the sweep.  That is counted, and rare; the others miss nothing.
	[ $hook = kprobe ] && most=$((pages / 100)) || most=0
	in_range "hook=$hook: next to nothing was missed" \
		"$(fpr stats/missed_events)" 0 "$most"
	check "hook=$hook unloads" sh -c "rmmod fpr_testdev && rmmod fpr"
done

# Switched off: the kind is named, another one is taken or the load fails.
kprobes=/sys/kernel/debug/kprobes/enabled
if [ -e $kprobes ]; then
	echo 0 >$kprobes
	dmesg -c >/dev/null
	refuse "kprobes off: hook=kprobe is refused" modprobe fpr hook=kprobe
	check "and the log says why" log_has "fpr: hook kprobe .*did not fire"
	check "kprobes off: another kind is found" modprobe fpr
	rmmod fpr
	echo 1 >$kprobes
else
	for text in "kprobes off" "the log" "another kind"; do
		skip "$text" "no switch in this kernel"
	done
fi
if echo 0 2>/dev/null >/proc/sys/kernel/ftrace_enabled; then
	dmesg -c >/dev/null
	refuse "ftrace off: hook=ftrace is refused" modprobe fpr hook=ftrace
	check "and the log says why" log_has "fpr: hook ftrace is switched off"
	echo 1 >/proc/sys/kernel/ftrace_enabled
else
	skip "ftrace off" "this kernel has no such switch"
	skip "the log" "likewise"
fi
modprobe fpr hook=ftrace && modprobe fpr_testdev
refuse "an armed ftrace hook cannot be switched off" \
	sh -c "echo 0 2>/dev/null >/proc/sys/kernel/ftrace_enabled"
check "unload" sh -c "rmmod fpr_testdev && rmmod fpr"
