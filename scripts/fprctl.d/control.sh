# shellcheck shell=sh
# SPDX-License-Identifier: GPL-2.0
# shellcheck disable=SC2154 # $write_error is that of common.sh
# Sourced by fprctl: fprctl flush, pause, resume.

flush_reason() {
	case $write_error in
	*'No such device'*) why=no-device ;;
	*'temporarily unavailable'*) why=paused ;;
	*'Input/output error'*) why=error ;;
	*Interrupted*) why=interrupted ;;
	*) why=$(rd "$CORE/state") ;;
	esac
	case $why in
	no-device) echo 'no device to report to: fprctl bind' ;;
	paused) echo 'reporting is paused: fprctl resume' ;;
	error | backoff) echo 'the device failed, memory stays with the guest: dmesg | grep fpr' ;;
	interrupted) echo 'interrupted before it was done' ;;
	*) echo "$write_error" ;;
	esac
}

cmd_flush() {
	[ $# = 0 ] || usage_error 'flush takes no arguments'
	need_core
	need_root flush
	bytes=$(stat_of reported_bytes)
	sysfs_write "$CORE/flush" 1 || die "flush: $(flush_reason)"
	bytes=$(($(stat_of reported_bytes) - bytes))
	now=$(($(stat_of reported_free_pages) * $(page_bytes)))
	echo "flushed: $(human "$bytes") reported, $(human "$now") reported now"
}

set_enabled() { # command value
	need_core
	need_root "$1"
	sysfs_write "$CORE/enabled" "$2" || die "$1: $write_error"
	case "$(rd "$CORE/enabled")" in
	"$2" | "$3") echo "state $(rd "$CORE/state")" ;;
	*) die "$1: the kernel did not take it: dmesg | grep fpr" ;;
	esac
}

cmd_pause() {
	[ $# = 0 ] || usage_error 'pause takes no arguments'
	set_enabled pause 0 N
}

cmd_resume() {
	[ $# = 0 ] || usage_error 'resume takes no arguments'
	set_enabled resume 1 Y
}
