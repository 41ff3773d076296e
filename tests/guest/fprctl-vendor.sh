#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# fprctl and a device of fpr's own that has a vendor's PCI ids, with the real
# virtio-pci: bind has it take them, unbind has it forget them, however often they
# were added and whether or not the module is still there.
# vm: mem=512 smp=2 timeout=180 backing=memfd qemu_version=11
# vm: backend="vfio-user-fpr --pci-id=1234:104d:5678:0009 --pressure=low"
# vm: device=vfio-user files=scripts/fprctl
# vm: modules=fpr,virtio_fpr
# shellcheck disable=SC1091 # the path is the guest's
. /test/lib.sh
plan 24

pci=$(dirname "$(grep -l 0x1234 /sys/bus/pci/devices/*/vendor)")
virtio_pci=/sys/bus/pci/drivers/virtio-pci
bind() { fprctl bind --pci-id=1234:104d; }
as_before() { [ ! -e "$pci/driver" ] && [ ! -e /sys/bus/virtio/devices/virtio0 ]; }
knows_the_ids() { echo "1234 104d" >$virtio_pci/remove_id; }

says() { # text command...
	says_text=$1
	shift
	"$@" >/tmp/says 2>&1
	cat /tmp/says
	tr -s ' ' </tmp/says | grep -qF -- "$says_text"
}

check "nobody has it" as_before
check "bind" bind
equal "virtio-pci has the function" "$(basename "$(readlink "$pci/driver")")" virtio-pci
equal "the core reports to it" "$(fpr device)" virtio0
check "flush reports" says 'flushed: ' fprctl flush
check "status says whose it is" says \
	"device virtio0, fpr's own (PCI 1234:104d, subsystem 5678:0009)" fprctl status
check "how badly the host needs memory" says 'host pressure low' fprctl status
check "and what it can discard" says 'granule 4 KiB' fprctl status
check "something was discarded" [ "$(fprctl get discarded_bytes)" -gt 0 ]
check "doctor is content" fprctl doctor
check "doctor sees it" says "ok fpr's own device virtio0" fprctl doctor
check "bind again" says already bind

check "unbind" fprctl unbind
check "all is as it was" as_before
refuse "the ids are forgotten" knows_the_ids
check "unbind again" fprctl unbind

# The module loaded without them, and ids that were added by hand as well
check "unload" rmmod virtio_fpr
check "load without ids" modprobe virtio_fpr
check "bind" bind
# With all seven fields the kernel does not look whether it has them already.
echo "1234 104d ffffffff ffffffff 0 0 0" >$virtio_pci/new_id
check "unload, bound" rmmod virtio_fpr
check "unbind without the module" fprctl unbind
check "all is as it was" as_before
refuse "the ids are forgotten" knows_the_ids
check "and the core" rmmod fpr
