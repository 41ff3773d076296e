# shellcheck shell=sh
# SPDX-License-Identifier: GPL-2.0
# shellcheck disable=SC2154 # $here is that of fprctl, $kept of bind
# Sourced by fprctl: loading virtio_fpr, and unloading what was loaded in vain.

# What the kernel logs when it or fpr refuses a load.
kernel_says='fpr: |virtio_fpr(_vendor)? |[Uu]nsigned module|Loading of .* is rejected'

# fpr comes with virtio_fpr, and stays when that fails.
unload_core() {
	if [ "$had_core" = 0 ] && loaded fpr; then
		tool rmmod fpr 2>/dev/null || :
	fi
}

# Load virtio_fpr and what it needs; from the module tree, or from a directory.
load_virtio_fpr() { # [parameter=value...]
	[ ! -d "$VIRTIO/drivers/virtio_fpr" ] || return 0
	had_core=0
	! loaded fpr || had_core=1
	load_error=$(tool modprobe virtio_fpr "$@" 2>&1) && loaded_here=1 && return 0
	unload_core
	for dir in "${FPR_MODULES:-}" "$here/.."; do
		if [ -z "$dir" ] || [ ! -f "$dir/virtio_fpr.ko" ] || [ ! -f "$dir/fpr.ko" ]; then
			continue
		fi
		[ "$had_core" = 1 ] || load_error=$(tool insmod "$dir/fpr.ko" 2>&1) || break
		if load_error=$(tool insmod "$dir/virtio_fpr.ko" "$@" 2>&1); then
			loaded_here=1
			return 0
		fi
		unload_core
		break
	done
	[ -z "${ids_given:-}" ] || forget_ids "$ids_given" || :
	# As it was, for the devices that it had
	[ -z "${kept:-}" ] || tool modprobe virtio_fpr 2>/dev/null || :
	[ -z "$load_error" ] || err "$load_error"
	tool dmesg 2>/dev/null | grep -E "$kernel_says" | tail -n 2 >&2
	err "cannot load virtio_fpr for kernel $(release)."
	err 'Not installed? In the source tree: make dkms-install (needs dkms and'
	die "linux-headers-$(release)). Installed: see dmesg and fprctl doctor"
}

# A driver that is loaded takes every device of its kinds that has none: back to
# none, but for the one that was meant and those that fpr had before.
release_others() { # device that was meant
	[ "${loaded_here:-0}" = 1 ] || return 0
	for other in $(taken); do
		! among "$other" "$1 $kept" || continue
		sysfs_write "$VIRTIO/drivers/$(driver_of "$other")/unbind" "$other" || :
	done
}

unload_again() {
	[ -z "${ids_given:-}" ] || forget_ids "$ids_given" || :
	[ "${loaded_here:-0}" = 1 ] && [ -z "$(taken)" ] || return 0
	tool rmmod virtio_fpr 2>/dev/null || :
	unload_core
}
