#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# Two guests on one host, each with a program and a control socket of its own: what
# the host wants of one, the other does not notice.
# vm: mem=384 smp=1 timeout=200 backing=memfd qemu_version=11
# vm: backend="vhost-user-fpr --control-socket={control} --pressure=low"
# vm: device=vhost-user,virtio-id=13,num_vqs=1,vq_size=64,config_size=40
# vm: modules=fpr,virtio_fpr
# shellcheck disable=SC1091 # the path is the guest's
. /test/lib.sh
plan 8

mkdir -p /mnt
mount -t tmpfs -o size=80% tmpfs /mnt
# Nothing is reported unless the host asks.
modprobe fpr delay_ms=600000
check "the driver loads" modprobe virtio_fpr
check "the host's pressure is known" wait_until 5 fpr_is pressure low
check "all that is free is reported" fpr_set flush 1
dd if=/dev/zero of=/mnt/file bs=1M count=128 2>/dev/null
host_sync filled >/dev/null
rm /mnt/file
# The host's word is on its way: how long, is not this guest's to say.
pressure_becomes() { until fpr_is pressure "$1"; do nap 50; done; }
# expect MARKER: what the host has asked of this guest so far, as the host says
expect() {
	# shellcheck disable=SC2046 # two words
	set -- "$1" $(host_sync "$1")
	equal "$1: requests" "$(fpr stats/requests)" "$2"
	check "$1: pressure $3" pressure_becomes "$3"
}
expect freed
expect end
check "unload" sh -c "rmmod virtio_fpr && rmmod fpr"
