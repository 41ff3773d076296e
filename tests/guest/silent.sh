#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# A host that never answers: after the time-out the device is reset, all memory
# is back, nothing hangs, and a new binding works.
# vm: mem=512 smp=2 timeout=120 balloon=free-page-reporting=on
# vm: modules=fpr,virtio_fpr,fpr_mute files=scripts/fprctl
# shellcheck disable=SC1091 # the path is the guest's
. /test/lib.sh
plan 22

mkdir -p /mnt
mount -t tmpfs -o size=80% tmpfs /mnt
fill() { dd if=/dev/zero of=/mnt/file bs=1M count=200 2>/dev/null; }
muted() { [ "$(cat /sys/module/fpr_mute/parameters/lost)" -gt 0 ]; }
timeout_file=/sys/module/virtio_fpr/parameters/report_timeout_ms

refuse "a time-out out of range is refused" modprobe virtio_fpr report_timeout_ms=1
check "with the range" log_has "report_timeout_ms must be a number from 100 to 100000"
timeout_ms=$(slow 1000)
check "load with a short one" modprobe virtio_fpr "report_timeout_ms=$timeout_ms"
check "all is reported" fpr_set flush 1
time_outs_refused() {
	for value in 99 100001 -1 4294967396 1e3 0x 1k '' ' ' y; do
		! echo "$value" 2>/dev/null >$timeout_file || { echo "took '$value'"; return 1; }
	done
	[ "$(cat $timeout_file)" = "$timeout_ms" ]
}
check "it takes no nonsense, and stays" time_outs_refused
fill
rm /mnt/file
free_before=$(memfree_kb)

# What follows has one second from the first report on: nothing else may wait,
# and a slow kernel may be done freeing only after the report was given up.
fill
fpr_set flush 1
modprobe fpr_mute
rm /mnt/file &
load=$!
check "a report gets no answer" wait_until 10 muted
check "meanwhile memory is held" wait_until 2 fpr_above stats/held_pages 0
check "the device is given up" wait_until 10 fpr_is state no-device
check "and the log says so" log_has "no answer on queue [a-z_]+ within $timeout_ms ms: device reset"
refuse "flush says that there is no device" fpr_set flush 1
equal "nothing is held" "$(fpr stats/held_pages)" 0
wait $load
memory_back "the memory is back, KiB" "$free_before" 32768

# It is started anew, ever more rarely, and it is in vain while the host is silent.
again() { [ "$(dmesg | grep -c 'device reset, to be started anew in')" -ge "$1" ]; }
check "it is tried again" wait_until 60 again 3
check "after a longer time" log_has "to be started anew in 16 s"
rmmod fpr_mute
check "the device is back by itself" wait_until 60 fpr_is device virtio0
check "and reports" wait_until 10 fpr_set flush 1

# Unloading while a report waits must not wait for its time-out.
echo 100000 >$timeout_file
fill
fpr_set flush 1
modprobe fpr_mute
rm /mnt/file
check "another report gets no answer" wait_until 10 muted
wait_until 2 fpr_is state reporting
start=$(uptime_ms)
check "the driver unloads under it" rmmod virtio_fpr
in_range "at once, ms" "$(($(uptime_ms) - start))" 0 "$(slow 3000)"
equal "nothing is held" "$(fpr stats/held_pages)" 0
memory_back "the memory is back, KiB" "$free_before" 32768
check "the core unloads" rmmod fpr
