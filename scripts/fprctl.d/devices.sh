# shellcheck shell=sh
# SPDX-License-Identifier: GPL-2.0
# shellcheck disable=SC2034,SC2154 # $kind and $offer_hint are for other parts, $ids is of one
# Sourced by fprctl: the virtio devices that can take reports.
#
# There are two kinds: "stock", the balloon device, which the driver virtio_fpr
# takes over from virtio_balloon; and "vendor", fpr's own device, which nobody
# but virtio_fpr_vendor wants.  One module has both drivers.

# What a host has to be told for the stock device.
offer_hint="QEMU: -device virtio-balloon-pci,free-page-reporting=on; libvirt: <memballoon model='virtio' freePageReporting='on'/>"

driver_of() { # device -> driver name, or nothing
	if [ -L "$VIRTIO/devices/$1/driver" ]; then
		link=$(readlink "$VIRTIO/devices/$1/driver")
		echo "${link##*/}"
	fi
}

# Kind of a device, or nothing.  A vendor's virtio id is 13, or that of the PCI
# ids that the module was loaded with.
kind_of() { # device
	case $(driver_of "$1"):$(rd "$VIRTIO/devices/$1/device") in
	virtio_fpr_vendor:*) echo vendor ;;
	*:0x0005) echo stock ;;
	*:0x000d) echo vendor ;;
	*:0x*)
		if module_ids && [ "$(pci_ids_of "$(function_of "$1")")" = "$ids" ]; then
			echo vendor
		fi
		;;
	esac
}

driver_for() { # kind
	case $1 in
	stock) echo virtio_fpr ;;
	*) echo virtio_fpr_vendor ;;
	esac
}

# Names of the devices of a kind, or of both.
devices() { # [kind]
	for dev_dir in "$VIRTIO"/devices/*; do
		dev_kind=$(kind_of "${dev_dir##*/}")
		if [ -n "$dev_kind" ] && [ "${1:-$dev_kind}" = "$dev_kind" ]; then
			echo "${dev_dir##*/}"
		fi
	done
}

# Names of the devices that a driver of fpr has.
taken() {
	for dev_name in $(devices); do
		case $(driver_of "$dev_name") in
		virtio_fpr | virtio_fpr_vendor) echo "$dev_name" ;;
		esac
	done
}

# Feature bit of a device as negotiated by the driver that has (or had) it.
feature() { # device bit
	bits=$(rd "$VIRTIO/devices/$1/features")
	[ "$(printf '%s' "$bits" | cut -c $(($2 + 1)))" = 1 ]
}

no_device() {
	err 'this guest has no virtio balloon device and no device of fpr'\''s own; add one on the host:'
	err "  QEMU:    -device virtio-balloon-pci,free-page-reporting=on"
	err "  libvirt: <memballoon model='virtio' freePageReporting='on'/>"
	die "or, where it has a vendor's PCI ids: fprctl bind --pci-id=VVVV:DDDD"
}

# Set $dev and $kind to the device to work on: the one named; else, of those that
# fpr has, of fpr's own and of all, the first set of which is not empty.
pick_device() { # [name]
	found=$(devices)
	[ -n "$found" ] || no_device
	dev=${1:-}
	if [ -z "$dev" ]; then
		dev=$(taken)
		dev=${dev:-$(devices vendor)}
		dev=${dev:-$found}
		case $dev in
		*[!A-Za-z0-9._-]*) die "several devices, name one of them: $(in_words "$dev")" ;;
		esac
	fi
	kind=$(kind_of "$dev")
	[ -n "$kind" ] ||
		die "$dev is no virtio balloon device and not fpr's own; there is: $(in_words "$found")"
}
