# shellcheck shell=sh
# SPDX-License-Identifier: GPL-2.0
# shellcheck disable=SC2154 # $out, $top and the checks are those of run
# fpr's own device, alone and beside the stock one: bind, unbind, status, doctor.

case_vendor_bind_and_unbind() {
	machine none
	no_balloon
	vendor_device
	ctl bind
	exits 0
	quiet
	prints 'virtio2: no driver -> virtio_fpr_vendor, state idle'
	driver_is virtio2 virtio_fpr_vendor
	for device in '' virtio2; do
		# shellcheck disable=SC2086 # perhaps none
		ctl bind $device
		exits 0
		prints 'virtio2 is with virtio_fpr_vendor already'
	done
	ctl unbind
	exits 0
	quiet
	prints 'virtio2: virtio_fpr_vendor -> no driver'
	driver_is virtio2 ''
	ctl unbind
	exits 0
	prints 'virtio2 has no driver already'
	holds sys/bus/virtio/devices/virtio2/device 0x000d # virtio-pci keeps it
	ctl bind
	exits 0
	driver_is virtio2 virtio_fpr_vendor
}

# The stock device may serve as a balloon; the other is for fpr alone.
case_vendor_bind_prefers_it() {
	machine virtio_balloon
	vendor_device
	ctl bind
	exits 0
	prints 'virtio2: no driver -> virtio_fpr_vendor'
	driver_is virtio1 virtio_balloon
	ctl unbind
	exits 0
	prints 'virtio2: virtio_fpr_vendor -> no driver'
	driver_is virtio1 virtio_balloon
}

# Each driver of the module takes what has none when it is loaded.
case_vendor_bind_takes_the_device_that_was_meant() {
	machine virtio_balloon
	vendor_device
	ctl bind virtio1
	exits 0
	prints 'virtio1: virtio_balloon -> virtio_fpr, state idle'
	driver_is virtio1 virtio_fpr
	driver_is virtio2 ''
	ctl unbind
	prints 'virtio1: virtio_fpr -> virtio_balloon'
	machine none
	vendor_device
	ctl bind
	exits 0
	prints 'virtio2: no driver -> virtio_fpr_vendor, state idle'
	driver_is virtio2 virtio_fpr_vendor
	driver_is virtio1 ''
}

# The stock device keeps its balloon; reports go to fpr's own.
case_vendor_beside_the_stock_device() {
	machine virtio_fpr
	vendor_device
	ctl bind
	exits 0
	prints 'virtio1 is with virtio_fpr already'
	ctl bind virtio2
	exits 0
	quiet
	prints 'virtio2: no driver -> virtio_fpr_vendor, state idle'
	driver_is virtio1 virtio_fpr
	driver_is virtio2 virtio_fpr_vendor
	holds sys/kernel/fpr/device virtio2
	ctl unbind virtio2
	exits 0
	holds sys/kernel/fpr/device virtio1
}

# With ids that the module has to be loaded with, the other device comes along.
case_vendor_foreign_beside_the_stock_device() {
	machine none
	put target 4194304
	ctl bind
	foreign_function
	ctl bind --pci-id=1234:104d
	exits 0
	quiet
	prints 'virtio1: virtio_fpr is loaded anew, with these ids'
	prints 'virtio1: the guest gets back the 4.0 MiB of the balloon'
	prints 'virtio5, PCI 0000:00:06.0 (1234:104d): no driver -> virtio_fpr_vendor, state idle'
	prints 'virtio1: balloon 4.0 MiB of 4.0 MiB asked for'
	driver_is virtio1 virtio_fpr
	driver_is virtio5 virtio_fpr_vendor
	holds sys/kernel/fpr/device virtio5
	machine none
	ctl bind
	foreign_function
	put refuse/pci-probe ''
	ctl bind --pci-id=1234:104d
	exits 1
	complains 'virtio-pci did not make a virtio device'
	driver_is virtio1 virtio_fpr
}

case_vendor_bind_that_fails() {
	machine none
	no_balloon
	vendor_device
	put refuse/bind-virtio_fpr_vendor 'No such device'
	put dmesg '<6>[ 9.0] virtio_fpr_vendor virtio2: not a device of fpr: magic 00000000, not 76727066'
	ctl bind
	exits 1
	complains 'cannot bind virtio2 to virtio_fpr_vendor: No such device'
	complains 'not a device of fpr'
	complains 'has no driver, as before'
	module_gone virtio_fpr
	module_gone fpr
}

case_vendor_of_a_foreign_driver() {
	machine none
	no_balloon
	vendor_device
	ln -s ../../drivers/other "$FAKE/sys/bus/virtio/devices/virtio2/driver"
	for command in bind unbind; do
		ctl "$command"
		exits 1
		complains 'virtio2 is with other'
	done
}

case_vendor_unbind_that_fails() {
	machine none
	no_balloon
	vendor_device
	ctl bind
	put refuse/unbind-virtio_fpr_vendor 'Device or resource busy'
	ctl unbind
	exits 1
	complains 'cannot unbind virtio2 from virtio_fpr_vendor: Device or resource busy'
}

case_vendor_status() {
	machine none
	vendor_device
	ctl bind
	put sys/kernel/fpr/stats/requests 3
	ctl status
	exits 0
	quiet
	prints "device virtio2, fpr's own (PCI 1af4:104d, subsystem 1af4:1100)"
	prints 'host pressure low'
	prints 'granule 2.0 MiB'
	prints 'host discarded 1.00 GiB, refused 2.0 MiB'
	prints 'requests 3 '
	for pair in pressure=low requests=3 granule_bytes=2097152 discarded_bytes=1073741824 \
		refused_bytes=2097152; do
		ctl get "${pair%%=*}"
		exits 0
		prints "${pair#*=}"
		ctl get
		prints "${pair%%=*} ${pair#*=}"
	done
	put sys/kernel/fpr/pressure critical
	ctl watch 0.01 1
	prints ' idle, host pressure critical'
}

# What the stock device cannot say is not made up.
case_vendor_status_of_the_stock_device() {
	machine virtio_fpr
	ctl status
	prints 'device virtio1, virtio balloon'
	prints 'host pressure unknown (the device does not say)'
	prints_not granule
	prints_not 'host discarded'
	ctl watch 0.01 1
	prints_not 'host pressure'
	ctl get discarded_bytes
	exits 1
	complains 'is it of this device?'
	ctl get
	exits 0
	prints_not discarded_bytes
	rm "$FAKE/sys/kernel/fpr/pressure" # an older module
	ctl status
	exits 0
	quiet
	prints_not 'host pressure'
	machine none # not on PCI
	no_balloon
	put sys/bus/virtio/devices/virtio3/device 0x000d
	put sys/bus/virtio/devices/virtio3/features 0000
	ctl bind
	exits 0
	ctl status
	quiet
	prints "device virtio3, fpr's own"
	prints_not PCI
}

case_vendor_doctor() {
	machine none
	no_balloon
	vendor_device
	broken 0 "warn fpr's own device virtio2 (PCI 1af4:104d, subsystem 1af4:1100) has no driver: fprctl bind virtio2"
	ctl bind
	ctl doctor
	exits 0
	prints "ok fpr's own device virtio2 (PCI 1af4:104d, subsystem 1af4:1100), driver virtio_fpr_vendor"
	prints 'ok fpr reports to virtio2, state idle'
	prints ' 0 warnings, 0 failed'
	rm "$FAKE/sys/bus/virtio/devices/virtio2/driver"
	ln -s ../../drivers/other "$FAKE/sys/bus/virtio/devices/virtio2/driver"
	broken 0 'is with other: unbind it, then fprctl bind virtio2'
}

case_vendor_doctor_with_both() {
	machine virtio_balloon
	vendor_device
	ctl bind
	ctl doctor
	exits 0
	prints "warn the kernel's own reporting uses virtio1 beside fpr's own device"
	prints_not 'switches to fpr'
	# A balloon that offers no reporting is none that is broken.
	put sys/bus/virtio/devices/virtio1/features 0101000000000000
	ctl doctor
	exits 0
	prints 'ok balloon device virtio1, driver virtio_balloon'
	prints ' 0 warnings, 0 failed'
	machine virtio_fpr
	vendor_device
	broken 0 'warn fpr reports to virtio1, and its own device virtio2'
	prints 'fprctl bind virtio2 (the balloon stays with virtio1)'
}

case_vendor_doctor_with_none() {
	machine none
	no_balloon
	broken 1 "fail no virtio balloon device and no device of fpr's own"
	prints 'fprctl bind --pci-id=VVVV:DDDD'
}
