# shellcheck shell=sh
# SPDX-License-Identifier: GPL-2.0
# shellcheck disable=SC2034,SC2154 # $dev, $ids, $kind and the like are those of other parts
# Sourced by fprctl: fprctl bind, fprctl unbind.

refuse_unoffered() {
	! feature "$dev" 5 || return 0
	[ "$force" = 0 ] || return 0
	err "the host does not offer free page reporting on $dev; switch it on there:"
	err "  $offer_hint"
	die 'or try all the same: fprctl bind --force'
}

# Is the device with the wanted driver, and does it work?
works() { # device driver
	[ "$(driver_of "$1")" = "$2" ] || return 1
	[ "$2" != virtio_balloon ] || return 0
	# By force it may be one that does not report.
	[ "$force" = 0 ] || return 0
	for _ in 1 2 3 4 5; do
		case $(rd "$CORE/device") in
		none | '') sleep 0.2 ;;
		*) return 0 ;;
		esac
	done
	write_error='fpr has no device'
	return 1
}

# Give a device from its driver ("" for none) to another one; back on failure.
swap() { # device from to
	write_error=
	if [ -n "$2" ] && ! sysfs_write "$VIRTIO/drivers/$2/unbind" "$1"; then
		unload_again
		die "cannot unbind $1 from $2: $write_error"
	fi
	if sysfs_write "$VIRTIO/drivers/$3/bind" "$1" && works "$1" "$3"; then
		return
	fi
	reason=${write_error:-$3 did not take it}
	if [ "$(driver_of "$1")" = "$3" ]; then
		sysfs_write "$VIRTIO/drivers/$3/unbind" "$1" || :
	fi
	err "cannot bind $1 to $3: $reason"
	tool dmesg 2>/dev/null | grep -E "fpr: |virtio_fpr |$3" | tail -n 2 >&2
	if [ -z "$2" ]; then
		err "$1 has no driver, as before"
	elif sysfs_write "$VIRTIO/drivers/$2/bind" "$1" && [ "$(driver_of "$1")" = "$2" ]; then
		err "$1 is back with $2, as before"
	else
		err "$1 could not be given back to $2 ($write_error) and has no driver now:"
		err "  echo $1 > $VIRTIO/drivers/$2/bind"
	fi
	unload_again
	die 'fprctl doctor tells more'
}

# What a device does now that fpr has it.
state_of() { # device
	case $(rd "$CORE/device") in
	"$1") echo "state $(rd "$CORE/state")" ;;
	*) echo "reports go to $(rd "$CORE/device"), state $(rd "$CORE/state")" ;;
	esac
}

bind_arguments() { # command arguments...
	force=0
	name=
	ids=
	command_name=$1
	shift
	for argument in "$@"; do
		case $argument in
		-f | --force) force=1 ;;
		--pci-id=*) parse_ids "${argument#*=}" ;;
		-*) usage_error "$command_name: unknown option $argument (there are --force and --pci-id=VVVV:DDDD)" ;;
		*)
			[ -z "$name" ] || usage_error "$command_name takes one device"
			name=$argument
			;;
		esac
	done
	[ -z "$name" ] || [ -z "$ids" ] || usage_error "$command_name takes a device or --pci-id, not both"
	need_root "$command_name"
}

bind_device() { # [name]
	if [ -z "$1" ] && [ "$(taken | wc -l)" -gt 1 ]; then
		for dev in $(taken); do
			echo "$dev is with $(driver_of "$dev") already"
		done
		return
	fi
	pick_device "$1"
	driver=$(driver_of "$dev")
	wanted=$(driver_for "$kind")
	case $driver in
	"$wanted")
		echo "$dev is with $wanted already"
		return
		;;
	virtio_balloon) ;;
	'') ;;
	*) die "$dev is with $driver, which fprctl does not know: unbind it first" ;;
	esac
	[ "$driver" != virtio_balloon ] || refuse_unoffered
	kept=$(taken)
	load_virtio_fpr
	release_others "$dev"
	[ "$wanted" = virtio_fpr_vendor ] || note_balloon "$dev" "$driver"
	# A driver that is loaded takes a device that has none by itself.
	if [ "$(driver_of "$dev")" != "$wanted" ]; then
		swap "$dev" "$driver" "$wanted"
	fi
	echo "$dev: ${driver:-no driver} -> $wanted, $(state_of "$dev")"
	[ "$wanted" = virtio_fpr_vendor ] || wait_balloon "$dev" "$wanted"
}

# Give the PCI functions with the ids to virtio-pci, and their device to fpr.
bind_ids() { # ids
	function=
	for function in $(functions_with "$1"); do
		case $(pci_driver_of "$function") in
		'' | virtio-pci) ;;
		*) die "PCI $function ($1) is with $(pci_driver_of "$function"): unbind it first" ;;
		esac
	done
	[ -n "$function" ] || die "this guest has no PCI device $1 (lspci -n shows what there is)"
	dev=$(virtio_with "$1" | sed 1q)
	if [ -n "$dev" ] && [ "$(driver_of "$dev")" = virtio_fpr_vendor ]; then
		echo "$dev is with virtio_fpr_vendor already"
		return
	fi
	# The module looks at its parameters when it is loaded.  What it has now, it takes
	# again then.
	kept=$(taken)
	for other in $kept; do
		echo "$other: virtio_fpr is loaded anew, with these ids"
		note_balloon "$other" "$(driver_of "$other")"
	done
	if loaded virtio_fpr && ! load_error=$(tool rmmod virtio_fpr 2>&1); then
		die "virtio_fpr has to be loaded with these ids and cannot be unloaded: $load_error"
	fi
	[ -n "$dev" ] || ids_given=$1
	load_virtio_fpr "vendor=0x${1%:*}" "device=0x${1#*:}"
	dev=$(virtio_with "$1" | sed 1q)
	if [ -z "$dev" ]; then
		err "virtio-pci did not make a virtio device of PCI $function ($1)"
		tool dmesg 2>/dev/null | grep -F "$function" | tail -n 2 >&2
		unload_again
		exit 1
	fi
	release_others "$dev"
	if [ "$(driver_of "$dev")" != virtio_fpr_vendor ]; then
		swap "$dev" '' virtio_fpr_vendor
	fi
	echo "$dev, PCI $(function_of "$dev") ($1): no driver -> virtio_fpr_vendor, $(state_of "$dev")"
	for other in $kept; do
		wait_balloon "$other" "$(driver_of "$other")"
	done
}

cmd_bind() {
	bind_arguments bind "$@"
	if [ -n "$ids" ]; then
		bind_ids "$ids"
	elif [ -z "$name$(taken)" ] && { module_ids || configured_ids; } &&
		[ -n "$(functions_with "$ids")" ]; then
		bind_ids "$ids"
	else
		bind_device "$name"
	fi
}

unbind_stock() {
	case $driver in
	virtio_balloon)
		echo "$dev is with virtio_balloon already"
		return
		;;
	virtio_fpr | '') ;;
	*) die "$dev is with $driver, which fprctl does not know: unbind it first" ;;
	esac
	if [ ! -d "$VIRTIO/drivers/virtio_balloon" ] &&
		! load_error=$(tool modprobe virtio_balloon 2>&1); then
		err "$load_error"
		err "cannot load virtio_balloon; $dev stays as it is. To leave it without driver:"
		die "  echo $dev > $VIRTIO/drivers/virtio_fpr/unbind"
	fi
	# A driver that is loaded takes a device that has none by itself.
	if [ "$(driver_of "$dev")" != virtio_balloon ]; then
		note_balloon "$dev" "$driver"
		swap "$dev" "$driver" virtio_balloon
	fi
	echo "$dev: ${driver:-no driver} -> virtio_balloon"
	[ "$driver" != virtio_fpr ] || wait_balloon "$dev" virtio_balloon
}

# Nobody else wants this one.
release_vendor() { # device
	case $(driver_of "$1") in
	virtio_fpr_vendor)
		sysfs_write "$VIRTIO/drivers/virtio_fpr_vendor/unbind" "$1" ||
			die "cannot unbind $1 from virtio_fpr_vendor: $write_error"
		echo "$1: virtio_fpr_vendor -> no driver"
		;;
	'') echo "$1 has no driver already" ;;
	*) die "$1 is with $(driver_of "$1"), which fprctl does not know: unbind it first" ;;
	esac
}

unbind_ids() { # ids
	for device in $(virtio_with "$1"); do
		release_vendor "$device"
	done
	forget_ids "$1" || die "virtio-pci cannot be made to forget $1: $write_error"
	[ -z "$released" ] || echo "PCI$released: virtio-pci -> no driver"
	if [ "$forgotten" = 0 ]; then
		echo "virtio-pci does not know the PCI ids $1"
	else
		echo "virtio-pci has forgotten the PCI ids $1"
	fi
}

cmd_unbind() {
	bind_arguments unbind "$@"
	if [ -z "$ids" ] && [ -z "$name" ] && [ -z "$(devices)" ] &&
		{ module_ids || configured_ids; }; then
		: # given back before
	elif [ -z "$ids" ]; then
		pick_device "$name"
		driver=$(driver_of "$dev")
		if [ "$kind" = stock ]; then
			unbind_stock
			return
		fi
		ids=$(pci_ids_of "$(function_of "$dev")")
		if ! foreign "$ids"; then
			release_vendor "$dev"
			return
		fi
	fi
	unbind_ids "$ids"
}
