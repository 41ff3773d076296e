#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# fprctl moves the device between virtio_balloon and virtio_fpr with its balloon:
# inflated, empty, and while the host changes its mind; a load verifies its memory
# meanwhile.
# vm: mem=1024 smp=2 timeout=400 balloon=free-page-reporting=on
# vm: modules=fpr,virtio_fpr,virtio_balloon files=scripts/fprctl,memload
# shellcheck disable=SC1091 # the path is the guest's
. /test/lib.sh
case $(uname -r) in
6.18.15*)
	skip_all "fprctl bind with a balloon" "unbinding virtio_balloon crashes this kernel"
	;;
esac
plan 25

mib=1048576
bound_to() { test -e "/sys/bus/virtio/drivers/$1/virtio0"; }
# What the kernel counts in balloons, and what the driver says, bytes
counted() {
	awk '$1 == "balloon_inflate" { n += $2 } $1 == "balloon_deflate" { n -= $2 }
		END { printf "%.0f\n", n * 4096 }' /proc/vmstat
}
held() { cat /sys/bus/virtio/devices/virtio0/fpr/balloon_bytes; }
says() { # text command...
	says_text=$1
	shift
	"$@" >/tmp/says 2>&1 || return 1
	cat /tmp/says
	grep -qF -- "$says_text" /tmp/says
}
is_counted() { [ "$(counted)" = "$1" ]; }

mkdir -p /mnt
mount -t tmpfs -o size=40% tmpfs /mnt
check "virtio_balloon loads" modprobe virtio_balloon
check "and takes the device" wait_until 5 bound_to virtio_balloon
settle
before=$(memfree_kb)
# Behind all else, since fprctl forks a lot
# shellcheck disable=SC2016 # the other shell's
sh -c 'renice -n 19 -p $$; exec memload 10000 80 1 /mnt 5' &
load=$!

host_sync inflate >/dev/null
equal "virtio_balloon has 300 MiB" "$(counted)" $((300 * mib))
check "fprctl bind waits for the balloon" says "balloon 300.0 MiB of 300.0 MiB asked for" fprctl bind
check "virtio_fpr has the device" bound_to virtio_fpr
equal "and 300 MiB" "$(held)" $((300 * mib))
equal "as the kernel counts them" "$(counted)" $((300 * mib))
check "status shows it" says "300.0 MiB of 300.0 MiB asked for" fprctl status
check "doctor is content" says " 0 failed" fprctl doctor
refuse "and has no warning of it" grep -qiE "^(warn|fail).*balloon" /tmp/says
host_sync taken >/dev/null
check "fprctl unbind waits, too" says "balloon 300.0 MiB of 300.0 MiB asked for" fprctl unbind
check "virtio_balloon has the device" bound_to virtio_balloon
equal "and 300 MiB again" "$(counted)" $((300 * mib))
host_sync given >/dev/null

# It may have been asked for something else before it had that: not to be waited for.
export FPR_BALLOON_S=3
host_sync race >/dev/null
for command in bind unbind bind; do
	fprctl $command || touch /tmp/refused
done
check "while the host changes its mind it is bound and unbound" test ! -e /tmp/refused
unset FPR_BALLOON_S
host_sync raced >/dev/null
equal "and follows the host in the end" "$(held)" $((200 * mib))

host_sync empty >/dev/null
equal "empty" "$(held)" 0
check "it is unbound" says "virtio_fpr -> virtio_balloon" fprctl unbind
refuse "without a word of a balloon" grep -q "balloon, until" /tmp/says
check "and bound" says "virtio_balloon -> virtio_fpr" fprctl bind
check "the load still runs" kill -0 $load
kill -TERM $load
check "and found each byte as it was written" wait $load
check "unbound once more" fprctl unbind
check "nothing is counted in a balloon" wait_until 5 is_counted 0
settle
memory_back "MemFree is back, KiB" "$before" 65536
refuse "nothing bad in the log" log_has 'BUG|WARNING|Call Trace'
