# shellcheck shell=dash
# SPDX-License-Identifier: GPL-2.0
# Sourced by compare.sh and compare-oom.sh.

# What the host wants to know, until it is done with this driver
serve() { # driver
	echo "sync $1"
	while read -r _ wish seconds; do
		case $wish in
		figures)
			echo figures-begin
			sed 's/^/vmstat /' /proc/vmstat
			sed 's/[: ]\{1,\}/ /g; s/^/meminfo /' /proc/meminfo
			echo figures-end
			;;
		cache)
			# The cache of a disk that nobody has open is dropped.
			exec 3</dev/vda
			cat <&3 >/dev/null
			echo cached
			;;
		settle)
			echo 3 >/proc/sys/vm/drop_caches
			echo settled
			;;
		wait)
			sleep "$seconds"
			echo waited
			;;
		hog)
			hog 700 1000 && echo hog-good || echo hog-bad
			;;
		*) return 0 ;;
		esac
	done
	return 1
}

# One driver after the other has the device
compare_drivers() {
	for driver in virtio_balloon virtio_fpr; do
		check "$driver loads" modprobe $driver
		check "and takes the device" wait_until 10 \
			test -e /sys/bus/virtio/drivers/$driver/virtio0
		serve $driver
		check "it unloads" rmmod $driver
	done
}
