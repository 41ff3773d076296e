# shellcheck shell=sh
# SPDX-License-Identifier: GPL-2.0
# shellcheck disable=SC2154 # $out, $err and the checks are those of run
# An inflated balloon while its device changes hands, and what is shown of it.

MIB=1048576

case_balloon_goes_with_the_device() {
	machine virtio_balloon
	balloon_of virtio1 $((300 * MIB))
	ctl bind
	exits 0
	quiet
	prints 'virtio1: the guest gets back the 300.0 MiB of the balloon, until it is inflated again'
	prints 'virtio1: virtio_balloon -> virtio_fpr, state idle'
	prints 'virtio1: balloon 300.0 MiB of 300.0 MiB asked for'
	driver_is virtio1 virtio_fpr
	holds sys/bus/virtio/devices/virtio1/fpr/balloon_bytes $((300 * MIB))
	ctl unbind
	exits 0
	quiet
	prints 'the guest gets back the 300.0 MiB'
	prints 'virtio1: virtio_fpr -> virtio_balloon'
	prints 'virtio1: balloon 300.0 MiB of 300.0 MiB asked for'
	holds ballooned-virtio1 $((300 * MIB))
}

case_balloon_that_is_empty_is_not_mentioned() {
	machine virtio_balloon
	for command in bind unbind; do
		ctl $command
		exits 0
		quiet
		prints_not 'asked for'
		prints_not 'gets back'
	done
}

# fprctl waits until it is there; half of it is there at once.
case_balloon_that_takes_its_time() {
	machine virtio_balloon
	balloon_of virtio1 $((300 * MIB))
	put inflating slowly
	for command in bind unbind; do
		ctl $command
		exits 0
		quiet
		prints 'virtio1: balloon 300.0 MiB of 300.0 MiB asked for'
		holds ballooned-virtio1 $((300 * MIB))
	done
}

case_balloon_that_does_not_get_there() {
	machine virtio_balloon
	balloon_of virtio1 $((300 * MIB))
	put inflating half
	FPR_BALLOON_S=1
	export FPR_BALLOON_S
	ctl bind
	exits 0
	complains 'note: the balloon stays at 150.0 MiB of 300.0 MiB asked for'
	complains 'virtio_fpr goes on by itself'
	driver_is virtio1 virtio_fpr
	ctl unbind
	exits 0
	complains 'note: the balloon stays at 150.0 MiB of 300.0 MiB asked for'
	driver_is virtio1 virtio_balloon
	unset FPR_BALLOON_S
}

# A balloon that was asked for while nobody served it
case_balloon_of_a_device_without_driver() {
	machine none
	put target $((64 * MIB))
	ctl bind
	exits 0
	quiet
	prints_not 'gets back'
	prints 'virtio1: balloon 64.0 MiB of 64.0 MiB asked for'
}

# The host wants less than there was.
case_balloon_that_is_to_shrink() {
	machine virtio_balloon
	balloon_of virtio1 $((300 * MIB))
	put target $((100 * MIB))
	ctl bind
	exits 0
	prints 'gets back the 300.0 MiB'
	prints 'virtio1: balloon 100.0 MiB of 100.0 MiB asked for'
}

case_balloon_where_the_driver_refuses() {
	machine virtio_balloon
	balloon_of virtio1 $((300 * MIB))
	put refuse/bind-virtio_fpr 'Operation not supported'
	ctl bind
	exits 1
	complains 'virtio1 is back with virtio_balloon, as before'
	holds ballooned-virtio1 $((300 * MIB))
}

# An older module has no files of the balloon, and makes none.
case_balloon_of_an_older_module() {
	machine virtio_fpr
	ctl status
	exits 0
	quiet
	prints_not 'KiB asked for'
	ctl get balloon_bytes
	exits 1
	complains 'is it of this device?'
	ctl unbind
	exits 0
	quiet
}

case_balloon_in_status_and_get() {
	machine virtio_balloon
	balloon_of virtio1 $((512 * MIB))
	ctl bind
	ctl status
	exits 0
	quiet
	prints ' balloon 512.0 MiB of 512.0 MiB asked for'
	prints_not 'large pieces'
	prints_not 'given back'
	prints_not 'memory is reported to it'
	put sys/bus/virtio/devices/virtio1/fpr/balloon_chunk_bytes $((500 * MIB))
	put sys/bus/virtio/devices/virtio1/fpr/balloon_oom_bytes $((3 * MIB))
	ctl status
	prints ' balloon 512.0 MiB of 512.0 MiB asked for, 500.0 MiB in large pieces'
	prints ' 3.0 MiB given back when memory ran out'
	ctl get balloon_bytes
	exits 0
	prints $((512 * MIB))
	ctl get
	prints "balloon_oom_bytes $((3 * MIB))"
}

case_balloon_beside_a_vendor_device() {
	machine virtio_balloon
	vendor_device
	balloon_of virtio1 $((128 * MIB))
	ctl bind
	prints 'virtio2: no driver -> virtio_fpr_vendor, state idle'
	prints_not 'gets back'
	ctl bind virtio1
	exits 0
	quiet
	prints 'virtio1: virtio_balloon -> virtio_fpr, reports go to virtio2, state idle'
	prints 'virtio1: balloon 128.0 MiB of 128.0 MiB asked for'
	ctl status
	exits 0
	prints 'device virtio1, virtio balloon, balloon and statistics only'
	prints "device virtio2, fpr's own (PCI 1af4:104d, subsystem 1af4:1100), memory is reported to it"
	prints ' balloon 128.0 MiB of 128.0 MiB asked for'
	prints 'granule 2.0 MiB'
	ctl get balloon_target_bytes
	prints $((128 * MIB))
	ctl get granule_bytes
	exits 0
	ctl doctor
	exits 0
	prints ' 0 warnings, 0 failed'
	ctl bind
	exits 0
	prints 'virtio1 is with virtio_fpr already'
	prints 'virtio2 is with virtio_fpr_vendor already'
	ctl unbind
	exits 1
	complains 'several devices, name one of them: virtio1 virtio2'
	ctl unbind virtio2
	exits 0
	driver_is virtio1 virtio_fpr
	ctl status
	prints 'device virtio1, virtio balloon'
	prints_not 'reported to it'
	prints_not 'statistics only'
}

case_balloon_of_two_devices() {
	machine virtio_balloon
	second_balloon
	balloon_of virtio1 $((100 * MIB))
	ctl bind virtio1
	exits 0
	prints 'virtio1: balloon 100.0 MiB of 100.0 MiB asked for'
	put target $((20 * MIB))
	ctl bind virtio2
	exits 0
	quiet
	prints 'virtio2: balloon 20.0 MiB of 20.0 MiB asked for'
	put inflating slowly # the other one's is not taken for it
	ctl unbind virtio2
	exits 0
	quiet
	prints 'virtio2: balloon 20.0 MiB of 20.0 MiB asked for'
	holds ballooned-virtio2 $((20 * MIB))
	holds ballooned-virtio1 $((100 * MIB))
}
