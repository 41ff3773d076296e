#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# Refusals of a real kernel, in the order in which a machine becomes hostile:
# the device is taken, another one reports, kprobes are off, the kernel is
# locked down.  Each has a sentence, and what was there before stays.
# vm: mem=512 smp=1 timeout=150 balloon=free-page-reporting=on files=scripts/fprctl
# vm: modules=fpr,virtio_fpr,virtio_balloon,fpr_testdev
# vm: alone="locks the kernel down"
# shellcheck disable=SC1091 # the path is the guest's
. /test/lib.sh
plan 36

drivers=/sys/bus/virtio/drivers
driver() {
	link=$(readlink /sys/bus/virtio/devices/virtio0/driver)
	echo "${link##*/}"
}

says() { # text command...
	says_text=$1
	shift
	"$@" >/tmp/says 2>&1
	cat /tmp/says
	tr -s ' ' </tmp/says | grep -qF -- "$says_text"
}

# The kernel's own reporting has the device: nothing is taken from it.
modprobe virtio_balloon
check "doctor says that it is taken" says "the kernel's own reporting uses virtio0: fprctl bind" fprctl doctor
check "virtio_fpr loads beside virtio_balloon" modprobe virtio_fpr
equal "and leaves it the device" "$(driver) $(fpr device)" "virtio_balloon none"
refuse "binding a taken device is refused" sh -c "echo virtio0 >$drivers/virtio_fpr/bind"
equal "it stays where it is" "$(driver)" virtio_balloon
check "fprctl bind takes it over" fprctl bind
equal "the device reports to fpr" "$(driver) $(fpr device)" "virtio_fpr virtio0"

# A second device, a second instance.
dmesg -c >/dev/null
refuse "a second reporting device is refused" modprobe fpr_testdev
check "with both names and the remedy" \
	log_has "fpr: fpr_testdev: virtio0 is registered already.*unbind it first"
equal "the first one goes on" "$(fpr device)" virtio0
refuse "a second instance is refused" insmod /modules/fpr.ko
cp /modules/fpr.ko /tmp/other.ko
refuse "under another file name, too" insmod /tmp/other.ko
rmmod virtio_fpr
check "without a device the test device is taken" modprobe fpr_testdev
modprobe virtio_fpr
check "then virtio_fpr is the second" \
	log_has "fpr: virtio0: fpr_testdev is registered already.*unbind it first"
equal "and its device is free for another driver" "$(driver)" ""
check "fprctl bind says why it cannot" says "fpr_testdev is registered already" fprctl bind
check "virtio_balloon can have it" sh -c "echo virtio0 >$drivers/virtio_balloon/bind"
rmmod virtio_fpr fpr_testdev fpr

# Kprobes switched off: fpr only asks them for addresses, which goes on working,
# and what a hook really notices is proven at load.
echo 0 >/sys/kernel/debug/kprobes/enabled
check "doctor says that kprobes are off" says "warn kprobes are switched off" fprctl doctor
refuse "a hook of that kind, demanded, is refused" modprobe fpr hook=kprobe
check "by name" log_has "fpr: hook (kprobe|must be)"
check "fpr loads" modprobe fpr
check "with a hook that fires all the same" test "$(fpr hook)" != kprobe -a "$(fpr hook)" != none
check "and takes the device" fprctl bind
check "and reports" fpr_set flush 1
check "a good deal" fpr_above stats/reported_pages 1000
rmmod virtio_fpr fpr
echo 1 >/sys/kernel/debug/kprobes/enabled

# Locked down: the kernel itself refuses modules without a signature it knows.
# What is loaded goes on, hooks included: modules may have kprobes.
mount -t securityfs securityfs /sys/kernel/security 2>/dev/null
if [ ! -e /sys/kernel/security/lockdown ]; then
	for _ in 1 2 3 4 5 6 7 8 9 10 11; do
		skip "locked down" "this kernel cannot be"
	done
	exit 0
fi
modprobe fpr
modprobe virtio_fpr
echo virtio0 >$drivers/virtio_balloon/unbind 2>/dev/null
[ "$(driver)" = virtio_fpr ] || echo virtio0 >$drivers/virtio_fpr/bind
check "the kernel can be locked down" sh -c "echo confidentiality >/sys/kernel/security/lockdown"
check "doctor names it, and is content with what is loaded" \
	says 'ok lockdown is "confidentiality", and fpr is loaded' fprctl doctor
check "pausing works" fpr_set enabled 0
check "and arming the hook anew" fpr_set enabled 1
check "reporting goes on" fpr_set flush 1
check "unload" rmmod virtio_fpr fpr
dmesg -c >/dev/null
refuse "now an unsigned fpr is refused" modprobe fpr
check "by the kernel" log_has "Lockdown: .*unsigned module loading is restricted"
check "doctor says so before, with the remedy" \
	says 'warn lockdown is "confidentiality", unsigned modules are refused: enrol the key' fprctl doctor
refuse "doctor prints nothing that is not meant for the user" grep "line [0-9]" /tmp/says
check "fprctl bind shows the kernel's reason" \
	says "unsigned module loading is restricted" fprctl bind
