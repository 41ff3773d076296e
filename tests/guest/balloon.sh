#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# The stock device: freed memory leaves the host, pause, resume and flush,
# counters, statistics, the balloon in a word (inflate.sh has more).
# vm: mem=1024 smp=2 timeout=180 balloon=free-page-reporting=on modules=fpr,virtio_fpr
# shellcheck disable=SC1091 # the path is the guest's
. /test/lib.sh
plan 27

mkdir -p /mnt
mount -t tmpfs -o size=80% tmpfs /mnt
fill() { dd if=/dev/zero of=/mnt/file bs=1M count=400 2>/dev/null; }
# Of 400 MiB: some is in blocks that hold something else too, more of it on newer
# kernels.
most_of_it=$((380 << 20))
idle() { fpr_is state idle || fpr_is state waiting; }

# Bytes reported so far
reported() { fpr stats/reported_bytes; }

check "the driver loads, and the core with it" modprobe virtio_fpr
check "the device is bound" test -e /sys/bus/virtio/drivers/virtio_fpr/virtio0
equal "and shown" "$(fpr device)" virtio0
check "what was free at load is reported" wait_until 10 \
	fpr_above stats/reported_free_pages 180000

fill
host_sync filled >/dev/null
before=$(reported)
rm /mnt/file
check "400 MiB freed are reported" wait_until 10 \
	fpr_above stats/reported_bytes $((before + most_of_it))
host_sync freed >/dev/null

check "no error" fpr_is stats/errors 0
# More passes while the file is deleted slowly mean more pieces.
check "few segments: $(fpr stats/segments)" test "$(fpr stats/segments)" -lt "$(slow 60)"
in_range "most of free memory is reported, pages" \
	"$(fpr stats/reported_free_pages)" $(($(memfree_kb) * 9 / 40)) \
	$(($(memfree_kb) / 4))

# Paused, nothing goes; resumed, it does.
check "pause" fpr_set enabled 0
equal "the state says so" "$(fpr state)" paused
refuse "flush while paused fails" fpr_set flush 1
fill
before=$(reported)
rm /mnt/file
sleep 3
equal "nothing is reported while paused" "$(reported)" "$before"
host_sync paused >/dev/null
check "resume" fpr_set enabled 1
check "what was freed meanwhile is reported" wait_until 10 \
	fpr_above stats/reported_bytes $((before + most_of_it))
host_sync resumed >/dev/null

# A long delay, and flush does not wait for it.
fpr_set delay_ms 600000
fill
before=$(reported)
rm /mnt/file
sleep 2
check "with a delay of ten minutes it stays" \
	test "$(reported)" -lt $((before + (100 << 20)))
start=$(uptime_ms)
check "flush" fpr_set flush 1
took=$(($(uptime_ms) - start))
check "returns when all is reported" \
	test "$(reported)" -gt $((before + most_of_it))
in_range "and soon, ms" "$took" 0 "$(slow 3000)"
host_sync flushed >/dev/null

# A delay that is shortened holds for what is waiting already.
fill
before=$(reported)
rm /mnt/file
sleep 1
fpr_set delay_ms 800
check "a shorter delay takes effect at once" wait_until 20 \
	fpr_above stats/reported_bytes $((before + most_of_it))

# The host's other wishes
host_sync stats >/dev/null
host_sync inflate >/dev/null
equal "the balloon is inflated" "$(cat /sys/bus/virtio/devices/virtio0/fpr/balloon_bytes)" $((100 << 20))
host_sync deflate >/dev/null
equal "and deflated" "$(cat /sys/bus/virtio/devices/virtio0/fpr/balloon_bytes)" 0

check "trace events exist" test -d /sys/kernel/tracing/events/fpr/fpr_report
check "the driver unloads" rmmod virtio_fpr
equal "the core is without a device" "$(fpr state)" no-device
check "loads again" modprobe virtio_fpr
check "and reports again" fpr_set flush 1
rmmod virtio_fpr
check "the core unloads" rmmod fpr
