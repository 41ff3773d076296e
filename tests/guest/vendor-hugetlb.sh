#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# Guest memory of 2 MiB pages of the host (hugetlb): the guest learns that nothing
# smaller can be discarded and reports nothing in vain, whatever order it was told;
# and the pages are free for others on the host.
# vm: mem=512 smp=2 timeout=150 backing=hugetlb qemu_version=11
# vm: backend="vhost-user-fpr --control-socket={control} --pressure=low"
# vm: device=vhost-user,virtio-id=13,num_vqs=1,vq_size=64,config_size=40
# vm: modules=fpr,virtio_fpr
# shellcheck disable=SC1091 # the path is the guest's
. /test/lib.sh
plan 12

mkdir -p /mnt
mount -t tmpfs -o size=80% tmpfs /mnt
dev=/sys/bus/virtio/devices/virtio0
whole() { [ $(($(fpr stats/reported_pages) % 512)) = 0 ]; }
agree() { [ "$(cat $dev/fpr/discarded_bytes)" = "$(fpr stats/reported_bytes)" ]; }
fill() { dd if=/dev/zero of=/mnt/file bs=1M count=200 2>/dev/null; }
free_it() {
	host_sync filled >/dev/null
	before=$(fpr stats/reported_bytes)
	rm /mnt/file
	[ "$1" = requested ] || check "what is freed is reported in time" wait_until 10 \
		fpr_above stats/reported_bytes $((before + (180 << 20)))
	host_sync "$1" >/dev/null
}

modprobe fpr order=0 threshold_kb=0
check "the driver loads" modprobe virtio_fpr
equal "the host's granule is shown" "$(cat $dev/fpr/granule_bytes)" 2097152
check "all that is free is reported" fpr_set flush 1
check "a good deal" fpr_above stats/reported_pages 25000
equal "the order stays as it was asked for" "$(fpr order)" 0
fill
free_it freed
# A request names its own smallest piece: one page.
fpr_set delay_ms 600000
fill
free_it requested
equal "the request was served" "$(fpr stats/requests)" 1
check "nothing but whole pages of the host was reported" whole
equal "nothing was refused" "$(cat $dev/fpr/refused_bytes)" 0
check "what was reported was discarded" wait_until 5 agree
host_sync counters >/dev/null
equal "no error" "$(fpr stats/errors)" 0
check "unload" sh -c "rmmod virtio_fpr && rmmod fpr"
