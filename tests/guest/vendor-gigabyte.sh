#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# More than 1 GiB in one entry of one report.  It takes a zone of at least 4 GiB
# free, since no more than a quarter of it is ever held: in a guest of 3 GiB, of
# which 2 GiB are a zone of their own, the largest entry had 478 MiB.
# vm: mem=8192 smp=2 timeout=200 backing=memfd qemu_version=11
# vm: backend="vhost-user-fpr --control-socket={control} --pressure=low"
# vm: device=vhost-user,virtio-id=13,num_vqs=1,vq_size=64,config_size=40
# vm: modules=fpr,virtio_fpr
# shellcheck disable=SC1091 # the path is the guest's
. /test/lib.sh
plan 9

dev=/sys/bus/virtio/devices/virtio0
tracing=/sys/kernel/tracing
agree() { [ "$(cat $dev/fpr/discarded_bytes)" = "$(fpr stats/reported_bytes)" ]; }
# entry_mib: what the largest entry of any report has at least
entry_mib() {
	sed -n 's/.*fpr_report: segments=\([0-9]*\) pages=\([0-9]*\).*/\1 \2/p' $tracing/trace |
		awk '{ mib = int($2 / $1 / 256); if (mib > max) max = mib } END { print max + 0 }'
}

mkdir -p /mnt
mount -t tmpfs -o size=80% tmpfs /mnt
mount -t tracefs tracefs $tracing 2>/dev/null
modprobe fpr hold_kb=16777216 delay_ms=600000
check "the driver loads" modprobe virtio_fpr
dd if=/dev/zero of=/mnt/file bs=1M count=1500 2>/dev/null
rm /mnt/file
check "reports can be watched" sh -c "echo 1 >$tracing/events/fpr/fpr_report/enable"
host_sync filled >/dev/null
check "all is reported" fpr_set flush 1
echo 0 >$tracing/events/fpr/fpr_report/enable
grep fpr_report: $tracing/trace | sed 's/.*fpr_report/# fpr_report/'
check "an entry had $(entry_mib) MiB" test "$(entry_mib)" -ge 1024
check "few reports were enough ($(fpr stats/reports))" test "$(fpr stats/reports)" -le 64
check "what was reported was discarded" wait_until 5 agree
equal "nothing was refused" "$(cat $dev/fpr/refused_bytes)" 0
host_sync freed >/dev/null
equal "no error" "$(fpr stats/errors)" 0
check "unload" sh -c "rmmod virtio_fpr && rmmod fpr"
