# shellcheck shell=sh
# SPDX-License-Identifier: GPL-2.0
# shellcheck disable=SC2154 # $ids and $offer_hint are those of other parts
# Sourced by fprctl: what doctor asks of memory, devices and fpr at work.

# Can this kernel poison free pages?  Without a known configuration: perhaps.
can_poison() {
	[ -z "$config_text" ] ||
		printf '%s\n' "$config_text" | grep -q '^CONFIG_PAGE_POISONING=y'
}

check_poison() {
	cmdline=" $(rd "$PROC/cmdline") "
	quiet=1
	case $cmdline in
	*' page_poison=1 '* | *' page_poison=on '* | *' page_poison=y '*)
		if can_poison; then
			quiet=0
			warn 'page_poison is on, free pages must keep the poison byte: some hosts' \
				'refuse that, QEMU takes reports and frees nothing; boot with page_poison=0'
		fi
		;;
	esac
	case $cmdline in
	*' init_on_free=1 '* | *' init_on_free=on '* | *' init_on_free=y '*) zeroed=1 ;;
	*' init_on_free='*) zeroed=0 ;;
	*) zeroed=$(printf '%s\n' "$config_text" | grep -c '^CONFIG_INIT_ON_FREE_DEFAULT_ON=y') ;;
	esac
	if [ "$zeroed" = 1 ]; then
		quiet=0
		warn 'init_on_free is on, reported pages must come back as zeroes: fpr refuses' \
			'a host that does not promise it; boot with init_on_free=0 if it does'
	fi
	[ "$quiet" = 0 ] || ok 'free pages need no content (no page_poison, no init_on_free)'
}

encrypted() {
	flags=" $(awk '/^flags/ { print; exit }' "$PROC/cpuinfo" 2>/dev/null) "
	case $flags in
	*' tdx_guest '*) return 0 ;;
	*' hypervisor '*) case $flags in *' sev '*) return 0 ;; esac ;;
	esac
	tool dmesg 2>/dev/null |
		grep -E 'Memory Encryption Features active:.*(SEV|TDX)' >/dev/null
}

check_encrypted() {
	if ! encrypted; then
		ok 'guest memory is not encrypted'
		return
	fi
	case $(rd "$SYS/module/fpr/parameters/allow_encrypted") in
	1 | Y) warn 'guest memory is encrypted (SEV or TDX); fpr runs by allow_encrypted=1' ;;
	*)
		fail 'guest memory is encrypted (SEV or TDX), where a reported page may not be' \
			'taken back safely: do not use fpr here, or insist with' \
			'"modprobe fpr allow_encrypted=1"'
		;;
	esac
}

check_offer() { # device driver
	if [ -z "$2" ]; then
		warn "$1 has no driver, so what the host offers cannot be seen:" \
			'fprctl bind (the features file shows what a driver negotiated)'
	elif feature "$1" 5; then
		ok "host offers free page reporting on $1"
	else
		fail "host does not offer free page reporting on $1 (or the kernel declined" \
			"it, see page_poison and init_on_free above). $offer_hint"
	fi
}

check_stock() { # device driver
	ok "balloon device $1, driver ${2:-none}"
	if [ "$2" != virtio_fpr ] && [ -n "$own" ]; then
		# fpr does not need this one.
		if [ "$2" = virtio_balloon ] && feature "$1" 5; then
			warn "the kernel's own reporting uses $1 beside fpr's own device, which reports" \
				"the same memory twice: fprctl bind $1, or offer no free page reporting" \
				'on it on the host'
		fi
		return
	fi
	if [ "$2" = virtio_fpr ] && [ "$(rd "$CORE/device")" != "$1" ] && [ -n "$own" ]; then
		return # its balloon and statistics only
	fi
	check_offer "$1" "$2"
	if [ "$2" = virtio_balloon ] && feature "$1" 5; then
		warn "the kernel's own reporting uses $1: fprctl bind $1 switches to fpr"
	fi
}

check_vendor() { # device driver
	case $2 in
	virtio_fpr_vendor) ok "fpr's own device $1$(pci_text "$1"), driver $2" ;;
	'')
		if [ -n "$stock_taken" ]; then
			warn "fpr reports to $stock_taken, and its own device $1$(pci_text "$1"), which says" \
				"what it discarded, has no driver: fprctl bind $1 (the balloon stays with $stock_taken)"
		else
			warn "fpr's own device $1$(pci_text "$1") has no driver: fprctl bind $1" \
				'(when it was refused, dmesg tells why)'
		fi
		;;
	*) warn "fpr's own device $1$(pci_text "$1") is with $2: unbind it, then fprctl bind $1" ;;
	esac
}

# PCI ids that were given to virtio_fpr, or will be.
check_ids() {
	module_ids || configured_ids || return 0
	found=$(functions_with "$ids")
	if [ -z "$found" ]; then
		warn "this guest has no PCI device $ids, whose ids virtio_fpr was given"
	fi
	for function in $found; do
		case $(pci_driver_of "$function") in
		virtio-pci) ok "PCI $function ($ids) is with virtio-pci" ;;
		'') warn "PCI $function ($ids) has no driver: fprctl bind --pci-id=$ids" ;;
		*) warn "PCI $function ($ids) is with $(pci_driver_of "$function"): unbind it," \
			"then fprctl bind --pci-id=$ids" ;;
		esac
	done
}

check_devices() {
	own=$(devices vendor)
	stock_taken=
	check_ids
	if [ -z "$(devices)" ]; then
		fail "no virtio balloon device and no device of fpr's own in this guest. $offer_hint;" \
			"one with a vendor's PCI ids: fprctl bind --pci-id=VVVV:DDDD"
	fi
	for dev in $(devices stock); do
		driver=$(driver_of "$dev")
		[ "$driver" != virtio_fpr ] || stock_taken=$dev
		check_stock "$dev" "$driver"
	done
	for dev in $own; do
		check_vendor "$dev" "$(driver_of "$dev")"
	done
}

check_state() {
	if [ ! -d "$CORE" ]; then
		warn 'fpr is not loaded: fprctl bind'
		return
	fi
	state=$(rd "$CORE/state")
	case $state in
	idle | waiting | reporting) ok "fpr reports to $(rd "$CORE/device"), state $state" ;;
	*) warn "fpr is loaded, state $(state_text "$state")" ;;
	esac
	if [ "$(rd "$CORE/hook")" = none ]; then
		warn 'fpr runs without a hook and finds free memory by its slow sweep only:' \
			'load it without hook=none; dmesg tells why a hook did not fire'
	fi
}

# Warnings and errors that fpr left in the kernel log.
check_log() {
	if ! log_text=$(tool dmesg -r 2>/dev/null); then
		warn 'the kernel log cannot be read: run as root'
		return
	fi
	complaints=$(printf '%s\n' "$log_text" | awk '
		/(fpr: |virtio_fpr(_vendor)? )/ && !/taint/ && match($0, /^<[0-9]+>/) && substr($0, 2, RLENGTH - 2) % 8 <= 4 {
			sub(/^<[0-9]+>/, ""); print }')
	if [ -z "$complaints" ]; then
		ok 'no complaint of fpr in the kernel log'
	else
		warn "fpr complained in the kernel log (dmesg | grep fpr), latest:" \
			"$(printf '%s\n' "$complaints" | sed -n '$p')"
	fi
}
