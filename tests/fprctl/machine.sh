# shellcheck shell=sh
# SPDX-License-Identifier: GPL-2.0
# A made-up guest for fprctl: sysfs, /proc, /boot and the tools, below $FAKE.
# Everything is in order in it; a case then breaks what it is about.
# shellcheck disable=SC2154 # $here is set by run

# shellcheck source=tests/fprctl/pci.sh
. "$here/pci.sh"

put() { # file text
	case $1 in */*) mkdir -p "$FAKE/${1%/*}" ;; esac
	printf '%s\n' "$2" >"$FAKE/$1"
}

machine_core() { # directory that becomes /sys when the module is loaded
	put "$1/module/fpr/version" 0.1.0
	put "$1/module/fpr/parameters/allow_encrypted" N
	put "$1/module/fpr/parameters/force" N
	for pair in order=9 floor_order=4 delay_ms=800 cold_ms=2000 threshold_kb=2048 reserve_kb=0 hold_kb=65536 enabled=1 \
		state=no-device device=none pressure=unknown hook=tracepoint flush= allow_encrypted=N; do
		put "$1/kernel/fpr/${pair%%=*}" "${pair#*=}"
	done
	for pair in reported_pages=786432 reported_bytes=3221225472 \
		reported_free_pages=262144 reports=12 segments=96 errors=0 \
		isolate_failed=1 recycled_blocks=15 saved_blocks=8 kept_blocks=2 candidate_blocks=3 missed_events=0 marks=120 held_pages=0 \
		passes=14 wakeups=40 sweeps=2 drains=1 requests=0 last_pass_us=812 max_lock_hold_ns=13042; do
		put "$1/kernel/fpr/stats/${pair%%=*}" "${pair#*=}"
	done
}

machine_driver() { # directory driver
	put "$1/bus/virtio/drivers/$2/bind" ''
	put "$1/bus/virtio/drivers/$2/unbind" ''
	put "$1/module/$2/version" 0.1.0
}

# $1: virtio_balloon, virtio_fpr or none: who has the device virtio1.
# Made once of each kind, then copied.
machine() {
	rm -rf "$FAKE"
	if [ ! -d "$FAKE-$1" ]; then
		make_machine "$1"
		cp -RP "$FAKE" "$FAKE-$1"
	else
		cp -RP "$FAKE-$1" "$FAKE"
	fi
}

make_machine() { # who has the device
	mkdir -p "$FAKE/refuse" "$FAKE/installed" "$FAKE/tools" "$FAKE/etc/modprobe.d"
	for tool in dd modprobe insmod rmmod modinfo dmesg dkms; do
		ln -s "$here/tool" "$FAKE/tools/$tool"
	done
	touch "$FAKE/installed/fpr" "$FAKE/installed/virtio_fpr" "$FAKE/installed/virtio_balloon" \
		"$FAKE/calls"
	release=6.1.0-56-cloud-amd64
	put proc/sys/kernel/osrelease "$release"
	put proc/self/status "$(printf 'Name:\tsh\nUid:\t0\t0\t0\t0')"
	put proc/self/smaps 'KernelPageSize:        4 kB'
	put proc/meminfo "$(printf 'MemTotal:        4194304 kB\nMemFree:         2097152 kB')"
	put proc/uptime '100.00 50.00'
	put sys/kernel/btf/vmlinux BTF
	put proc/cmdline 'BOOT_IMAGE=/vmlinuz root=/dev/vda1 ro'
	put proc/cpuinfo 'flags		: fpu sse hypervisor lm'
	put proc/vmstat "$(printf 'balloon_inflate 512\nballoon_deflate 512')"
	put proc/kallsyms "$(for name in __isolate_free_page __putback_isolated_page \
		get_pfnblock_flags_mask __tracepoint_mm_page_free register_kprobe; do
		echo "0000000000000000 T $name"
	done)"
	put "boot/config-$release" "$(printf 'CONFIG_KPROBES=y\nCONFIG_TRACEPOINTS=y')"
	put "lib/modules/$release/build/Makefile" ''
	put sys/kernel/security/lockdown '[none] integrity confidentiality'
	put sys/kernel/debug/kprobes/enabled 1
	put sys/module/module/parameters/sig_enforce N
	put dmesg '<6>[    1.000000] Linux'
	put dkms "fpr/0.1.0, $release, x86_64: installed"
	put offered 0101010000000000000000000000000011000000000000000000000000000000
	put sys/bus/virtio/devices/virtio0/device 0x0001
	put sys/bus/virtio/devices/virtio1/device 0x0005
	put sys/bus/virtio/devices/virtio1/features 0000000000000000
	machine_driver sys virtio_balloon
	machine_core loaded.d/fpr
	machine_driver loaded.d/virtio_fpr virtio_fpr
	for file in bind unbind; do
		put "loaded.d/virtio_fpr/bus/virtio/drivers/virtio_fpr_vendor/$file" ''
	done
	for pair in report_timeout_ms=30000 vendor=0 device=0; do
		put "loaded.d/virtio_fpr/module/virtio_fpr/parameters/${pair%%=*}" "${pair#*=}"
	done
	for file in new_id remove_id bind unbind; do
		put "sys/bus/pci/drivers/virtio-pci/$file" ''
	done
	: >"$FAKE/dynids"
	case $1 in
	virtio_fpr) has_driver virtio1 virtio_fpr ;;
	virtio_balloon) has_driver virtio1 virtio_balloon ;;
	esac
}

# The state after a driver has taken a device.
has_driver() { # device driver
	if [ "$2" = virtio_fpr ]; then
		cp -R "$FAKE/loaded.d/fpr/." "$FAKE/loaded.d/virtio_fpr/." "$FAKE/sys/"
		put sys/kernel/fpr/device "$1"
		put sys/kernel/fpr/state idle
	fi
	cp "$FAKE/offered" "$FAKE/sys/bus/virtio/devices/$1/features"
	ln -s "../../drivers/$2" "$FAKE/sys/bus/virtio/devices/$1/driver"
}

# The host asks for a balloon, and the driver that has the device has made it.
balloon_of() { # device bytes
	put target "$2"
	put "ballooned-$1" "$2"
	put proc/vmstat "$(printf 'balloon_inflate %d\nballoon_deflate 512' $((512 + $2 / 4096)))"
}

second_balloon() {
	put sys/bus/virtio/devices/virtio2/device 0x0005
	put sys/bus/virtio/devices/virtio2/features 0000000000000000
	has_driver virtio2 virtio_balloon
}

# fpr's own device under the ids that virtio-pci knows by itself: virtio2
vendor_device() {
	pci_function 0000:00:05.0 1af4 104d 1af4 1100
	pci_probe 0000:00:05.0 virtio2
}

# One with a vendor's ids, which nobody knows; it becomes virtio5.
foreign_function() { # [vendor device subsystem-vendor subsystem-device]
	[ $# -gt 0 ] || set -- 1234 104d 5678 0009
	pci_function 0000:00:06.0 "$@"
}

no_balloon() { rm -r "$FAKE/sys/bus/virtio/devices/virtio1"; }
