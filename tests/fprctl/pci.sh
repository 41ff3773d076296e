# shellcheck shell=sh
# SPDX-License-Identifier: GPL-2.0
# The made-up machine's PCI: functions, and the kernel's virtio-pci.  Sourced by
# machine.sh and by tool.  $FAKE/dynids holds the ids that were added to
# virtio-pci, a line each, as often as they were.

pci=$FAKE/sys/bus/pci

pci_function() { # name vendor device subsystem-vendor subsystem-device
	function_dir=$FAKE/sys/devices/pci/$1
	mkdir -p "$function_dir" "$pci/devices"
	echo "0x$2" >"$function_dir/vendor"
	echo "0x$3" >"$function_dir/device"
	echo "0x$4" >"$function_dir/subsystem_vendor"
	echo "0x$5" >"$function_dir/subsystem_device"
	ln -s "../../../devices/pci/$1" "$pci/devices/$1"
}

# Virtio-pci takes a function: a virtio device appears.
pci_probe() { # function virtio-device
	function_dir=$FAKE/sys/devices/pci/$1
	id=$(($(cat "$function_dir/device")))
	if [ "$id" -ge $((0x1040)) ]; then
		id=$((id - 0x1040))
	else
		id=$(($(cat "$function_dir/subsystem_device")))
	fi
	mkdir -p "$function_dir/$2" "$FAKE/sys/bus/virtio/devices"
	printf '0x%04x\n' "$id" >"$function_dir/$2/device"
	cat "$function_dir/subsystem_vendor" >"$function_dir/$2/vendor"
	echo 0000000000000000 >"$function_dir/$2/features"
	ln -sfn "../../../devices/pci/$1/$2" "$FAKE/sys/bus/virtio/devices/$2"
	ln -sfn ../../../bus/pci/drivers/virtio-pci "$function_dir/driver"
}

# Every function with these ids that has no driver
pci_match() { # vendor device, four digits each
	for function_dir in "$pci"/devices/*; do
		if [ ! -e "$function_dir" ] || [ -e "$function_dir/driver" ]; then
			continue
		fi
		[ "$(cat "$function_dir/vendor" "$function_dir/device" | tr '\n' ' ')" = "0x$1 0x$2 " ] || continue
		number=5
		while [ -e "$FAKE/sys/bus/virtio/devices/virtio$number" ]; do
			number=$((number + 1))
		done
		pci_probe "${function_dir##*/}" "virtio$number"
	done
}
