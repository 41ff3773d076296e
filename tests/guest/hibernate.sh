#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# Hibernation, image written and resumed from in one boot: memory comes back as
# it was, what was free is reported anew, and loading and unloading go on.
# vm: mem=512 smp=2 timeout=240 balloon=free-page-reporting=on
# vm: modules=fpr,virtio_fpr,virtio_blk files=memload disk=1024
# Before 6.4 "test_resume" does not work: the disk is busy.
# vm: kernels=6.12-cloud,6.12-generic,6.12-rt,6.12-debug,6.18-cloud,7.2-cloud,7.3-cloud
# shellcheck disable=SC1091 # the path is the guest's
. /test/lib.sh
plan 13

mkdir -p /mnt
mount -t tmpfs -o size=80% tmpfs /mnt
modprobe virtio_blk || bail "no disk"
wait_until 10 test -b /dev/vda || bail "no disk"
mkswap /dev/vda >/dev/null || bail "no swap"
swapon /dev/vda || bail "no swap"
grep -q disk /sys/power/state || bail "this kernel cannot hibernate"
echo test_resume >/sys/power/disk || bail "this kernel cannot try hibernation"
# It looks for an image there, once, and finds none.
cat /sys/block/vda/dev >/sys/power/resume 2>/dev/null

# The log is part of the image, which was made before it was written.
from_image() { dmesg | grep -q "hibernation entry" && ! dmesg | grep -q "Image saving"; }
hibernate() { echo disk >/sys/power/state; }
modprobe fpr delay_ms=500 threshold_kb=0
check "the driver loads" modprobe virtio_fpr
for round in 1 2; do
	memload 600 200 2 /mnt $round >/tmp/memload.log 2>&1 &
	load=$!
	sleep 2
	check "$round: all is reported" fpr_set flush 1
	dmesg -c >/dev/null
	check "$round: hibernates and resumes" hibernate
	check "$round: from the image" from_image
	kill $load
	check "$round: memory is as it was written" wait $load
	reported=$(fpr stats/reported_pages)
	check "$round: what that freed is reported" \
		wait_until 30 fpr_above stats/reported_pages $((reported + 10000))
done
equal "no error" "$(fpr stats/errors)" 0
swapoff /dev/vda
check "unload" sh -c "rmmod virtio_fpr && rmmod fpr"
