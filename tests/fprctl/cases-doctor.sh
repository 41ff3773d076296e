# shellcheck shell=sh
# SPDX-License-Identifier: GPL-2.0
# shellcheck disable=SC2154 # $out, $top and the checks are those of run
# doctor: each check says ok on a good machine, and its remedy on a broken one.

case_doctor_all_is_well() {
	machine virtio_fpr
	ctl doctor
	exits 0
	quiet
	prints ' 0 warnings, 0 failed'
	prints_not 'warn '
	for word in 'running as root' 'kernel 6.1.0-56-cloud-amd64' CONFIG_KPROBES \
		CONFIG_TRACEPOINTS __isolate_free_page __putback_isolated_page \
		'migratetype of a block' kmem:mm_page_free 'no lockdown' 'kprobes are not' \
		'signatures are not enforced' 'module fpr is loaded' 'headers of kernel' \
		'DKMS: fpr/0.1.0' 'page_poison' 'not encrypted' 'device virtio1, driver virtio_fpr' \
		'host offers free page reporting on virtio1' 'fpr reports to virtio1, state idle' \
		'no complaint'; do
		prints "$word"
	done
}

case_doctor_before_bind() {
	machine virtio_balloon
	ctl doctor
	exits 0
	prints 'ok module fpr is installed (0.1.0)'
	prints "warn the kernel's own reporting uses virtio1: fprctl bind virtio1"
	prints 'warn fpr is not loaded: fprctl bind'
	prints '2 warnings, 0 failed'
	not_called dd
	not_called modprobe
}

case_doctor_root() {
	machine virtio_fpr
	put proc/self/status "$(printf 'Uid:\t1000\t1000\t1000\t1000')"
	broken 1 'fail not root'
	prints 'sudo fprctl doctor'
}

case_doctor_release() {
	machine virtio_fpr
	mv "$FAKE/boot" "$FAKE/old"
	put proc/kallsyms "$(cat "$FAKE/proc/kallsyms"; echo '0 T tracepoint_probe_register')"
	for release in 5.9.0 4.19.0-27-amd64 7.4.0-rc1 10.0.1+deb14; do
		put proc/sys/kernel/osrelease "$release"
		broken 0 "warn kernel $release is outside the tested range"
	done
	rm "$FAKE/sys/kernel/btf/vmlinux"
	broken 1 'fail this kernel does not describe its functions'
	prints 'modprobe fpr force=1'
	put sys/module/fpr/parameters/force Y
	broken 0 'warn this kernel does not describe its functions; fpr runs by force=1'
	for release in 5.10.0 5.10.0-46-cloud-amd64 6.12.117+deb12-cloud-amd64 7.3-rc7 7.3.4+deb13-amd64; do
		put proc/sys/kernel/osrelease "$release"
		broken 0 "ok kernel $release (tested"
	done
}

case_doctor_config() {
	machine virtio_fpr
	rm "$FAKE/boot/config-6.1.0-56-cloud-amd64"
	broken 1 'fail kernel without CONFIG_TRACEPOINTS'
	prints 'ok kernel has CONFIG_KPROBES' # from kallsyms
	gzip -c >"$FAKE/proc/config.gz" <<-END
		CONFIG_TRACEPOINTS=y
		# CONFIG_KPROBES is not set
	END
	broken 0 'ok kernel has CONFIG_TRACEPOINTS'
	sed -i /register_kprobe/d "$FAKE/proc/kallsyms"
	broken 1 'fail kernel without CONFIG_KPROBES'
}

case_doctor_symbols() {
	machine virtio_fpr
	sed -i 's/__isolate_free_page/__isolate_free_page.constprop.0/' "$FAKE/proc/kallsyms"
	broken 1 'fail kernel symbol __isolate_free_page is missing'
	machine virtio_fpr
	sed -i /__putback/d "$FAKE/proc/kallsyms"
	broken 1 'fail kernel symbol __putback_isolated_page is missing'
	machine virtio_fpr
	sed -i s/get_pfnblock_flags_mask/get_pfnblock_migratetype/ "$FAKE/proc/kallsyms"
	broken 0 'ok kernel symbol for the migratetype'
	sed -i /get_pfnblock/d "$FAKE/proc/kallsyms"
	broken 1 'fail neither get_pfnblock_flags_mask nor get_pfnblock_migratetype'
	: >"$FAKE/proc/kallsyms"
	broken 1 'boot a kernel with CONFIG_KALLSYMS'
}

case_doctor_tracepoint() {
	machine virtio_fpr
	sed -i /__tracepoint/d "$FAKE/proc/kallsyms"
	broken 0 'warn tracepoint kmem:mm_page_free not found'
	prints 'mount -t tracefs'
	mkdir -p "$FAKE/sys/kernel/tracing/events/kmem"
	broken 1 'fail kernel without the tracepoint kmem:mm_page_free'
	prints 'modprobe fpr hook=none'
	mkdir -p "$FAKE/sys/kernel/tracing/events/kmem/mm_page_free"
	broken 0 'ok tracepoint kmem:mm_page_free'
}

case_doctor_lockdown() {
	machine virtio_fpr
	put sys/kernel/security/lockdown 'none integrity [confidentiality]'
	broken 0 'ok lockdown is "confidentiality", and fpr is loaded'
	for mode in '[integrity] confidentiality' 'integrity [confidentiality]'; do
		machine virtio_balloon
		put sys/kernel/security/lockdown "none $mode"
		mode=${mode#*[}
		broken 0 "warn lockdown is \"${mode%]*}\", unsigned modules are refused: enrol the key"
		prints 'or boot without'
	done
	machine virtio_fpr
	rm "$FAKE/sys/kernel/security/lockdown"
	broken 0 'ok no lockdown'
}

case_doctor_kprobes() {
	machine virtio_fpr
	put sys/kernel/debug/kprobes/enabled 0
	broken 0 'warn kprobes are switched off'
	prints 'echo 1 >'
}

case_doctor_signing() {
	machine virtio_balloon
	put sys/module/module/parameters/sig_enforce Y
	broken 0 'warn module signatures are enforced (sig_enforce), unsigned modules are refused: enrol the key'
	prints 'mokutil --import'
	machine virtio_fpr
	put sys/module/module/parameters/sig_enforce Y
	broken 0 'ok module signatures are enforced (sig_enforce), and fpr is loaded'
}

case_doctor_modules() {
	machine virtio_balloon
	rm "$FAKE/installed/virtio_fpr"
	broken 1 'fail module virtio_fpr is not installed'
	prints 'make dkms-install'
	rm "$FAKE/tools/modinfo"
	broken 1 'fail module fpr is not installed'
}

case_doctor_build() {
	machine virtio_fpr
	rm -r "$FAKE/lib/modules"
	broken 0 'warn no headers of kernel'
	prints 'apt-get install linux-headers-6.1.0-56-cloud-amd64'
	machine virtio_fpr
	put dkms 'fpr/0.1.0, 6.1.0-44-cloud-amd64, x86_64: installed'
	broken 0 'warn DKMS has fpr, but not installed for'
	prints 'dkms autoinstall -k 6.1.0-56-cloud-amd64'
	put dkms 'fpr/0.1.0: added'
	broken 0 'warn DKMS has fpr, but not installed for'
	put dkms "$(printf 'fpr/0.1.0, 6.1.0-44-cloud-amd64, x86_64: installed\nfpr/0.1.0, 6.1.0-56-cloud-amd64, x86_64: built')"
	broken 0 'warn DKMS has fpr, but not installed for'
	put dkms ''
	broken 0 'warn DKMS does not have fpr'
	rm "$FAKE/tools/dkms"
	ctl doctor
	exits 0
	prints_not DKMS
}

case_doctor_poison() {
	machine virtio_fpr
	put proc/cmdline 'ro page_poison=1 quiet'
	broken 0 'ok free pages need no content' # this kernel cannot poison
	echo CONFIG_PAGE_POISONING=y >>"$FAKE/boot/config-6.1.0-56-cloud-amd64"
	broken 0 'warn page_poison is on'
	rm "$FAKE/boot/config-6.1.0-56-cloud-amd64"
	put proc/kallsyms "$(cat "$FAKE/proc/kallsyms"; echo '0 T tracepoint_probe_register')"
	broken 0 'warn page_poison is on'
	put proc/cmdline 'init_on_free=1'
	broken 0 'warn init_on_free is on'
	prints 'boot with init_on_free=0'
	echo CONFIG_INIT_ON_FREE_DEFAULT_ON=y >"$FAKE/boot/config-6.1.0-56-cloud-amd64"
	put proc/cmdline 'ro'
	broken 0 'warn init_on_free is on'
	put proc/cmdline 'init_on_free=0'
	broken 0 'ok free pages need no content'
}

case_doctor_encrypted() {
	machine virtio_fpr
	put proc/cpuinfo 'flags		: fpu hypervisor sev sev_es'
	broken 1 'fail guest memory is encrypted'
	prints 'modprobe fpr allow_encrypted=1'
	put sys/module/fpr/parameters/allow_encrypted Y
	broken 0 'warn guest memory is encrypted'
	machine virtio_fpr
	put proc/cpuinfo 'flags		: fpu hypervisor tdx_guest'
	broken 1 'fail guest memory is encrypted'
	machine virtio_fpr
	put dmesg '<6>[    0.2] Memory Encryption Features active: AMD SEV SEV-ES'
	broken 1 'fail guest memory is encrypted'
	put dmesg '<6>[    0.2] Memory Encryption Features active: AMD SME'
	broken 0 'ok guest memory is not encrypted'
	put proc/cpuinfo 'flags		: fpu sev sev_es' # a host that could run such guests
	broken 0 'ok guest memory is not encrypted'
}

case_doctor_balloon() {
	machine none
	broken 0 'warn virtio1 has no driver, so what the host offers cannot be seen'
	put offered 0101000000000000
	has_driver virtio1 virtio_balloon
	broken 1 'fail host does not offer free page reporting on virtio1'
	prints 'free-page-reporting=on'
	prints "freePageReporting='on'"
	rm -r "$FAKE/sys/bus/virtio/devices/virtio1"
	broken 1 'fail no virtio balloon device'
	prints 'free-page-reporting=on'
}

case_doctor_state() {
	machine virtio_fpr
	put sys/kernel/fpr/state paused
	broken 0 'warn fpr is loaded, state paused (fprctl resume)'
	put sys/kernel/fpr/state no-device
	broken 0 'warn fpr is loaded, state no-device'
	put sys/kernel/fpr/state backoff
	broken 0 'warn fpr is loaded, state backoff'
	put sys/kernel/fpr/state waiting
	put sys/kernel/fpr/hook none
	broken 0 'warn fpr runs without a hook'
}

case_doctor_log() {
	machine virtio_fpr
	put dmesg "$(printf '<6>[ 1.0] fpr: loaded\n<4>[ 2.0] fpr: report failed: -5\n<3>[ 3.0] virtio_fpr virtio1: no answer, device reset\n<3>[ 4.0] other: bad')"
	broken 0 'warn fpr complained in the kernel log'
	prints 'latest: [ 3.0] virtio_fpr virtio1: no answer'
	put dmesg '<4>[ 3.0] virtio_fpr_vendor virtio2: memory was reported in vain'
	broken 0 'latest: [ 3.0] virtio_fpr_vendor virtio2: memory'
	put dmesg '<4>[ 1.0] fpr: loading out-of-tree module taints kernel.'
	broken 0 'ok no complaint'
	put dmesg '<30>[ 1.0] fpr: facility daemon, level info'
	broken 0 'ok no complaint'
	put refuse/dmesg x
	broken 0 'warn the kernel log cannot be read'
}
