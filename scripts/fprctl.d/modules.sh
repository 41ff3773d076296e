# shellcheck shell=sh
# SPDX-License-Identifier: GPL-2.0
# shellcheck disable=SC2154 # $here is that of fprctl
# Sourced by fprctl: loading virtio_fpr, and unloading what was loaded in vain.

# What the kernel logs when it or fpr refuses a load.
kernel_says='fpr: |virtio_fpr |[Uu]nsigned module|Loading of .* is rejected'

# Load virtio_fpr and what it needs; from the module tree, or from a directory.
load_virtio_fpr() {
	[ ! -d "$VIRTIO/drivers/virtio_fpr" ] || return 0
	had_core=0
	! loaded fpr || had_core=1
	load_error=$(tool modprobe virtio_fpr 2>&1) && loaded_here=1 && return 0
	for dir in "${FPR_MODULES:-}" "$here/.."; do
		if [ -z "$dir" ] || [ ! -f "$dir/virtio_fpr.ko" ] || [ ! -f "$dir/fpr.ko" ]; then
			continue
		fi
		[ "$had_core" = 1 ] || load_error=$(tool insmod "$dir/fpr.ko" 2>&1) || break
		if load_error=$(tool insmod "$dir/virtio_fpr.ko" 2>&1); then
			loaded_here=1
			return 0
		fi
		[ "$had_core" = 1 ] || tool rmmod fpr 2>/dev/null || :
		break
	done
	[ -z "$load_error" ] || err "$load_error"
	tool dmesg 2>/dev/null | grep -E "$kernel_says" | tail -n 2 >&2
	err "cannot load virtio_fpr for kernel $(release)."
	err 'Not installed? In the source tree: make dkms-install (needs dkms and'
	die "linux-headers-$(release)). Installed: see dmesg and fprctl doctor"
}

unload_again() {
	[ "${loaded_here:-0}" = 1 ] || return 0
	tool rmmod virtio_fpr 2>/dev/null || :
	[ "$had_core" = 1 ] || tool rmmod fpr 2>/dev/null || :
}
