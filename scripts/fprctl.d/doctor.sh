# shellcheck shell=sh
# SPDX-License-Identifier: GPL-2.0
# shellcheck disable=SC2034 # $signing_matters is for doctor-kernel.sh
# Sourced by fprctl: fprctl doctor.

doctor_ok=0
doctor_warn=0
doctor_fail=0

ok() {
	printf 'ok    %s\n' "$*"
	doctor_ok=$((doctor_ok + 1))
}

warn() {
	printf 'warn  %s\n' "$*"
	doctor_warn=$((doctor_warn + 1))
}

fail() {
	printf 'fail  %s\n' "$*"
	doctor_fail=$((doctor_fail + 1))
}

check_root() {
	if is_root; then
		ok 'running as root'
	else
		fail 'not root, some answers below may be wrong: sudo fprctl doctor'
	fi
}

cmd_doctor() {
	[ $# = 0 ] || usage_error 'doctor takes no arguments'
	signing_matters=
	read_symbols
	check_root
	check_release
	check_config
	check_symbols
	check_tracepoint
	check_lockdown
	check_kprobes
	check_signing
	check_modules
	check_build
	check_poison
	check_encrypted
	check_devices
	check_state
	check_log
	echo "$doctor_ok ok, $doctor_warn warnings, $doctor_fail failed"
	[ "$doctor_fail" = 0 ]
}
