# shellcheck shell=dash
# SPDX-License-Identifier: GPL-2.0
#
# KTAP for scripts that run in a guest under busybox sh.  A script begins
#
#	. /test/lib.sh
#	plan 3
#
# and prints exactly that many points with ok, not_ok, check or skip.  A failed
# point does not end the script; "bail WHY" does.

KTAP_POINT=0
FPR_SYSFS=/sys/kernel/fpr

# plan N: announces the number of points
plan() {
	echo "KTAP version 1"
	echo "1..$1"
}

# ok TEXT, not_ok TEXT: one point
ok() {
	KTAP_POINT=$((KTAP_POINT + 1))
	echo "ok $KTAP_POINT - $*"
}

not_ok() {
	KTAP_POINT=$((KTAP_POINT + 1))
	echo "not ok $KTAP_POINT - $*"
	return 0
}

# skip TEXT REASON: a point that cannot be tested here
skip() {
	KTAP_POINT=$((KTAP_POINT + 1))
	echo "ok $KTAP_POINT - $1 # SKIP $2"
}

# skip_all TEXT REASON: instead of a plan, where nothing of a script can be tested: one
# point, and the script ends.  A companion that waits is told so before: host_sync over.
skip_all() {
	plan 1
	skip "$@"
	exit 0
}

# diag TEXT: a remark in the log
diag() { echo "# $*"; }

# bail TEXT: going on makes no sense
bail() {
	echo "Bail out! $*"
	exit 1
}

# check TEXT COMMAND...: a point that is ok when the command succeeds; what it
# prints goes into the log
check() {
	check_text=$1
	shift
	if "$@" >/tmp/.check 2>&1; then
		check_status=0
		ok "$check_text"
	else
		check_status=$?
		not_ok "$check_text"
		diag "'$*' ended with status $check_status"
	fi
	sed 's/^/# /' /tmp/.check
	return 0
}

# refuse TEXT COMMAND...: a point that is ok when the command fails
refuse() {
	refuse_text=$1
	shift
	check "$refuse_text" fails "$@"
}

fails() { ! "$@"; }

# equal TEXT A B: a point that is ok when both are the same
equal() {
	if [ "$2" = "$3" ]; then
		ok "$1"
	else
		not_ok "$1"
		diag "got '$2', expected '$3'"
	fi
}

# in_range TEXT VALUE LOW HIGH: a point that is ok when LOW <= VALUE <= HIGH
in_range() {
	if [ "$2" -ge "$3" ] 2>/dev/null && [ "$2" -le "$4" ]; then
		ok "$1 ($2, $3 to $4)"
	else
		not_ok "$1"
		diag "got '$2', expected $3 to $4"
	fi
}

# slow N: a time N, longer on kernels that are known to be slow
slow() { echo $(($1 * ${FPR_SLOW:-1})); }

# with_device: whether a report is with the device now
with_device() {
	[ -e $FPR_SYSFS/state ] && read -r device_state <$FPR_SYSFS/state &&
		[ "$device_state" = reporting ]
}

# wait_until SECONDS COMMAND...: repeats the command until it succeeds; fails
# when the time is over.  While a report is with the device nobody's time passes but
# the host's, which may be busy.  Tells the log when it took a good part of it.
wait_until() {
	wait_ms=$(($(slow "$1") * 1000))
	wait_took=0
	shift
	while :; do
		wait_begin=$(uptime_ms)
		wait_status=0
		"$@" >/dev/null 2>&1 || wait_status=1
		if [ $wait_status = 0 ] || [ $wait_took -ge $wait_ms ]; then
			break
		fi
		usleep 50000
		with_device || wait_took=$((wait_took + $(uptime_ms) - wait_begin))
	done
	[ $((wait_took * 5)) -lt $wait_ms ] ||
		echo "# waited $wait_took of $wait_ms ms: $*" >&2
	return "$wait_status"
}

# nap MS: waits in the shell itself, since a process that ends frees memory
[ -e /tmp/never ] || mkfifo /tmp/never
nap() {
	nap_ms=$(($1 % 1000 + 1000))
	# shellcheck disable=SC3045 # busybox has read -t
	read -r -t "$(($1 / 1000)).${nap_ms#1}" _ <>/tmp/never
	return 0
}

# uptime_ms: milliseconds since boot, in steps of 10
uptime_ms() {
	read -r uptime_now _ </proc/uptime
	uptime_s=${uptime_now%.*}
	uptime_cs=${uptime_now#*.}
	echo $((uptime_s * 1000 + ${uptime_cs#0} * 10))
}

# fpr NAME: value of a file below /sys/kernel/fpr ("order", "stats/reports")
fpr() { cat "$FPR_SYSFS/$1"; }

# fpr_set NAME VALUE: writes one; the status tells whether it was taken
fpr_set() { echo "$2" 2>/dev/null >"$FPR_SYSFS/$1"; }

# fpr_is NAME VALUE: for wait_until and check
fpr_is() { [ "$(fpr "$1")" = "$2" ]; }

# fpr_above, fpr_below NAME VALUE: likewise, for counters that grow
fpr_above() { [ "$(fpr "$1")" -gt "$2" ]; }
fpr_below() { [ "$(fpr "$1")" -lt "$2" ]; }

# meminfo NAME: a line of /proc/meminfo in KiB
meminfo() { awk -v name="$1:" '$1 == name { print $2 }' /proc/meminfo; }

# memfree_kb: what is free, on the free lists or on a CPU's own, which MemFree
# leaves out: up to tens of MiB that come and go; not while they do
memfree_kb() {
	for _ in 1 2 3 4 5; do
		free_kb=$(meminfo MemFree)
		percpu_pages=$(awk '$1 == "count:" { n += $2 } END { print n + 0 }' /proc/zoneinfo)
		moved_kb=$(($(meminfo MemFree) - free_kb))
		[ ${moved_kb#-} -gt 1024 ] || break
	done
	echo $((free_kb + percpu_pages * 4))
}

# memory_back TEXT BEFORE MORE: a point that is ok when as much is free as BEFORE,
# KiB: up to 8 MiB less, and what this kernel's own checks are known to keep, and
# up to MORE KiB more
memory_back() {
	keeps=$(($(meminfo MemTotal) * ${FPR_KEEPS:-0} / 100))
	in_range "$1" "$(memfree_kb)" $(($2 - 8192 - keeps)) $(($2 + $3 + keeps))
}

# settle: everything that can go back to the allocator without harm does
settle() {
	sync
	echo 3 >/proc/sys/vm/drop_caches
	echo 1 >/proc/sys/vm/compact_memory
}

# log_has PATTERN: the kernel log has such a line (extended expression)
log_has() { dmesg | grep -qE "$1"; }

# mark TEXT: a line for the host, in the kernel log as well
mark() {
	echo "mark $1" >/dev/kmsg
	echo "mark $1"
}

# host_sync MARKER [SECONDS]: prints "sync MARKER" and waits for the answer of
# the host's companion (vm.answer); prints what it said.  It waits until the host
# answers, or the run's time is over, and fails if the companion has come to its end;
# SECONDS mean nothing any more.
host_sync() {
	echo "sync $1" >&2
	while read -r sync_go sync_marker sync_text; do
		case $sync_go,$sync_marker in
		go,"$1")
			echo "$sync_text"
			return 0
			;;
		end,) return 1 ;;
		esac
	done
	return 1
}
