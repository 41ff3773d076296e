#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# Hosts that answer badly, under a load that verifies its memory.  Late answers
# and interrupts without one are waited through: the host discards memory when
# it is kicked at last, so what went back before would be lost.  Answers twice,
# at once or later, and answers to something else mean a broken device: it is
# reset at once, not after the time-out, and all memory is back.
# vm: mem=512 smp=2 timeout=150 balloon=free-page-reporting=on
# vm: modules=fpr,virtio_fpr,fpr_badhost files=memload
# shellcheck disable=SC1091 # the path is the guest's
. /test/lib.sh
plan 40

badhost=/sys/module/fpr_badhost/parameters
drv=/sys/bus/virtio/drivers/virtio_fpr
faults() { echo "$1" >$badhost/faults; }
# injected INDEX: how many of that kind
injected() { cut -d , -f "$1" $badhost/injected; }
some() { [ "$(injected "$1")" -gt "$2" ]; }
churn() {
	dd if=/dev/zero of=/mnt/file bs=1M count=60 2>/dev/null
	rm /mnt/file
}
load() { # seconds
	memload "$1" 200 2 /mnt "$KTAP_POINT"
}

mkdir -p /mnt
mount -t tmpfs -o size=80% tmpfs /mnt
modprobe fpr delay_ms=10 threshold_kb=0
check "the driver loads" modprobe virtio_fpr report_timeout_ms=30000
check "all is reported" fpr_set flush 1
settle
free_before=$(memfree_kb)
check "the faults load" modprobe fpr_badhost

# patient NAME MASK INDEX: a fault that is waited through
patient() {
	reports=$(fpr stats/reports)
	fpr_set order 0
	faults "$2"
	check "$1: memory is as it was written" load 6
	faults 0
	fpr_set order 9
	check "$1: it happened, $(injected "$3") times" some "$3" 2
	check "$1: reports were taken" fpr_above stats/reports "$reports"
	equal "$1: no error" "$(fpr stats/errors)" 0
	equal "$1: the device is there" "$(fpr device)" virtio0
}
patient "late" 1 1
patient "interrupts without an answer" 2 2

# broken NAME MASK INDEX LINE: a fault at which the device is given up
broken() {
	dmesg -c >/dev/null
	faults "$2"
	# Twice: what comes after the first answer is seen with the second report.
	for _ in 1 2; do
		churn
		fpr_set flush 1 && usleep 50000
	done
	check "$1: the device is given up, and the log says why" wait_until 5 \
		log_has "$4.*device reset, to be started anew"
	faults 0
	equal "$1: that was at the first" "$(injected "$3")" \
		"$(dmesg | grep -c "device reset, to be started anew")"
	wait_until 2 fpr_is stats/held_pages 0
	equal "$1: nothing is held" "$(fpr stats/held_pages)" 0
}
# anew NAME: the driver is bound again
anew() {
	check "$1: a new binding works" sh -c \
		"echo virtio0 >$drv/unbind && echo virtio0 >$drv/bind && echo 1 >$FPR_SYSFS/flush"
}
broken "answered twice" 8 4 "queue reporting_vq is broken"
anew "answered twice"
broken "answered again later" 16 5 "queue reporting_vq is broken"
check "answered again later: it begins anew by itself" wait_until 20 fpr_set flush 1
broken "another buffer" 32 6 "queue reporting_vq is broken"
anew "another buffer"
broken "a buffer that cannot be" 64 7 "queue reporting_vq is broken"
anew "a buffer that cannot be"
# The time-out is half a minute; the device itself says it.
broken "requests that it does not understand" 128 8 "the device asks to be reset"
check "it begins anew by itself" wait_until 20 fpr_set flush 1

# Given up before it is quite bound: virtio marks it as ready after that.
echo virtio0 >$drv/unbind
echo 100 >/sys/module/virtio_fpr/parameters/report_timeout_ms
echo 2000 >$badhost/slow_bind_ms
faults 4
echo virtio0 >$drv/bind
faults 0
check "given up while it is bound" wait_until 5 fpr_is device none
check "can be unbound" sh -c "echo virtio0 >$drv/unbind"
equal "and is reset then" "$(cat /sys/bus/virtio/devices/virtio0/status)" 0x00000001
check "and bound" sh -c "echo virtio0 >$drv/bind && echo 1 >$FPR_SYSFS/flush"

check "unload" sh -c "rmmod virtio_fpr && rmmod fpr"
check "the faults unload" rmmod fpr_badhost
settle
in_range "the memory is back, KiB" "$(memfree_kb)" $((free_before - 8192)) \
	$((free_before + 32768))
