# shellcheck shell=sh
# SPDX-License-Identifier: GPL-2.0
# shellcheck disable=SC2154 # $out, $top and the checks are those of run
# bind and unbind: the device changes hands, or everything stays as it was.

case_bind_and_unbind() {
	machine virtio_balloon
	ctl bind
	exits 0
	quiet
	prints 'virtio1: virtio_balloon -> virtio_fpr, state idle'
	driver_is virtio1 virtio_fpr
	ctl bind virtio1
	exits 0
	prints 'already'
	ctl unbind
	exits 0
	quiet
	prints 'virtio1: virtio_fpr -> virtio_balloon'
	driver_is virtio1 virtio_balloon
	ctl unbind
	exits 0
	prints 'already'
	for _ in 1 2 3; do
		ctl bind
		driver_is virtio1 virtio_fpr
		ctl unbind
		driver_is virtio1 virtio_balloon
	done
}

case_bind_a_device_without_driver() {
	machine none
	ctl bind
	exits 0
	prints 'virtio1: no driver -> virtio_fpr'
	driver_is virtio1 virtio_fpr
}

case_bind_without_driver_that_fails() {
	machine none
	put refuse/bind-virtio_fpr 'No such device'
	ctl bind
	exits 1
	complains 'cannot bind virtio1 to virtio_fpr: No such device'
	complains 'has no driver, as before'
	driver_is virtio1 ''
	module_gone virtio_fpr
}

case_bind_that_the_driver_refuses() {
	machine virtio_balloon
	put refuse/bind-virtio_fpr 'Operation not supported'
	put dmesg '<3>[ 9.0] virtio_fpr virtio1: host does not promise zeroes'
	ctl bind
	exits 1
	complains 'cannot bind virtio1 to virtio_fpr: Operation not supported'
	complains 'host does not promise zeroes'
	complains 'virtio1 is back with virtio_balloon, as before'
	driver_is virtio1 virtio_balloon
	module_gone virtio_fpr
	module_gone fpr
}

case_bind_that_fails_leaves_a_loaded_module() {
	machine virtio_balloon
	cp -R "$FAKE/loaded.d/fpr/." "$FAKE/loaded.d/virtio_fpr/." "$FAKE/sys/"
	put refuse/bind-virtio_fpr 'Operation not supported'
	ctl bind
	exits 1
	driver_is virtio1 virtio_balloon
	not_called rmmod
	not_called modprobe
}

case_bind_that_does_nothing() {
	machine virtio_balloon
	put refuse/silently-virtio_fpr ''
	ctl bind
	exits 1
	complains 'cannot bind virtio1 to virtio_fpr: virtio_fpr did not take it'
	driver_is virtio1 virtio_balloon
}

case_bind_that_registers_nothing() {
	machine virtio_balloon
	put refuse/register ''
	ctl bind
	exits 1
	complains 'fpr has no device'
	driver_is virtio1 virtio_balloon
}

case_bind_with_no_way_back() {
	machine virtio_balloon
	put refuse/bind-virtio_fpr 'No such device'
	put refuse/bind-virtio_balloon 'Cannot allocate memory'
	ctl bind
	exits 1
	complains 'could not be given back to virtio_balloon (Cannot allocate memory)'
	complains 'drivers/virtio_balloon/bind'
}

case_bind_where_unbinding_fails() {
	machine virtio_balloon
	put refuse/unbind-virtio_balloon 'Device or resource busy'
	ctl bind
	exits 1
	complains 'cannot unbind virtio1 from virtio_balloon: Device or resource busy'
	driver_is virtio1 virtio_balloon
	module_gone virtio_fpr
}

case_bind_where_the_host_offers_nothing() {
	machine none
	put offered 0101000000000000
	has_driver virtio1 virtio_balloon
	ctl bind
	exits 1
	complains 'free-page-reporting=on'
	complains "freePageReporting='on'"
	driver_is virtio1 virtio_balloon
	not_called modprobe
	ctl bind -f
	exits 0
}

case_bind_without_the_module() {
	machine virtio_balloon
	rm "$FAKE/installed/virtio_fpr"
	ctl bind
	exits 1
	complains 'not found'
	complains 'make dkms-install'
	complains 'linux-headers-6.1.0-56-cloud-amd64'
	driver_is virtio1 virtio_balloon
	not_called dd
}

case_bind_from_a_directory() {
	machine virtio_balloon
	rm "$FAKE/installed/virtio_fpr"
	modules=$FAKE/built
	mkdir "$modules"
	touch "$modules/fpr.ko" "$modules/virtio_fpr.ko"
	ctl bind
	exits 0
	driver_is virtio1 virtio_fpr
	grep -q "^insmod $modules/fpr.ko" "$FAKE/calls"
	result $? 'loads fpr.ko first'
}

case_bind_where_insmod_fails() {
	machine virtio_balloon
	rm "$FAKE/installed/virtio_fpr"
	modules=$FAKE/built
	mkdir "$modules"
	touch "$modules/fpr.ko" "$modules/virtio_fpr.ko"
	put refuse/load-virtio_fpr 'Invalid module format'
	ctl bind
	exits 1
	complains 'Invalid module format'
	module_gone fpr
	driver_is virtio1 virtio_balloon
}

case_bind_where_modprobe_fails() {
	machine virtio_balloon
	put refuse/load-fpr 'Operation not permitted'
	put dmesg '<3>[ 9.0] fpr: guest memory is encrypted: load with allow_encrypted=1'
	ctl bind
	exits 1
	complains 'Operation not permitted'
	complains 'guest memory is encrypted'
	driver_is virtio1 virtio_balloon
}

case_bind_where_unsigned_modules_are_refused() {
	machine virtio_balloon
	put refuse/load-fpr 'Operation not permitted'
	put dmesg '<5>[ 9.0] Lockdown: modprobe: unsigned module loading is restricted; see man kernel_lockdown.7'
	ctl bind
	exits 1
	complains 'unsigned module loading is restricted'
	complains 'fprctl doctor'
	driver_is virtio1 virtio_balloon
}

case_bind_several_devices() {
	machine virtio_balloon
	second_balloon
	ctl bind
	exits 1
	complains 'name one of them: virtio1 virtio2'
	ctl bind virtio2
	exits 0
	driver_is virtio2 virtio_fpr
	driver_is virtio1 virtio_balloon
}

case_bind_devices_that_are_none() {
	machine virtio_balloon
	ctl bind virtio0
	exits 1
	complains "virtio0 is no virtio balloon device and not fpr's own; there is: virtio1"
	ctl bind virtio9
	exits 1
	rm -r "$FAKE/sys/bus/virtio/devices/virtio1"
	ctl bind
	exits 1
	complains 'no virtio balloon device'
	complains 'free-page-reporting=on'
	rm -r "$FAKE/sys/bus/virtio"
	ctl unbind
	exits 1
	complains 'no virtio balloon device'
}

case_bind_a_device_of_a_foreign_driver() {
	machine none
	ln -s ../../drivers/other "$FAKE/sys/bus/virtio/devices/virtio1/driver"
	ctl bind
	exits 1
	complains 'with other'
	ctl unbind
	exits 1
	complains 'with other'
}

case_bind_usage() {
	machine virtio_balloon
	ctl bind virtio1 virtio2
	exits 2
	ctl bind --now
	exits 2
	not_called dd
}

case_unbind_that_fails() {
	machine virtio_fpr
	put refuse/bind-virtio_balloon 'Cannot allocate memory'
	ctl unbind
	exits 1
	complains 'cannot bind virtio1 to virtio_balloon: Cannot allocate memory'
	complains 'back with virtio_fpr, as before'
	driver_is virtio1 virtio_fpr
	not_called rmmod
}

case_unbind_without_virtio_balloon() {
	machine virtio_fpr
	rm -r "$FAKE/sys/bus/virtio/drivers/virtio_balloon"
	rm "$FAKE/installed/virtio_balloon"
	ctl unbind
	exits 1
	complains 'cannot load virtio_balloon'
	complains 'drivers/virtio_fpr/unbind'
	driver_is virtio1 virtio_fpr
}
