# shellcheck shell=dash
# SPDX-License-Identifier: GPL-2.0
# For *hibernate.sh: hibernation to the guest's disk, resumed from in the same boot.

# can_hibernate: the disk becomes swap space; bails out where that cannot be
can_hibernate() {
	modprobe virtio_blk || bail "no disk"
	wait_until 10 test -b /dev/vda || bail "no disk"
	mkswap /dev/vda >/dev/null || bail "no swap"
	swapon /dev/vda || bail "no swap"
	grep -q disk /sys/power/state || bail "this kernel cannot hibernate"
	echo test_resume >/sys/power/disk || bail "this kernel cannot try hibernation"
	# It looks for an image there, once, and finds none.
	cat /sys/block/vda/dev >/sys/power/resume 2>/dev/null
	return 0
}
hibernate() { echo disk >/sys/power/state; }

# The log is part of the image, which was made before it was written.
from_image() { log_has "hibernation entry" && ! log_has "Image saving"; }
