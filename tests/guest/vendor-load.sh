#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# A load that verifies its memory, while all of it that is free for a moment is
# really discarded: single pages and huge ones in turn, under changing pressure, and
# with requests of the host in between.
# vm: mem=768 smp=2 timeout=240 backing=memfd qemu_version=11
# vm: backend="vhost-user-fpr --control-socket={control} --pressure=low"
# vm: device=vhost-user,virtio-id=13,num_vqs=1,vq_size=64,config_size=40
# vm: modules=fpr,virtio_fpr files=memload
# shellcheck disable=SC1091 # the path is the guest's
. /test/lib.sh
plan 11

seconds=${LOAD_S:-60}
mkdir -p /mnt
mount -t tmpfs -o size=80% tmpfs /mnt
dev=/sys/bus/virtio/devices/virtio0
agree() { [ "$(cat $dev/fpr/discarded_bytes)" = "$(fpr stats/reported_bytes)" ]; }
modprobe fpr delay_ms=10 threshold_kb=0
check "the driver loads" modprobe virtio_fpr
memload "$seconds" 450 3 /mnt 1 >/tmp/memload.log 2>&1 &
load=$!
host_sync loading >/dev/null
end=$(($(uptime_ms) + seconds * 1000))
turns=0
while [ "$(uptime_ms)" -lt "$end" ]; do
	fpr_set order 0
	usleep 700000
	fpr_set order 9
	usleep 700000
	turns=$((turns + 1))
	# The host wants something each time.
	echo turn
done
check "memory is as it was written" wait $load
diag "$(tail -n 3 /tmp/memload.log | tr '\n' ';')"
host_sync loaded >/dev/null
check "the order has changed often ($turns)" test $turns -gt $((seconds / 4))
check "a good deal was reported" fpr_above stats/reported_pages $((seconds * 2560))
check "in many reports" fpr_above stats/reports $((seconds * 4))
check "blocks were used again" fpr_above stats/recycled_blocks "$seconds"
check "requests were served" fpr_above stats/requests $((seconds / 10))
equal "no error" "$(fpr stats/errors)" 0
check "all that is free is reported" fpr_set flush 1
check "what was reported was discarded" wait_until 5 agree
diag "reports $(fpr stats/reports), MiB reported $(($(fpr stats/reported_pages) / 256))"
diag "recycled blocks $(fpr stats/recycled_blocks), requests $(fpr stats/requests)"
host_sync flushed >/dev/null
check "unload" sh -c "rmmod virtio_fpr && rmmod fpr"
