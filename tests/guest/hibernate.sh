#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# Hibernation, image written and resumed from in one boot: memory comes back as
# it was, what was free is reported anew, and loading and unloading go on.
# vm: mem=512 smp=2 timeout=240 balloon=free-page-reporting=on
# vm: modules=fpr,virtio_fpr,virtio_blk files=memload,hibernate-lib.sh disk=1024
# Before 6.4 "test_resume" does not work: the disk is busy.
# vm: kernels=6.12-cloud,6.12-generic,6.12-rt,6.12-debug,6.18-cloud,7.2-cloud,7.3-cloud
# shellcheck disable=SC1091 # the paths are the guest's
. /test/lib.sh
. /bin/hibernate-lib.sh
plan 13

mkdir -p /mnt
mount -t tmpfs -o size=80% tmpfs /mnt
can_hibernate
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
