# shellcheck shell=dash disable=SC2034,SC2154 # shared with torture.sh and torture-lib.sh
# SPDX-License-Identifier: GPL-2.0
# The actors of torture.sh.  Each has its own random numbers, made of the seed
# and its name; NAME_step is one action of it, NAME_pause how long it waits in
# between, at most (ms).

params_pause=250
control_pause=500
modules_pause=2500
machine_pause=800
host_pause=2500

# actor NAME: until LENGTH_S seconds of the run are over
actor() {
	actor_name=$1
	rnd_state=$(((SEED * 1000003 + ${#1} * 7919 + $(printf %d "'$1")) & 0x7fffffff))
	done_names=
	actor_end=$(($(uptime_ms) + LENGTH_S * 1000))
	while [ "$(uptime_ms)" -lt $actor_end ]; do
		"$1_step"
		eval "between 5 \$$1_pause"
		nap "$r"
	done
	for name in $done_names; do
		eval "count $name \$n_$name; count actions \$n_$name"
	done
}

# ---- parameters, good and bad, and how badly the device answers

set_param() { write "$2" "$FPR_SYSFS/$1" && did set "$1 $2"; }

set_delay() {
	one_of 90 90 90 90 90 500 2000 599990
	rnd "$r"
	set_param delay_ms $((r + 10))
}

set_threshold() {
	one_of 1 1 1 4096 100000 16777217
	rnd "$r"
	set_param threshold_kb "$r"
}

set_hold() {
	one_of 1 60000 1000000 16773121
	rnd "$r"
	set_param hold_kb $((r + 4096))
}

# What must be refused while the file is there
set_bad() {
	one_of "order 11" "order -1" "order x" "order 99999999999999999999" \
		"delay_ms 9" "delay_ms 600001" "delay_ms" "hold_kb 4095" \
		"hold_kb 16777217" "threshold_kb 16777217" "threshold_kb 1e3" \
		"enabled 2" "enabled maybe" "flush 0" "flush -1" "order 0x0b"
	bad=$r
	! write "${bad#* }" "$FPR_SYSFS/${bad%% *}" || wrong "$bad was taken"
	did invalid "$bad"
}

set_faults() {
	if [ -d /sys/module/virtio_fpr ]; then
		rnd 128
		write "$r" "$SYS_BADHOST/faults"
		between 2 25
		write "$r" "$SYS_BADHOST/one_in"
		between 1 300
		write "$r" "$SYS_BADHOST/max_late_ms"
		between 100 3000
		write "$r" /sys/module/virtio_fpr/parameters/report_timeout_ms
		did device_faults "$r"
	fi
	if [ -d /sys/module/fpr_testdev ]; then
		rnd 60
		write "$r" "$SYS_TESTDEV/random_delay_ms"
		one_of 0 0 6 15 50
		write "$r" "$SYS_TESTDEV/fail_one_in"
		did device_faults "testdev $r"
	fi
}

params_step() {
	one_of order order order delay delay threshold hold hold bad faults faults
	case $r in
	order)
		rnd 11
		set_param order "$r"
		;;
	*) "set_$r" ;;
	esac
}

# ---- pause, resume, flush, looking

control_step() {
	one_of flush flush pause read status hint hint
	case $r in
	flush)
		if write 1 "$FPR_SYSFS/flush"; then
			did flush
		else
			value "$FPR_SYSFS/state"
			did flush_failed "$v"
		fi
		;;
	pause)
		if write 0 "$FPR_SYSFS/enabled"; then
			value "$FPR_SYSFS/enabled"
			held=$v
			value "$FPR_SYSFS/stats/held_pages"
			# Unless it was loaded anew meanwhile.
			[ "$held" != 0 ] || [ "$v" = 0 ] || [ "$(fpr enabled)" != 0 ] ||
				wrong "$v pages held while paused"
			rnd 400
			nap "$r"
			did pause
		fi
		write 1 "$FPR_SYSFS/enabled"
		;;
	hint)
		# 0 stops
		between 0 1000
		write "$r" "$SYS_TESTDEV/hint" && did hint "$r"
		;;
	read)
		cat "$FPR_SYSFS"/* "$FPR_SYSFS"/stats/* >/dev/null 2>&1
		balloon
		value "$SYS_VIRTIO/devices/$v/fpr/balloon_target_bytes"
		target=$v
		balloon
		value "$SYS_VIRTIO/devices/$v/fpr/balloon_bytes"
		did read "balloon $((v >> 10)) of $((target >> 10)) KiB"
		;;
	status)
		fprctl status >/dev/null 2>&1
		did status
		;;
	esac
}

# ---- modules and bindings

# A device that was given up, or came back, is bound again.
revive() {
	[ -d /sys/module/virtio_fpr ] || return 0
	value "$FPR_SYSFS/device"
	[ "$v" = none ] || return 0
	balloon
	[ -n "$v" ] || return 0
	# It may be gone by now: unplugged.
	write "$v" "$SYS_VIRTIO/drivers/virtio_fpr/unbind"
	write "$v" "$SYS_VIRTIO/drivers/virtio_fpr/bind" && did revive "$v"
}

other_device() {
	other=fpr_testdev
	[ ! -d /sys/module/fpr_testdev ] || other=virtio_fpr
	uses $other || other=$DEVICES
}

reload_device() { # NAME
	unload virtio_fpr
	unload fpr_testdev
	load_device "$1" || wrong "$1 does not load"
	did load_device "$1"
}

reload_core() {
	unload_all || return
	one_of auto auto auto tracepoint none
	hook=$r
	rnd 11
	load_core hook="$hook" order="$r" || wrong "fpr does not load"
	did load_core "hook=$hook order=$r"
	other_device
	load_device "$other" || wrong "$other does not load"
}

second_device() {
	uses fpr_testdev && [ -d /sys/module/virtio_fpr ] || return
	if insmod /modules/fpr_testdev.ko 2>/dev/null; then
		# The other had been given up or unplugged.
		unload fpr_testdev
		did second_device taken
	else
		did second_device refused
	fi
}

bind_again() {
	[ -d /sys/module/virtio_fpr ] || return
	balloon
	[ -n "$v" ] || return
	write "$v" "$SYS_VIRTIO/drivers/virtio_fpr/unbind"
	rnd 200
	nap "$r"
	write "$v" "$SYS_VIRTIO/drivers/virtio_fpr/bind"
	did rebind "$v"
}

# To the kernel's own driver and back
stock_driver() {
	[ -d /sys/module/virtio_fpr ] || return
	modprobe virtio_balloon
	# Neither driver need get as far as the host asks.
	FPR_BALLOON_S=0 fprctl unbind >/dev/null 2>&1
	rnd 500
	nap "$r"
	FPR_BALLOON_S=0 fprctl bind --force >/dev/null 2>&1
	unload virtio_balloon
	did stock_driver
}

modules_step() {
	if [ ! -d /sys/module/fpr ]; then
		reload_core
		return
	fi
	revive
	one_of same same other other core second_device bind_again stock_driver nothing nothing
	case $r in
	same)
		other_device
		if [ "$other" = fpr_testdev ]; then other=virtio_fpr; else other=fpr_testdev; fi
		uses $other || other=$DEVICES
		reload_device "$other"
		;;
	other)
		other_device
		reload_device "$other"
		;;
	core) reload_core ;;
	nothing) ;;
	*) "$r" ;;
	esac
}

# ---- the machine: CPUs, memory, reclaim, pressure

cpu_away() {
	for file in /sys/devices/system/cpu/cpu[1-9]*/online; do
		write 0 "$file" && did cpu_offline
	done
	rnd 500
	nap "$r"
	for file in /sys/devices/system/cpu/cpu[1-9]*/online; do
		write 1 "$file"
	done
}

memory_online() {
	for block in /sys/devices/system/memory/memory[0-9]*; do
		value "$block/state"
		[ "$v" = online ] || write online_movable "$block/state" ||
			write online "$block/state" || :
	done
}

# As long as that much stays available
memory_away() {
	available_kb
	[ "$kb" -gt $((150000 + room_kb)) ] || return
	set -- /sys/devices/system/memory/memory[0-9]*
	one_of "$@"
	block=$r
	if timeout 5 sh -c "echo offline 2>/dev/null >$block/state" 2>/dev/null; then
		did memory_offline "${block##*/}"
	else
		did memory_offline_refused "${block##*/}"
	fi
	rnd 600
	nap "$r"
	memory_online
}

hugetlb_pool() {
	available_kb
	most=$(((kb - 100000 - room_kb) / 8192))
	[ $most -gt 0 ] || most=1
	rnd $most
	write "$r" /sys/kernel/mm/hugepages/hugepages-2048kB/nr_hugepages && did hugetlb "$r"
	# Contiguous memory by alloc_contig_range(), which mostly fails.
	gigantic=/sys/kernel/mm/hugepages/hugepages-1048576kB/nr_hugepages
	[ -e $gigantic ] && [ "$kb" -gt 1500000 ] || return
	rnd 2
	write "$r" $gigantic && value $gigantic && did hugetlb_1g "$r got $v"
}

huge_pages() {
	one_of always madvise never
	write "$r" /sys/kernel/mm/transparent_hugepage/enabled && did thp "$r"
}

watermarks() {
	one_of 1 2 4
	write $((min_free * r)) /proc/sys/vm/min_free_kbytes && did watermarks "$r"
}

# Up to the edge, and over it when the loads take back meanwhile what they had
# freed: then this is who goes.
pressure() {
	available_kb
	rnd 1500
	sh -c 'echo 1000 >/proc/self/oom_score_adj; exec hog "$@"' hog \
		$((kb / 1024)) "$r" 98304 >/tmp/hog 2>&1
	case $? in
	0) did pressure ;;
	1) cat /tmp/hog >>/tmp/hog.bad ;;
	137) did pressure_killed ;;
	*) wrong "hog: $(cat /tmp/hog)" ;;
	esac
}

machine_step() {
	one_of cpu memory memory hugetlb hugetlb compact drop thp watermarks pressure
	case $r in
	cpu) cpu_away ;;
	memory) memory_away ;;
	hugetlb) hugetlb_pool ;;
	compact) write 1 /proc/sys/vm/compact_memory && did compact ;;
	drop) write 3 /proc/sys/vm/drop_caches && did drop_caches ;;
	thp) huge_pages ;;
	*) "$r" ;;
	esac
}

# ---- what the host does: torture.host.py

host_says() { # MARKER
	answer=$(host_sync "$1") || wrong "the host does not answer to $1"
	did "host_${1%%-*}" "$1 $answer"
}

# Where virtio_mem forbids it, all devices are frozen, or some, and thawed again.
# Else the machine sleeps: once, since q35 loses its power management in that.
sleeping() {
	[ -z "$slept" ] || return 0
	grep -q mem /sys/power/state || return 0
	host_says suspend
	if write mem /sys/power/state; then
		slept=1
		did slept
	else
		did sleep_refused
	fi
	host_says awake
}

# The balloon, in odd sizes; whichever driver has the device then has to follow,
# and whoever unloads it to wait until it is empty.
balloon_size() {
	uses virtio_fpr || return 0
	available_kb
	one_of 0 $((kb / 8)) $((kb / 2)) $((kb * 5 / 4))
	[ "$r" = 0 ] || rnd "$r"
	host_says "balloon-$((r - r % 4))"
}

host_step() {
	one_of add unplug vmem vmem vmem suspend balloon balloon balloon balloon
	case $r in
	suspend) sleeping ;;
	balloon) balloon_size ;;
	add)
		[ "${dimms:-0}" -lt 2 ] || return
		dimms=$((${dimms:-0} + 1))
		host_says add
		;;
	unplug)
		# q35 notices no unplugging after it has slept.
		uses virtio_fpr && [ -z "$slept" ] || return
		host_says unplug
		rnd 1500
		nap "$r"
		host_says plug
		;;
	vmem)
		[ "$VIRTIO_MEM" = 1 ] || return 0
		between 0 128
		r=$((r * 4))
		available_kb
		# What is taken away has to fit elsewhere.
		[ $(((${vmem:-0} - r) * 1024 + 100000 + room_kb)) -lt "$kb" ] || return 0
		vmem=$r
		host_says "vmem-$vmem"
		;;
	esac
}
