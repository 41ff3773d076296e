# shellcheck shell=dash disable=SC2034,SC2154 # shared with torture.sh
# SPDX-License-Identifier: GPL-2.0
# For torture.sh and its actors: random numbers, counting, and the modules.
# Nothing in the actors' inner loops starts a process that need not.

SYS_TESTDEV=/sys/module/fpr_testdev/parameters
SYS_BADHOST=/sys/module/fpr_badhost/parameters
SYS_VIRTIO=/sys/bus/virtio

# rnd N: a number below N, in r
rnd() {
	rnd_state=$(((rnd_state * 1103515245 + 12345) & 0x7fffffff))
	r=$(((rnd_state >> 5) % $1))
}

# between LOW HIGH: a number from LOW to HIGH, in r
between() {
	rnd $(($2 - $1 + 1))
	r=$((r + $1))
}

# one_of WORD...: a word, in r
one_of() {
	rnd $#
	shift "$r"
	r=$1
}

# did NAME [WHAT]: counts an action and says so
did() {
	eval "n_$1=\$((\${n_$1:-0} + 1))"
	case " $done_names " in
	*" $1 "*) ;;
	*) done_names="$done_names $1" ;;
	esac
	echo "# $actor_name $*"
}

# wrong TEXT: something that must not be
wrong() {
	echo "$actor_name: $*" >>/tmp/wrong
	echo "# WRONG $actor_name: $*"
}

# count NAME VALUE: adds to a figure of the end
count() { echo "$1 $2" >>"/tmp/counts.$actor_name"; }

# write VALUE FILE: the status tells whether it was taken
write() { echo "$1" 2>/dev/null >"$2"; } 2>/dev/null

uses() { [ "$DEVICES" = both ] || [ "$DEVICES" = "$1" ]; }

# value FILE: what is in it, in v, or 0
value() {
	v=0
	[ ! -e "$1" ] || read -r v <"$1" || v=0
} 2>/dev/null

vmstat() { awk -v name="$1" '$1 == name { n = $2 } END { print n + 0 }' /proc/vmstat; }
in_balloon() { echo $(($(vmstat balloon_inflate) - $(vmstat balloon_deflate))); }

in_balloon_is() { [ "$(in_balloon)" = "$1" ]; }

available_kb() {
	while read -r name kb _; do
		[ "$name" = MemAvailable: ] && break
	done </proc/meminfo
}

# The balloon device as the virtio bus knows it now, in v; empty without one
balloon() {
	v=
	for device in "$SYS_VIRTIO"/devices/*; do
		[ -e "$device/device" ] && read -r kind <"$device/device" &&
			[ "$kind" = 0x0005 ] && v=${device##*/}
	done
} 2>/dev/null

# load_core [PARAMETER=VALUE...]
load_core() { insmod /modules/fpr.ko delay_ms=10 threshold_kb=0 "$@"; }

load_device() { # [fpr_testdev | virtio_fpr]
	case ${1:-$DEVICES} in
	fpr_testdev)
		rnd 2147483647
		insmod /modules/fpr_testdev.ko random_delay_ms=20 fail_one_in=15 seed="$r"
		;;
	*)
		rnd 128
		write "$r" "$SYS_BADHOST/faults"
		write 6 "$SYS_BADHOST/one_in"
		insmod /modules/virtio_fpr.ko report_timeout_ms=1000
		;;
	esac
}

# unload NAME: if it is there; counts what it knows
unload() {
	[ -d "/sys/module/$1" ] || return 0
	case $1 in
	fpr)
		for stat in reported_pages reports errors passes sweeps drains recycled_blocks; do
			value "/sys/kernel/fpr/stats/$stat"
			count $stat "$v"
		done
		;;
	fpr_testdev)
		value $SYS_TESTDEV/pages
		count overwritten_pages "$v"
		value $SYS_TESTDEV/failures
		count testdev_failures "$v"
		count faults "$v"
		value $SYS_TESTDEV/violations
		count violations "$v"
		;;
	esac
	rmmod "$1" && return 0
	wrong "$1 cannot be unloaded"
	return 1
}

unload_all() {
	unload virtio_fpr
	unload fpr_testdev
	unload virtio_balloon
	unload fpr
	[ ! -e /sys/kernel/fpr ]
}

# ---- the end

all_gone() {
	for pid; do
		[ ! -d "/proc/$pid" ] || grep -q '^State:.*Z' "/proc/$pid/status" || return 1
	done
}

who_hangs() {
	for task in /proc/[0-9]*; do
		grep -q 'State:.*D' "$task/status" || grep -q 'fpr' "$task/stack" || continue
		echo "# hangs: $(cat "$task/comm")"
		sed 's/^/#   /' "$task/stack"
	done
	echo "# fpr: $(grep -r . /sys/kernel/fpr 2>/dev/null | tr '\n' ' ')"
}

# What actors may have left: CPUs and memory away, pools, watermarks
put_back() {
	for file in /sys/devices/system/cpu/cpu*/online; do
		[ ! -e "$file" ] || echo 1 >"$file"
	done
	memory_online
	for file in /sys/kernel/mm/hugepages/*/nr_hugepages; do
		[ ! -e "$file" ] || echo 0 >"$file"
	done
	[ -z "$min_free" ] || echo "$min_free" >/proc/sys/vm/min_free_kbytes
	echo 0 >$SYS_BADHOST/faults
}

no_virtio_mem() { ! grep -q '(virtio_mem)' /proc/iomem; }

# gather: what is counted in the test modules that stay
gather() {
	echo "faults $(tr ',' '+' <$SYS_BADHOST/injected)" | awk '{ n = split($2, f, "+")
		split("late spurious never twice again foreign beyond", name)
		for (i = 1; i <= n; i++) { print "fault_" name[i], f[i]; print "faults", f[i] } }' \
		>/tmp/counts.faults
	awk '/verified$/ { print "verified_MiB", $5 }' /tmp/memload.log /tmp/kload.log >/tmp/counts.loads
}

# sum NAME
sum() { cat /tmp/counts.* | awk -v name="$1" '$1 == name { n += $2 } END { print n + 0 }'; }

figures() {
	cat /tmp/counts.* | awk '{ n[$1] += $2 } END { for (name in n) print "# figure " name, n[name] }' | sort
}
