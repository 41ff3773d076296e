# shellcheck shell=sh
# SPDX-License-Identifier: GPL-2.0
# shellcheck disable=SC2034 # $offer_hint is for the other parts
# Sourced by fprctl: the virtio devices that can take reports.

# What a host has to be told for the stock device.
offer_hint="QEMU: -device virtio-balloon-pci,free-page-reporting=on; libvirt: <memballoon model='virtio' freePageReporting='on'/>"

# Names of the virtio devices with id 5 (memory balloon).
balloons() {
	for dev_dir in "$VIRTIO"/devices/*; do
		case $(rd "$dev_dir/device") in
		0x0005) echo "${dev_dir##*/}" ;;
		esac
	done
}

driver_of() { # device -> driver name, or nothing
	if [ -L "$VIRTIO/devices/$1/driver" ]; then
		link=$(readlink "$VIRTIO/devices/$1/driver")
		echo "${link##*/}"
	fi
}

# Feature bit of a device as negotiated by the driver that has (or had) it.
feature() { # device bit
	bits=$(rd "$VIRTIO/devices/$1/features")
	[ "$(printf '%s' "$bits" | cut -c $(($2 + 1)))" = 1 ]
}

# Set $dev to the device to work on: the one named, or the only balloon.
pick_device() { # [name]
	found=$(balloons)
	if [ -z "$found" ]; then
		err "this guest has no virtio balloon device; add one on the host:"
		err "  QEMU:    -device virtio-balloon-pci,free-page-reporting=on"
		die "  libvirt: <memballoon model='virtio' freePageReporting='on'/>"
	fi
	if [ -n "${1:-}" ]; then
		for dev in $found; do
			[ "$dev" = "$1" ] && return
		done
		die "$1 is not a virtio balloon device; there is: $(echo "$found" | tr '\n' ' ')"
	fi
	dev=$found
	case $found in
	*[!A-Za-z0-9._-]*)
		die "several balloon devices, name one of them: $(echo "$found" | tr '\n' ' ')"
		;;
	esac
}
