#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# A balloon and hibernation, image written and resumed from in one boot: given back
# before, so that no image is made of it, and grown again after.
# vm: mem=512 smp=2 timeout=240 balloon=free-page-reporting=on
# vm: modules=fpr,virtio_fpr,virtio_balloon,virtio_blk files=memload,balloon-lib.sh,hibernate-lib.sh
# vm: disk=1024
# Before 6.4 "test_resume" does not work: the disk is busy.
# vm: kernels=6.12-cloud,6.12-generic,6.12-rt,6.12-debug,6.18-cloud,7.2-cloud,7.3-cloud
# shellcheck disable=SC1091 # the paths are the guest's
. /test/lib.sh
. /bin/balloon-lib.sh
. /bin/hibernate-lib.sh
plan 12

can_hibernate
check "the driver loads" load_driver
load 1
inflate_to $((160 * MIB))
for round in whole partial; do
	dmesg -c >/dev/null
	check "$round: hibernates and resumes" hibernate
	check "$round: from the image" from_image
	reached $((160 * MIB))
	equal "$round: a balloon again" "$(balloon_kb)" $((160 * MIB))
	[ $round = whole ] || continue
	ask 0
	reached 0
	partly $((160 * MIB))
done
check "memory is as it was written" load_ends
if ours_only 1; then
	equal "no error" "$(fpr stats/errors)" 0
fi
inflate_to 0
swapoff /dev/vda
check "unload" unload_driver
host_sync over >/dev/null
