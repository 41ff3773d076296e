#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# The balloon: exact on both sides, memory leaves the host and comes back, odd and
# changing targets, and more than there is, under a load that verifies its memory;
# reporting goes on beside it.
# vm: mem=512 smp=2 timeout=150 balloon=free-page-reporting=on
# vm: modules=fpr,virtio_fpr,virtio_balloon
# vm: files=memload,hog,balloon-lib.sh,docs/abi/sysfs-bus-virtio-fpr
# vm: alone="counts the balloon's pages from the boot on"
# shellcheck disable=SC1091 # the paths are the guest's
. /test/lib.sh
. /bin/balloon-lib.sh
plan 43

check "the driver loads" load_driver
equal "the guest has all its memory" "$(balloon_kb) $(actual_kb)" "0 0"
if ours_only 2; then
	awk -F/ '/^What:/ { print $NF }' /bin/sysfs-bus-virtio-fpr |
		grep -E '^(reporting|balloon_|hinted_)' | sort >/tmp/documented
	find "/sys/bus/virtio/devices/$(balloon_device)/fpr" -type f -exec basename {} \; |
		sort >/tmp/present
	check "its files are as documented" diff /tmp/documented /tmp/present
	check "what is free is reported" fpr_set flush 1
fi
remember_free

# What was used once is on the host, and leaves it with the balloon alone.
! ours || fpr_set enabled 0
fill_all 32768
rm /mnt/file
total=$(meminfo MemTotal)
full=$(host_kb)
inflate_to $((160 * MIB))
left=$(((full - $(host_kb)) / MIB))
equal "vmstat: inflated, pages" "$(vmstat balloon_inflate)" 40960
equal "vmstat: deflated, pages" "$(vmstat balloon_deflate)" 0
equal "the guest has as much less, KiB" $((total - $(meminfo MemTotal))) $((160 * MIB))
if ours_only 4; then
	equal "the target is shown" "$(balloon target_bytes)" $((160 * MIB * MIB))
	in_range "most of it is in chunks, bytes" "$(balloon chunk_bytes)" \
		$((120 * MIB * MIB)) $((160 * MIB * MIB))
	# It took what was not on the host, too.
	in_range "it has left the host, MiB" $left $((110 - ${FPR_KEEPS:-0} * 5)) 170
	check "reporting goes on" fpr_set enabled 1
fi

# The host is told page by page, but of long runs before, in one piece each.
inflate_to 0
if ours_only 2; then
	# Paused: nobody else reports.
	fpr_set enabled 0
	host_sync trace >/dev/null
	inflate_to $((40 * MIB))
	discards=$(host_sync discards)
	in_range "discarded in pieces of 2 MiB or more, KiB" "${discards#* }" $((30 * MIB)) $((41 * MIB))
	fpr_set enabled 1
fi
inflate_to $((160 * MIB))

# All of the following under a load.
load 1
inflate_to $((100 * MIB))
equal "the kernel's count agrees, pages" "$(in_balloon)" 25600
equal "the guest has that again, KiB" $((total - $(meminfo MemTotal))) $((100 * MIB))
for kib in 4 2052 102404 0; do
	inflate_to $kib
done

# It turns round before it is there.
for pause in 10 50 200; do
	ask $((200 * MIB))
	nap $pause
	ask 4096
	nap $pause
	ask $((150 * MIB))
	nap $pause
	ask 0
done
inflate_to $((120 * MIB))
equal "the kernel's count agrees, pages" "$(in_balloon)" 30720

# Reporting goes on beside it.
if ours_only 3; then
	check "all that is free is reported" fpr_set flush 1
	freed_is_reported "what is freed is reported"
	equal "no error" "$(fpr stats/errors)" 0
fi
check "memory is as it was written" load_ends

# trickle KIB: so much of the file is free a moment later
trickle() {
	left=$((left - $1))
	truncate -s "${left}K" /mnt/file
	sleep 0.2
}

# More than there is, until somebody ends.
inflate_to 0
most=$(($(meminfo MemAvailable) - 65536))
most=$((most - most % 4))
fuse 140
fill 40
# It needs memory too.
events=/sys/kernel/tracing/events/workqueue/workqueue_execute_start
echo 1 >$events/enable
dmesg -c >/dev/null
ask $most
short $most
short=$(balloon_kb)
check "what is short is not taken from others" holds
if ours_only 2; then
	# A little memory comes back all the while: no reason to ask at once.  At first it
	# only makes up for what is missing.
	left=40960
	until balloon_above_kb "$short" || [ $left -le 24576 ]; do
		trickle 512
	done
	echo >/sys/kernel/tracing/trace
	# Longer than it ever waits; one that asks five times each second makes 70, one
	# that begins anew with each little makes 32 to 210.
	for _ in $(seq 64); do
		trickle 256
	done
	in_range "it is tried again, more and more rarely" \
		"$(grep -c 'function .*balloon.* .virtio_fpr.' /sys/kernel/tracing/trace)" 1 34
	equal "the log says so once" "$(dmesg | grep -c 'virtio_fpr.*balloon')" 1
fi
rm /mnt/file
burn
reached $most
check "it grows when there is memory again" balloon_above_kb "$short"
inflate_to 0
equal "as much was deflated as was inflated, pages" "$(in_balloon)" 0
equal "the guest has all it had, KiB" "$(meminfo MemTotal)" "$total"
free_again "and it is free, KiB"

# Unloaded, it is given back.
inflate_to $((64 * MIB))
check "unload" unload_driver
equal "nothing is in the balloon, pages" "$(in_balloon)" 0
equal "nor for the host, KiB" "$(actual_kb)" 0
free_again "the memory is back, KiB"
host_sync over >/dev/null
