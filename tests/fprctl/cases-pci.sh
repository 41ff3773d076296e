# shellcheck shell=sh
# SPDX-License-Identifier: GPL-2.0
# shellcheck disable=SC2154 # $out, $top and the checks are those of run
# A device with a vendor's own PCI ids: virtio-pci is told of them, and forgets.

pci_driver_is() { # function driver
	link=$(readlink "$FAKE/sys/bus/pci/devices/$1/driver")
	[ "${link##*/}" = "$2" ]
	result $? "PCI $1 is with \"$2\" (is with \"${link##*/}\")"
}

as_before() {
	pci_driver_is 0000:00:06.0 ''
	holds dynids ''
	[ ! -e "$FAKE/sys/bus/virtio/devices/virtio5" ]
	result $? 'its virtio device is gone'
}

case_pci_bind_and_unbind() {
	machine none
	no_balloon
	foreign_function
	for _ in 1 2; do
		ctl bind --pci-id=1234:104D
		exits 0
		quiet
		prints 'virtio5, PCI 0000:00:06.0 (1234:104d): no driver -> virtio_fpr_vendor, state idle'
		driver_is virtio5 virtio_fpr_vendor
		holds dynids '1234 104d'
		ctl bind --pci-id=1234:104d
		exits 0
		prints 'already'
		holds dynids '1234 104d'
		ctl status
		prints "device virtio5, fpr's own (PCI 1234:104d, subsystem 5678:0009)"
		ctl unbind
		exits 0
		quiet
		prints 'virtio5: virtio_fpr_vendor -> no driver'
		prints 'PCI 0000:00:06.0: virtio-pci -> no driver'
		prints 'virtio-pci has forgotten the PCI ids 1234:104d'
		as_before
	done
	ctl bind # the module knows the ids still
	exits 0
	driver_is virtio5 virtio_fpr_vendor
	holds dynids '1234 104d'
	ctl unbind
	# Again, with and without the module
	ctl unbind
	exits 0
	quiet
	prints 'virtio-pci does not know the PCI ids 1234:104d'
	"$FAKE/tools/rmmod" virtio_fpr
	ctl unbind --pci-id=1234:104d
	exits 0
	quiet
	prints 'virtio-pci does not know the PCI ids 1234:104d'
	as_before
}

# An id that is in the list more than once, of a module that is gone
case_pci_unbind_what_a_module_left() {
	machine none
	no_balloon
	foreign_function
	"$FAKE/tools/modprobe" virtio_fpr vendor=0x1234 device=0x104d
	"$FAKE/tools/rmmod" virtio_fpr
	printf '1234 104d\n9999 1041\n1234 104d\n' >"$FAKE/dynids"
	ctl doctor
	prints "warn fpr's own device virtio5 (PCI 1234:104d, subsystem 5678:0009) has no driver"
	ctl unbind
	exits 0
	quiet
	prints 'virtio-pci has forgotten the PCI ids 1234:104d'
	pci_driver_is 0000:00:06.0 ''
	holds dynids '9999 1041'
}

# Another virtio id than 13: only the module's parameters tell whose it is.
case_pci_of_another_virtio_id() {
	machine virtio_balloon
	foreign_function 1234 1070 1234 0001
	"$FAKE/tools/modprobe" virtio_fpr
	ctl bind --pci-id=1234:1070
	exits 0
	quiet
	prints 'virtio5, PCI 0000:00:06.0 (1234:1070): no driver -> virtio_fpr_vendor'
	holds sys/bus/virtio/devices/virtio5/device 0x0030
	ctl doctor
	prints "ok fpr's own device virtio5"
	prints 'ok PCI 0000:00:06.0 (1234:1070) is with virtio-pci'
	ctl unbind virtio5
	exits 0
	as_before
	driver_is virtio1 virtio_balloon
	ctl bind --pci-id=1234:1070
	echo virtio5 | "$FAKE/tools/dd" "of=$FAKE/sys/bus/virtio/drivers/virtio_fpr_vendor/unbind"
	ctl doctor
	prints "warn fpr's own device virtio5 (PCI 1234:1070, subsystem 1234:0001) has no driver"
	ctl bind
	exits 0
	driver_is virtio5 virtio_fpr_vendor
	"$FAKE/tools/rmmod" virtio_fpr
	ctl unbind --pci-id=1234:1070
	exits 0
	prints 'virtio5 has no driver already'
	as_before
}

case_pci_transitional_device_id() {
	machine none
	no_balloon
	foreign_function 1234 1001 5678 000d
	ctl bind --pci-id=1234:1001
	exits 0
	driver_is virtio5 virtio_fpr_vendor
	ctl unbind
	exits 0
	as_before
}

# A module that is loaded without the ids, or has forgotten them, is loaded anew.
case_pci_bind_with_the_module_loaded() {
	machine virtio_fpr
	foreign_function
	ctl unbind
	ctl bind --pci-id=1234:104d
	exits 0
	quiet
	driver_is virtio5 virtio_fpr_vendor
	driver_is virtio1 virtio_balloon
	machine virtio_fpr
	foreign_function
	ctl unbind
	put refuse/unload-virtio_fpr ''
	ctl bind --pci-id=1234:104d
	exits 1
	complains 'cannot be unloaded'
	as_before
}

case_pci_bind_releases_the_stock_device() {
	machine none
	foreign_function
	ctl bind --pci-id=1234:104d
	exits 0
	driver_is virtio5 virtio_fpr_vendor
	driver_is virtio1 ''
}

case_pci_bind_that_fails() {
	machine none
	no_balloon
	foreign_function
	put refuse/bind-virtio_fpr_vendor 'Invalid argument'
	ctl bind --pci-id=1234:104d
	exits 1
	complains 'cannot bind virtio5 to virtio_fpr_vendor: Invalid argument'
	as_before
	module_gone virtio_fpr
	rm "$FAKE/refuse/bind-virtio_fpr_vendor"
	put refuse/pci-probe ''
	put dmesg '<3>[ 9.0] virtio-pci 0000:00:06.0: no virtio capabilities'
	ctl bind --pci-id=1234:104d
	exits 1
	complains 'did not make a virtio device of PCI 0000:00:06.0 (1234:104d)'
	complains 'no virtio capabilities'
	as_before
	module_gone virtio_fpr
	rm "$FAKE/refuse/pci-probe"
	put refuse/load-virtio_fpr 'Invalid argument'
	ctl bind --pci-id=1234:104d
	exits 1
	complains 'Invalid argument'
	as_before
	module_gone fpr
}

case_pci_unbind_that_fails() {
	machine none
	no_balloon
	foreign_function
	ctl bind --pci-id=1234:104d
	put refuse/remove_id 'Operation not permitted'
	ctl unbind
	exits 1
	complains 'virtio-pci cannot be made to forget 1234:104d: Operation not permitted'
	rm "$FAKE/refuse/remove_id"
	put refuse/pci-unbind 'Device or resource busy'
	ctl unbind
	exits 1
	complains 'Device or resource busy'
	rm "$FAKE/refuse/pci-unbind"
	ctl unbind
	exits 0
	as_before
}

# Not ours: nothing is taken from it.
case_pci_of_others() {
	machine none
	no_balloon
	foreign_function
	ctl bind --pci-id=1234:1041
	exits 1
	complains 'this guest has no PCI device 1234:1041 (lspci -n'
	mkdir -p "$FAKE/sys/bus/pci/drivers/vfio-pci"
	ln -s ../../../bus/pci/drivers/vfio-pci "$FAKE/sys/bus/pci/devices/0000:00:06.0/driver"
	ctl bind --pci-id=1234:104d
	exits 1
	complains 'PCI 0000:00:06.0 (1234:104d) is with vfio-pci'
	ctl unbind --pci-id=1234:104d
	exits 0
	pci_driver_is 0000:00:06.0 vfio-pci
	rm "$FAKE/sys/bus/pci/devices/0000:00:06.0/driver"
	pci_probe 0000:00:06.0 virtio5
	echo '1234 104d' >"$FAKE/dynids"
	ln -s ../../drivers/virtio_blk "$FAKE/sys/bus/virtio/devices/virtio5/driver"
	ctl unbind --pci-id=1234:104d
	exits 1
	complains 'virtio5 is with virtio_blk'
	pci_driver_is 0000:00:06.0 virtio-pci
	holds dynids '1234 104d'
}

case_pci_usage() {
	machine none
	for bad in '' 1234 1234:104d:5678:0009 x234:104d 1234:1080 1234:0fff 0000:104d ffff:104d \
		0x1234:0x104d 1234:104 1af4:104d; do
		for command in bind unbind; do
			ctl "$command" "--pci-id=$bad"
			exits 2
			complains "--pci-id=$bad: "
		done
	done
	ctl bind --pci-id=1234:104d virtio1
	exits 2
	complains 'not both'
	ctl bind --pci-id
	exits 2
	not_called dd
	not_called modprobe
}

case_pci_doctor() {
	machine virtio_balloon
	"$FAKE/tools/modprobe" virtio_fpr vendor=0x1234 device=0x104d
	broken 0 'warn this guest has no PCI device 1234:104d, whose ids virtio_fpr was given'
	foreign_function
	broken 0 'warn PCI 0000:00:06.0 (1234:104d) has no driver: fprctl bind --pci-id=1234:104d'
}
