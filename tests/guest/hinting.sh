#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# A device that offers free page hinting too: its reporting queue is one further, and
# a host that does not answer hints, or goes amid them, keeps no memory.
# vm: mem=512 smp=2 timeout=150 modules=fpr,virtio_fpr,fpr_mute
# vm: qemu="-object iothread,id=io0"
# vm: qemu="-device virtio-balloon-pci,free-page-hint=on,iothread=io0,free-page-reporting=on"
# shellcheck disable=SC1091 # the path is the guest's
. /test/lib.sh
plan 18

drv=/sys/bus/virtio/drivers/virtio_fpr
timeout_ms=$(slow 3000)
muted() { [ "$(cat /sys/module/fpr_mute/parameters/lost)" -gt 0 ]; }
# How soon the host begins is not the guest's to say.
hint_muted() { until muted; do nap 50; done; }
# The host migrates to nowhere, and gets no hints.
begin_mute() {
	modprobe fpr_mute queue=free_page_vq
	host_sync begin >/dev/null
}
end_mute() {
	rmmod fpr_mute
	host_sync end >/dev/null
}

mkdir -p /mnt
mount -t tmpfs -o size=80% tmpfs /mnt
check "the driver loads" modprobe virtio_fpr "report_timeout_ms=$timeout_ms"
check "the device is bound" fpr_is device virtio0
dd if=/dev/zero of=/mnt/file bs=1M count=200 2>/dev/null
host_sync filled >/dev/null
before=$(fpr stats/reported_bytes)
rm /mnt/file
check "what is freed is reported in time" wait_until 10 \
	fpr_above stats/reported_bytes $((before + (180 << 20)))
host_sync freed >/dev/null
equal "no error" "$(fpr stats/errors)" 0

# A host that never answers
check "everything is reported" fpr_set flush 1
free_before=$(memfree_kb)
begin_mute
check "a hint gets no answer" hint_muted
check "meanwhile memory is held" wait_until 2 fpr_above stats/held_pages 0
check "the device is given up" wait_until 20 fpr_is state no-device
equal "nothing is held" "$(fpr stats/held_pages)" 0
memory_back "the memory is back, KiB" "$free_before" 32768
end_mute
check "unbind the dead device" sh -c "echo virtio0 >$drv/unbind"
check "bind it again" sh -c "echo virtio0 >$drv/bind"
equal "it is there" "$(fpr device)" virtio0

# Going amid hints must not wait for the time-out.
echo 100000 >/sys/module/virtio_fpr/parameters/report_timeout_ms
begin_mute
check "another hint gets no answer" hint_muted
start=$(uptime_ms)
check "the driver unloads under it" rmmod virtio_fpr
in_range "at once, ms" "$(($(uptime_ms) - start))" 0 "$(slow 3000)"
equal "nothing is held" "$(fpr stats/held_pages)" 0
end_mute
memory_back "the memory is back, KiB" "$free_before" 32768
