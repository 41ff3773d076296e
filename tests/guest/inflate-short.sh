#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# A small guest, of which the host wants more than it has: it goes on living, is
# not kept busy, and has its memory back when the host wants less.  Who takes more
# than is left is killed for it, as with the kernel's own driver.
# vm: mem=256 smp=1 timeout=120 balloon=free-page-reporting=on allow=oom,trace,alloc
# vm: modules=fpr,virtio_fpr,virtio_balloon files=hog,balloon-lib.sh
# shellcheck disable=SC1091 # the paths are the guest's
. /test/lib.sh
. /bin/balloon-lib.sh
plan 15

begin
dmesg -c >/dev/null
# A wake-up source, where the user wants it: it keeps the system awake while there is
# something to do, and no longer.
power=/sys/bus/virtio/devices/$(balloon_device)/power
awake() { cat "$power/wakeup_$1"; }
asleep() { [ "$(awake active)" = 0 ]; }
echo enabled >"$power/wakeup"
woken=$(awake active_count)
most=$(($(meminfo MemTotal) / 4 * 4))
ask $most
short $most
diag "$(balloon_kb) KiB in the balloon, $(meminfo MemAvailable) KiB available"
equal "nobody was killed for it" "$(vmstat oom_kill)" 0
check "the guest lives: what it runs works" sh -c 'seq 1000 | sort | md5sum'
equal "the host knows how much it is" "$(actual_kb)" "$(balloon_kb)"
if ours_only 1; then
	equal "the log says so once" "$(dmesg | grep -c 'virtio_fpr.*balloon')" 1
fi
check "the system may sleep although it waits for memory" wait_until 10 asleep
check "it was kept awake before" test "$(awake active_count)" -gt "$woken"
inflate_to 0
check "it may sleep, with nothing to do" wait_until 5 asleep
inflate_to $((100 * MIB))
refuse "more than is left is not to be had" sh -c \
	"echo 1000 >/proc/self/oom_score_adj; exec hog 200 100"
equal "the balloon keeps what it has" "$(balloon_kb)" $((100 * MIB))
finish 16384
