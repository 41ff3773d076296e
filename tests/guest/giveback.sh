#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# What it is all for: a file is freed, and its memory leaves the host; with the
# hook that the kernel's command line asks for (fpr.hook=).
# vm: mem=768+ smp=2 timeout=120 balloon=free-page-reporting=on
# vm: modules=fpr,virtio_fpr
# shellcheck disable=SC1091 # the path is the guest's
. /test/lib.sh
plan 8

mkdir -p /mnt
mount -t tmpfs -o size=80% tmpfs /mnt
check "the driver loads" modprobe virtio_fpr
loaded=$(uptime_ms)
hook=$(sed -n 's/.*fpr\.hook=\([^ ]*\).*/\1/p' /proc/cmdline)
equal "the hook is the one asked for" "$(fpr hook)" "${hook:-$(fpr hook)}"
diag "hook $(fpr hook)"
check "all that is free is reported" fpr_set flush 1
dd if=/dev/zero of=/mnt/file bs=1M count=256 2>/dev/null
# A sweep, where there is no hook, has to see it in use.
[ "$(fpr hook)" != none ] || sleep 5
host_sync filled >/dev/null
before=$(fpr stats/reported_bytes)
sweeps=$(fpr stats/sweeps)
rm /mnt/file
check "it is reported in time" wait_until 10 fpr_above stats/reported_bytes $((before + (230 << 20)))
if [ "$(fpr hook)" = none ]; then
	check "by a sweep" fpr_above stats/sweeps "$sweeps"
elif [ $(($(uptime_ms) - loaded)) -lt 20000 ]; then
	equal "not by a sweep" "$(fpr stats/sweeps)" "$sweeps"
else
	skip "not by a sweep" "this machine takes so long that one is due anyway"
fi
host_sync freed >/dev/null
equal "no error" "$(fpr stats/errors)" 0
# The last of the file may be on its way to the host yet.
check "nothing is held" wait_until 10 fpr_is stats/held_pages 0
check "unload" sh -c "rmmod virtio_fpr && rmmod fpr"
