# shellcheck shell=sh
# SPDX-License-Identifier: GPL-2.0
# shellcheck disable=SC2154 # $write_error is that of common.sh
# Sourced by fprctl: PCI functions, and the ids of a vendor's.
#
# The kernel's virtio-pci driver looks for one vendor's devices.  The parameters
# vendor= and device= of virtio_fpr have it take another pair of ids, and nothing
# but its file remove_id makes it forget them, whatever becomes of the modules.

VIRTIO_PCI=$PCI/drivers/virtio-pci

# PCI function that a virtio device belongs to; nothing on another bus.
function_of() { # virtio device
	parent=$(readlink -f "$VIRTIO/devices/$1/..")
	[ ! -e "$parent/subsystem_vendor" ] || echo "${parent##*/}"
}

# "vvvv:dddd" of a PCI function, or, with "subsystem_", of its subsystem.
pci_ids_of() { # function [prefix]
	[ -n "$1" ] || return 0
	id_vendor=$(rd "$PCI/devices/$1/${2:-}vendor")
	id_device=$(rd "$PCI/devices/$1/${2:-}device")
	echo "${id_vendor#0x}:${id_device#0x}"
}

# " (PCI vvvv:dddd, subsystem vvvv:dddd)" of a virtio device, where it has them.
pci_text() { # virtio device
	function=$(function_of "$1")
	[ -z "$function" ] ||
		echo " (PCI $(pci_ids_of "$function"), subsystem $(pci_ids_of "$function" subsystem_))"
}

pci_driver_of() { # function -> driver name, or nothing
	if [ -L "$PCI/devices/$1/driver" ]; then
		link=$(readlink "$PCI/devices/$1/driver")
		echo "${link##*/}"
	fi
}

functions_with() { # ids
	for function_dir in "$PCI"/devices/*; do
		[ "$(pci_ids_of "${function_dir##*/}")" != "$1" ] || echo "${function_dir##*/}"
	done
}

# Names of the virtio devices of the functions with these ids.
virtio_with() { # ids
	for function in $(functions_with "$1"); do
		for child in "$PCI/devices/$function"/virtio*; do
			[ ! -d "$child" ] || echo "${child##*/}"
		done
	done
}

foreign() { # ids: does virtio-pci not know them by itself?
	case $1 in
	'' | 1af4:*) return 1 ;;
	esac
}

# Set $ids to those that the loaded module was given.
module_ids() {
	ids_vendor=$(rd "$SYS/module/virtio_fpr/parameters/vendor")
	ids_device=$(rd "$SYS/module/virtio_fpr/parameters/device")
	[ "${ids_vendor:-0}" != 0 ] || return 1
	ids=$(printf '%04x:%04x' "$ids_vendor" "$ids_device")
}

# Set $ids to those that modprobe would give it, by fprctl prefer.
configured_ids() {
	ids=$(sed -n 's/^options virtio_fpr vendor=0x\([0-9a-f]*\) device=0x\([0-9a-f]*\)$/\1:\2/p' \
		"$PREFER" 2>/dev/null)
	[ -n "$ids" ]
}

# Set $ids from an option.
parse_ids() { # text
	ids=$(printf '%s' "$1" | tr A-F a-f)
	case $ids in
	[0-9a-f][0-9a-f][0-9a-f][0-9a-f]:10[0-7][0-9a-f]) ;;
	*) ids= ;;
	esac
	case $ids in
	'' | 0000:* | ffff:*)
		usage_error "--pci-id=$1: two numbers of four hexadecimal digits, as lspci -n" \
			'shows them; a vendor from 0001 to fffe and a device from 1000 to 107f'
		;;
	1af4:*) usage_error "--pci-id=$1: virtio-pci takes devices of vendor 1af4 by itself" ;;
	esac
}

# Have virtio-pci forget the ids, and give up what it has by them.  They are in
# its list as often as they were added, and each write takes one of them out.
# Not being there is what is wanted.
forget_ids() { # ids
	forgotten=0 released=
	[ -e "$VIRTIO_PCI/remove_id" ] || return 0
	while sysfs_write "$VIRTIO_PCI/remove_id" "${1%:*} ${1#*:}"; do
		forgotten=$((forgotten + 1))
		[ "$forgotten" -lt 1000 ] || break
	done
	case $write_error in
	*'No such device'*) ;;
	*) return 1 ;;
	esac
	for function in $(functions_with "$1"); do
		[ "$(pci_driver_of "$function")" = virtio-pci ] || continue
		sysfs_write "$VIRTIO_PCI/unbind" "$function" || return 1
		released="$released $function"
	done
}
