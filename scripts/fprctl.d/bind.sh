# shellcheck shell=sh
# SPDX-License-Identifier: GPL-2.0
# shellcheck disable=SC2154 # $dev, $offer_hint and $write_error are those of other parts
# Sourced by fprctl: fprctl bind, fprctl unbind.

refuse_inflated() {
	pages=$(awk '$1 == "balloon_inflate" { n += $2 } $1 == "balloon_deflate" { n -= $2 }
		END { print n + 0 }' "$PROC/vmstat" 2>/dev/null)
	[ "${pages:-0}" -gt 0 ] || return 0
	size=$(human $((pages * $(page_bytes))))
	if [ "$force" = 1 ]; then
		err "note: the balloon is inflated by $size, the guest takes that back now"
		return
	fi
	err "the balloon is inflated by $size, and unbinding would give that back to"
	err 'the guest at once. Deflate it on the host first (QEMU monitor: balloon'
	die '<all of the MiB>; virsh setmem --live), or insist: fprctl bind --force'
}

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
	[ "$2" = virtio_fpr ] || return 0
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

bind_arguments() { # command arguments...
	force=0
	name=
	command_name=$1
	shift
	for argument in "$@"; do
		case $argument in
		-f | --force) force=1 ;;
		-*) usage_error "$command_name: unknown option $argument (--force is the only one)" ;;
		*)
			[ -z "$name" ] || usage_error "$command_name takes one device"
			name=$argument
			;;
		esac
	done
	need_root "$command_name"
	pick_device "$name"
	driver=$(driver_of "$dev")
}

cmd_bind() {
	bind_arguments bind "$@"
	case $driver in
	virtio_fpr)
		echo "$dev is with virtio_fpr already"
		return
		;;
	virtio_balloon)
		refuse_inflated
		refuse_unoffered
		;;
	'') ;;
	*) die "$dev is with $driver, which fprctl does not know: unbind it first" ;;
	esac
	load_virtio_fpr
	# A driver that is loaded takes a device that has none by itself.
	if [ "$(driver_of "$dev")" != virtio_fpr ]; then
		swap "$dev" "$driver" virtio_fpr
	fi
	echo "$dev: ${driver:-no driver} -> virtio_fpr, state $(rd "$CORE/state")"
}

cmd_unbind() {
	bind_arguments unbind "$@"
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
	if [ "$(driver_of "$dev")" != virtio_balloon ]; then
		swap "$dev" "$driver" virtio_balloon
	fi
	echo "$dev: ${driver:-no driver} -> virtio_balloon"
}
