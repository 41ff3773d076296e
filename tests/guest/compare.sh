#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# virtio_fpr on the balloon device does what virtio_balloon does: the host does the
# same with each of them, and compares what it sees.
# vm: mem=1024 smp=2 timeout=600 balloon=free-page-reporting=on
# vm: modules=virtio_balloon,virtio_fpr files=hog disk=128
# vm: load=virtio_pci,virtio_blk
# shellcheck disable=SC1091 # the path is the guest's
. /test/lib.sh
plan 6

# What the host wants to know, until it is done with this driver
serve() { # driver
	echo "sync $1"
	# shellcheck disable=SC3045 # busybox has read -t
	while read -r -t "$(slow 300)" _ wish _; do
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
		hog)
			hog 4096 1000 40960 && echo hog-good || echo hog-bad
			;;
		*) return 0 ;;
		esac
	done
	return 1
}

for driver in virtio_balloon virtio_fpr; do
	check "$driver loads" modprobe $driver
	check "and takes the device" wait_until 10 \
		test -e /sys/bus/virtio/drivers/$driver/virtio0
	serve $driver
	check "it unloads" rmmod $driver
done
