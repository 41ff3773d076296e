#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# A host that gets to a report only after the time-out, when its memory is in use
# again: the device was reset before that memory went back, so nothing is
# discarded.
# vm: mem=512 smp=2 timeout=180 balloon=free-page-reporting=on
# vm: modules=fpr,virtio_fpr,fpr_badhost files=hog
# shellcheck disable=SC1091 # the path is the guest's
. /test/lib.sh
plan 17

badhost=/sys/module/fpr_badhost/parameters
drv=/sys/bus/virtio/drivers/virtio_fpr
late_ms=3500

mkdir -p /mnt
mount -t tmpfs -o size=80% tmpfs /mnt
modprobe fpr delay_ms=10 threshold_kb=0
check "the driver loads" modprobe virtio_fpr report_timeout_ms=100
check "late answers" modprobe fpr_badhost max_late_ms=$late_ms

for round in 1 2 3; do
	check "$round: all is reported" fpr_set flush 1
	dd if=/dev/zero of=/mnt/file bs=1M count=100 2>/dev/null
	echo 1 >$badhost/faults
	rm /mnt/file
	check "$round: a report gets no answer in time" wait_until 10 fpr_is device none
	echo 0 >$badhost/faults
	# Takes what the report was made of, too, and outlasts the kick to come, which
	# comes before the device is started anew.
	check "$round: memory is as it was written" hog 1024 $((late_ms + 500)) 32768
	check "$round: a new binding works" sh -c \
		"echo virtio0 >$drv/unbind && echo virtio0 >$drv/bind"
done
check "nothing is held, and all is reported" fpr_set flush 1
check "unload" sh -c "rmmod virtio_fpr && rmmod fpr"
check "the late answers unload" rmmod fpr_badhost
