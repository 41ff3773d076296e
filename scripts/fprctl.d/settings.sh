# shellcheck shell=sh
# SPDX-License-Identifier: GPL-2.0
# shellcheck disable=SC2154 # $write_error is that of common.sh
# Sourced by fprctl: fprctl set, fprctl get.

# Parameters: name, smallest, largest, unit, where, when it can be set.
param_table() {
	cat <<END
order 0 10 - core live
floor_order 0 10 - core live
delay_ms 10 600000 ms core live
cold_ms 10 600000 ms core live
threshold_kb 0 16777216 KiB core live
reserve_kb 0 536870912 KiB core live
hold_kb 4096 16777216 KiB core live
enabled 0 1 - core live
hook - - - core load
force - - - module:fpr load
allow_encrypted - - - module:fpr load
report_timeout_ms 100 100000 ms module:virtio_fpr live
END
}

STATS='reported_pages reported_bytes reported_free_pages reports segments errors
isolate_failed recycled_blocks saved_blocks kept_blocks candidate_blocks missed_events
marks held_pages passes wakeups sweeps drains requests last_pass_us max_lock_hold_ns'
STATES='state device pressure'
VENDOR='granule_bytes discarded_bytes refused_bytes' # only fpr's own device has them
# Only the balloon device has these.
BALLOON='balloon_target_bytes balloon_bytes balloon_chunk_bytes balloon_oom_bytes hinted_bytes'

# Set min, max, unit, when and path for a parameter.
param() { # name
	line=$(param_table | awk -v name="$1" '$1 == name')
	[ -n "$line" ] || return 1
	# shellcheck disable=SC2086 # a line of six words
	set -- $line
	min=$2 max=$3 unit=$4 when=$6
	[ "$unit" != - ] || unit=
	case $5 in
	core) path=$CORE/$1 ;;
	*) path=$SYS/module/${5#module:}/parameters/$1 ;;
	esac
}

params() { param_table | awk -v w="$1" '$6 ~ w { printf "%s ", $1 }'; }
range_text() { echo "range $min to $max${unit:+ $unit}"; }

cmd_set() {
	[ $# = 2 ] || usage_error "set takes NAME VALUE; names: $(params live)"
	param "$1" || usage_error "unknown parameter $1; there are: $(params live)"
	if [ "$when" = load ]; then
		die "$1 is given when the module is loaded: modprobe fpr $1=$2"
	fi
	is_number "$2" || die "$1: $2 is not a whole number; $(range_text)"
	if [ "${#2}" -gt 9 ] || [ "$2" -lt "$min" ] || [ "$2" -gt "$max" ]; then
		die "$1: $2 is out of range; $(range_text)"
	fi
	need_core
	need_root "set $1 $2"
	[ -e "$path" ] || die "$1: $path does not exist: is virtio_fpr loaded? fprctl bind"
	old=$(rd "$path")
	sysfs_write "$path" "$2" || case $write_error in
	*'Invalid argument'* | *range*) die "$1: the kernel refuses $2; $(range_text)" ;;
	*) die "$1: $write_error; $(range_text)" ;;
	esac
	echo "$1 $old -> $(rd "$path")${unit:+ $unit}"
}

# Set $path, and $unit, for anything that can be read.
readable() { # name
	unit=
	if among "$1" "$STATES"; then
		path=$CORE/$1
	elif among "$1" "$STATS"; then
		path=$CORE/stats/$1
	elif among "$1" "$VENDOR"; then
		path=$VIRTIO/devices/$(rd "$CORE/device")/fpr/$1
	elif among "$1" "$BALLOON"; then
		path=
		for balloon_dev in $(taken); do
			[ ! -r "$VIRTIO/devices/$balloon_dev/fpr/$1" ] ||
				path=$VIRTIO/devices/$balloon_dev/fpr/$1
		done
		path=${path:-$VIRTIO/devices/none/fpr/$1}
	else
		param "$1"
	fi
}

get_all() {
	for get_name in $(params .) $STATES $STATS $VENDOR $BALLOON; do
		readable "$get_name"
		[ -r "$path" ] && echo "$get_name $(rd "$path")${unit:+ $unit}"
	done
	return 0
}

cmd_get() {
	[ $# -le 1 ] || usage_error 'get takes one NAME, or none for all'
	need_core
	if [ $# = 0 ]; then
		get_all
		return
	fi
	readable "${1#stats/}" || usage_error "unknown name $1; there are:" \
		"$(params .)$STATES $(in_words "$STATS") $VENDOR $BALLOON"
	[ -r "$path" ] || die "$1: $path cannot be read: is its module loaded, and is it of this device?"
	rd "$path"
}
