# shellcheck shell=dash
# SPDX-License-Identifier: GPL-2.0
# For oom*.sh: how much memory fits into a small guest without fpr, and that as
# much fits with it, while a slow device has as much as it is ever given.

kills() { awk '$1 == "oom_kill" { print $2 }' /proc/vmstat; }
# The kernel may kill another than the hog; that counts too.
fits() { # MiB
	kills_before=$(kills)
	hog "$1" 100 >/dev/null 2>&1 && [ "$(kills)" = "$kills_before" ]
}
# fits_often TIMES MIB COMMAND...: the command comes before each
fits_often() {
	often=$1 much=$2
	shift 2
	for _ in $(seq "$often"); do
		"$@" || return 1
		fits "$much" || return 1
	done
}
# All that is free becomes a candidate again; the first batch is that of a small
# zone.
held() {
	fpr_set enabled 0
	fpr_set enabled 1
	wait_until 20 fpr_above stats/held_pages 2000 &&
		diag "$(($(fpr stats/held_pages) / 256)) of $(($(meminfo MemFree) / 1024)) MiB with the device"
}

compare_oom() {
	settle
	most=$(($(meminfo MemAvailable) / 1024 - 32))
	while fits $most; do
		most=$((most + 6))
		[ $most -lt "$1" ] || break
	done
	in_range "without fpr a hog is killed at, MiB" $most 64 "$1"
	# That edge wanders, by more than 8 MiB on 6.12: down to what always fits, and
	# a distance that is small beside the 100 MiB that the device will have.
	while [ $most -gt 64 ]; do
		most=$((most - 8))
		! fits_often 3 $most true || break
	done
	in_range "fits three times, MiB" $most 64 "$1"
	most=$((most - 20))

	modprobe fpr delay_ms=10 threshold_kb=0 hold_kb=16777216
	modprobe fpr_testdev delay_ms=100
	check "all is reported" fpr_set flush 1
	for delay in 100 2000; do
		echo $delay >/sys/module/fpr_testdev/parameters/delay_ms
		check "$most MiB fit three times beside a device that takes $delay ms" \
			fits_often 3 $most held
	done
	check "unload" sh -c "rmmod fpr_testdev && rmmod fpr"
	check "and $most MiB fit again" fits_often 2 $most true
}
