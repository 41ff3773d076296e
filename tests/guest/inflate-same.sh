#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# The kernel's own driver and virtio_fpr, one after the other, asked for the same:
# what the host and the guest see of it is the same.
# vm: mem=384 smp=2 timeout=150 balloon=free-page-reporting=on
# vm: modules=fpr,virtio_fpr,virtio_balloon files=balloon-lib.sh
# shellcheck disable=SC1091 # the paths are the guest's
. /test/lib.sh
. /bin/balloon-lib.sh
# In its release 6.18.15 virtio_balloon crashes when it is unbound; see fprctl.sh.
case $(uname -r) in
6.18.15*)
	plan 1
	skip "the same" "unbinding virtio_balloon crashes this kernel"
	exit 0
	;;
esac
plan 4

MIB=1024
# What is to be the same: each step, what the host says, what the guest says
look() { # WHAT [ANSWER]
	echo "$1: actual $(actual_kb) of $2," \
		"inflated $(($(vmstat balloon_inflate) - inflated))" \
		"deflated $(($(vmstat balloon_deflate) - deflated))" \
		"less $((total - $(meminfo MemTotal)))"
}
play() {
	total=$(meminfo MemTotal)
	inflated=$(vmstat balloon_inflate)
	deflated=$(vmstat balloon_deflate)
	for kib in 4 102400 102404 51200 153596 0; do
		ask $kib
		look "target $kib" "$(host_sync reached-$kib 120)"
	done
	look "HMP" "$(host_sync monitor-40 120)"
	echo "statistics: $(host_sync statistics)"
	unbind
	look "unbound" ""
	bind
	look "bound" "$(host_sync reached-$((40 * MIB)) 120)"
	ask 0
	look "target 0" "$(host_sync reached-0 120)"
}
for DRIVER in virtio_balloon virtio_fpr; do
	check "$DRIVER loads" load_driver
	play >"/tmp/$DRIVER"
	unload_driver
done
equal "each does something" "$(wc -l </tmp/virtio_balloon)" 11
check "both do the same" diff /tmp/virtio_balloon /tmp/virtio_fpr
sed 's/^/# /' /tmp/virtio_fpr
host_sync over >/dev/null
