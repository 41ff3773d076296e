# shellcheck shell=sh
# SPDX-License-Identifier: GPL-2.0
# Sourced by fprctl: what doctor asks of the kernel and its modules.

check_release() {
	version_number=$(release | awk -F '[.-]' '{ print $1 * 1000 + $2 }')
	if [ "$version_number" -ge 5010 ] && [ "$version_number" -le 7003 ]; then
		ok "kernel $(release) (tested range: 5.10 to 7.3)"
	else
		warn "kernel $(release) is outside the tested range 5.10 to 7.3:" \
			'it may work; watch dmesg and tell us'
		check_described
	fi
}

# Its functions have to be compared with those that fpr knows.
check_described() {
	[ ! -e "$SYS/kernel/btf/vmlinux" ] || return 0
	case $(rd "$SYS/module/fpr/parameters/force") in
	1 | Y) warn 'this kernel does not describe its functions; fpr runs by force=1' ;;
	*)
		fail 'this kernel does not describe its functions (CONFIG_DEBUG_INFO_BTF):' \
			'"modprobe fpr force=1" loads at your own risk'
		;;
	esac
}

# Kernel configuration as text, from wherever this system keeps it.
kernel_config() {
	for config in "$ROOT/boot/config-$(release)" \
		"$ROOT/lib/modules/$(release)/config" \
		"$ROOT/usr/lib/modules/$(release)/config" \
		"$ROOT/lib/modules/$(release)/build/.config"; do
		if [ -r "$config" ]; then
			cat "$config"
			return
		fi
	done
	[ ! -r "$PROC/config.gz" ] || gzip -dc <"$PROC/config.gz"
}

# $symbols: those of the kernel's symbols that the checks ask for.
read_symbols() {
	symbols=$(awk '$3 ~ /^(__isolate_free_page|__putback_isolated_page|get_pfnblock_flags_mask|get_pfnblock_migratetype|__tracepoint_mm_page_free|register_kprobe|tracepoint_probe_register)$/ { print $3 }' \
		"$PROC/kallsyms" 2>/dev/null)
}

symbol() {
	case "
$symbols
" in
	*"
$1
"*) return 0 ;;
	esac
	return 1
}

config_or_symbol() { # option symbol
	if printf '%s\n' "$config_text" | grep -q "^$1=y" || symbol "$2"; then
		ok "kernel has $1"
	else
		fail "kernel without $1: boot a kernel built with it (every Debian kernel is)"
	fi
}

check_config() {
	config_text=$(kernel_config | grep -E '^CONFIG_(KPROBES|TRACEPOINTS|PAGE_POISONING|INIT_ON_FREE_DEFAULT_ON)=')
	config_or_symbol CONFIG_KPROBES register_kprobe
	config_or_symbol CONFIG_TRACEPOINTS tracepoint_probe_register
}

check_tracepoint() {
	tracefs=
	for events in "$SYS/kernel/tracing/events" "$SYS/kernel/debug/tracing/events"; do
		if [ -d "$events/kmem/mm_page_free" ]; then
			ok 'tracepoint kmem:mm_page_free'
			return
		fi
		[ ! -d "$events/kmem" ] || tracefs=$events
	done
	if symbol __tracepoint_mm_page_free; then
		ok 'tracepoint kmem:mm_page_free (seen in kallsyms)'
	elif [ -n "$tracefs" ]; then
		fail 'kernel without the tracepoint kmem:mm_page_free: use the slow sweep alone,' \
			'"modprobe fpr hook=none"'
	else
		warn 'tracepoint kmem:mm_page_free not found: mount tracefs' \
			"(mount -t tracefs tracefs $SYS/kernel/tracing) and look again"
	fi
}

check_symbols() {
	if [ -z "$symbols" ]; then
		fail "$PROC/kallsyms has none of the kernel's symbols: boot a kernel with CONFIG_KALLSYMS"
		return
	fi
	for name in __isolate_free_page __putback_isolated_page; do
		if symbol "$name"; then
			ok "kernel symbol $name"
		else
			fail "kernel symbol $name is missing, fpr cannot take free pages:" \
				'boot a distribution kernel from 5.10 on'
		fi
	done
	if symbol get_pfnblock_flags_mask || symbol get_pfnblock_migratetype; then
		ok 'kernel symbol for the migratetype of a block'
	else
		fail 'neither get_pfnblock_flags_mask nor get_pfnblock_migratetype in the' \
			'kernel: boot a distribution kernel from 5.10 on'
	fi
}

check_lockdown() {
	mode=$(rd "$SYS/kernel/security/lockdown" | sed -n 's/.*\[\(.*\)\].*/\1/p')
	case $mode in
	integrity | confidentiality)
		# What it forbids is kprobes of user space, and unsigned modules.
		signing_matters="lockdown is \"$mode\""
		ok "lockdown is \"$mode\" (a signed fpr may do all it needs)"
		;;
	*) ok 'no lockdown' ;;
	esac
}

check_kprobes() {
	case $(rd "$SYS/kernel/debug/kprobes/enabled") in
	0)
		warn 'kprobes are switched off, a hook of that kind would not fire:' \
			"echo 1 > $SYS/kernel/debug/kprobes/enabled"
		;;
	*) ok 'kprobes are not switched off' ;;
	esac
}

check_signing() {
	[ "$(rd "$SYS/module/module/parameters/sig_enforce")" != Y ] ||
		signing_matters='module signatures are enforced (sig_enforce)'
	if [ -z "$signing_matters" ]; then
		ok 'module signatures are not enforced'
	elif loaded fpr; then
		ok "$signing_matters, and fpr is loaded"
	else
		warn "$signing_matters, unsigned modules are refused: enrol the key that DKMS" \
			'signs with (mokutil --import /var/lib/dkms/mok.pub, then reboot), or boot without'
	fi
}

check_modules() {
	for module in fpr virtio_fpr; do
		if loaded "$module"; then
			ok "module $module is loaded ($(rd "$SYS/module/$module/version"))"
		elif have modinfo && version=$(tool modinfo -F version "$module" 2>/dev/null); then
			ok "module $module is installed ($version)"
		else
			fail "module $module is not installed for $(release):" \
				'make dkms-install in the source tree'
		fi
	done
}

check_build() {
	if [ -d "$ROOT/lib/modules/$(release)/build/" ]; then
		ok "headers of kernel $(release)"
	else
		warn "no headers of kernel $(release), modules cannot be built for it:" \
			"apt-get install linux-headers-$(release)"
	fi
	have dkms || return 0
	dkms_text=$(tool dkms status fpr 2>/dev/null)
	case $dkms_text in
	*"$(release)"*installed*) ok "DKMS: $(printf '%s\n' "$dkms_text" | grep -F "$(release)" | sed 1q)" ;;
	*fpr*)
		warn "DKMS has fpr, but not installed for $(release):" \
			"dkms autoinstall -k $(release)"
		;;
	*)
		warn 'DKMS does not have fpr, a new kernel will come without it:' \
			'make dkms-install in the source tree'
		;;
	esac
}
