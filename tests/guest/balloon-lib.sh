# shellcheck shell=dash
# SPDX-License-Identifier: GPL-2.0
# For inflate*.sh: what is asked of the host (tests/vm/balloonside.py), and what
# this side says of the balloon.
#
# What both drivers do alike can be tried with the kernel's own too, to see whether
# a test expects too much: run-tests --append DRIVER=virtio_balloon.
# The scripts name its module for that, and for kernels that keep no balloons and
# have no such module: there they are skipped.

: "${DRIVER:=virtio_fpr}"
# The unit of what follows is KiB.
MIB=1024
ours() { [ "$DRIVER" = virtio_fpr ]; }

# ours_only N: whether points follow that are for virtio_fpr alone; skips N if not
ours_only() {
	ours && return
	for _ in $(seq "$1"); do
		skip "for virtio_fpr" "the driver is $DRIVER"
	done
	return 1
}

# balloon_device: its name on the virtio bus now; fails without one
balloon_device() {
	for device in /sys/bus/virtio/devices/*; do
		if [ "$(cat "$device/device" 2>/dev/null)" = 0x0005 ]; then
			basename "$device"
			return
		fi
	done
	return 1
}
# The driver is there before it has probed, its files after that.
bound() {
	[ -e "/sys/bus/virtio/drivers/$DRIVER/$(balloon_device)" ] &&
		{ ! ours || balloon bytes >/dev/null 2>&1; }
}
unbind() { balloon_device >"/sys/bus/virtio/drivers/$DRIVER/unbind"; }
bind() { balloon_device >"/sys/bus/virtio/drivers/$DRIVER/bind"; }
rebind() { unbind && bind; }

# vmstat NAME: a line of /proc/vmstat, 0 where there is none
vmstat() { awk -v name="$1" '$1 == name { n = $2 } END { print n + 0 }' /proc/vmstat; }
# What is in the balloon by the kernel's count, pages
in_balloon() { echo $(($(vmstat balloon_inflate) - $(vmstat balloon_deflate))); }
in_balloon_is() { [ "$(in_balloon)" = "$1" ]; }

# zone NAME FIELD: of /proc/zoneinfo ("free", "managed", "high"), KiB in all nodes
zone() {
	awk -v zone="$1" -v field="$2" '$1 == "Node" { on = $4 == zone }
		on && $1 == "pages" && field == "free" { n += $3 }
		on && $1 == field { n += $2 }
		END { print n * 4 }' /proc/zoneinfo
}

# balloon NAME: of the files balloon_NAME in sysfs
balloon() { cat "/sys/bus/virtio/devices/$(balloon_device)/fpr/balloon_$1"; }

# balloon_kb: what is in the balloon now
balloon_kb() {
	if ours; then
		echo $(($(balloon bytes) / 1024))
	else
		echo $(($(in_balloon) * 4))
	fi
}
balloon_kb_is() { [ "$(balloon_kb)" = "$1" ]; }
balloon_above_kb() { [ "$(balloon_kb)" -gt "$1" ]; }
balloon_below_kb() { [ "$(balloon_kb)" -lt "$1" ]; }

# ask KIB: the host asks for a balloon of that size
ask() { host_sync "target-$1" >/dev/null; }
# reached KIB: so much is in the balloon in time, by this clock, and `actual` says so,
# exactly; a point of the host
reached() {
	if wait_until 50 balloon_kb_is "$1"; then
		host_sync "reached-$1" >/dev/null
	else
		host_sync "late-$1" >/dev/null
	fi
}
# short KIB: it stands still short of that; a point of the host
short() {
	short_of=$1
	ours && look_at=/sys/bus/virtio/devices/$(balloon_device)/fpr/balloon_bytes
	wait_until 50 stands_still || short_of=0
	host_sync "short-$short_of" >/dev/null
}
# For twenty looks in a row, which a guest that is not run for a while does not take
stands_still() {
	look
	still=$looked
	for _ in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do
		nap 100
		look
		[ "$looked" = "$still" ] || return 1
	done
}
# look: what is in the balloon, in $looked; without a process, which would take memory
# and free it
look() {
	if ours; then
		read -r looked <"$look_at"
		return
	fi
	looked=
	while read -r look_name look_pages; do
		case $look_name in
		balloon_inflate | balloon_deflate) looked="$looked $look_pages" ;;
		esac
	done </proc/vmstat
}
actual_kb() { host_sync actual; }
# host_kb: what the guest occupies on the host
host_kb() { host_sync memory; }

# inflate_to KIB: and a point, of both sides
inflate_to() {
	ask "$1"
	reached "$1"
	equal "a balloon of $1 KiB" "$(balloon_kb)" "$1"
}

# partly KIB: from an empty balloon on the way to one of that size: asks, and
# waits until some of it is there, hardly all
partly() {
	ask "$1"
	wait_until 10 balloon_above_kb 0
	diag "on the way: $(balloon_kb) of $1 KiB"
}

# load_driver [PARAMETER=VALUE...]
load_driver() {
	if ours; then
		modprobe fpr delay_ms=100 threshold_kb=0 && modprobe virtio_fpr "$@"
	else
		modprobe virtio_balloon
	fi
}
unload_driver() { rmmod "$DRIVER" && { ! ours || rmmod fpr; }; }

# remember_free: what is free now; free_again TEXT [KIB]: a point that is ok when all
# of it is free again, and no more than KIB on top
remember_free() {
	settle
	free_before=$(memfree_kb)
}
free_again() {
	settle
	memory_back "$1" "$free_before" "${2:-32768}"
}

# begin: the driver is loaded; a point.  finish [KIB]: the balloon empty, its memory
# free again, the driver unloaded, three points; and all is over for the host
begin() {
	check "the driver loads" load_driver
	remember_free
}
finish() {
	inflate_to 0
	free_again "the memory is back, KiB" "$@"
	check "unload" unload_driver
	host_sync over >/dev/null
}

# load SEED [MIB]: a load that verifies its memory; load_ends stops it
load() {
	memload 3600 "${2:-60}" 2 /mnt "$1" >/tmp/memload.log 2>&1 &
	load=$!
}
load_ends() {
	kill "$load"
	wait "$load"
	load_status=$?
	sed 's/^/# /' /tmp/memload.log
	return $load_status
}

# fill MIB: a file of that size; fill_all KIB: of all that is available but that
fill() { dd if=/dev/zero of=/mnt/file bs=1M count="$1" 2>/dev/null; }
fill_all() { fill $((($(meminfo MemAvailable) - $1) / 1024)); }

# freed_is_reported TEXT: a point, beside a load
freed_is_reported() {
	fill 60
	reported_before=$(fpr stats/reported_pages)
	rm /mnt/file
	# What the load leaves free is in small pieces.
	fpr_set order 0
	fpr_set flush 1
	fpr_set order 9
	check "$1" fpr_above stats/reported_pages "$reported_before"
}

# fuse MIB: a process that takes so much, and is who is killed for memory, if
# anybody is; burn kills it
fuse() {
	sh -c 'echo 1000 >/proc/self/oom_score_adj; exec hog "$@"' hog "$1" 3600000 >/dev/null 2>&1 &
	fuse=$!
	fuse_kb=$(($1 * MIB))
	wait_until 20 blown_up
}
blown_up() { [ "$(awk '/^VmRSS/ { print $2 }' "/proc/$fuse/status")" -ge "$fuse_kb" ]; }
holds() { kill -0 "$fuse"; }
burn() { kill -9 "$fuse"; }

mkdir -p /mnt
mount -t tmpfs -o size=95% tmpfs /mnt
