#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# Who frees nothing is not woken; what churns faster than the delay is kept.
# vm: mem=1024 smp=1 timeout=180 balloon=free-page-reporting=on
# vm: modules=fpr,virtio_fpr files=churn
# Sleeps for two minutes, with nothing in flight.
# vm: clock=instructions
# shellcheck disable=SC1091 # the path is the guest's
. /test/lib.sh
plan 9

check "the driver loads" modprobe virtio_fpr
check "all is reported" fpr_set flush 1

# Memory that is free for less than the delay each time is never given away:
# 300 MiB, 12 times, free for 400 ms and while it is being touched again.  The
# delay leaves room for slow machines.  The first round uses what was reported
# just before, 150 blocks or, of shuffled memory, some more; a second one would
# be too much.
fpr_set delay_ms "$(slow 3000)"
reported=$(fpr stats/reported_bytes)
recycled=$(fpr stats/recycled_blocks)
churn 300 12 100 400 >/tmp/churn
churned=$(($(fpr stats/reported_bytes) - reported))
in_range "churn below the delay is kept, MiB reported" $((churned >> 20)) 0 30
in_range "and not recycled, blocks" $(($(fpr stats/recycled_blocks) - recycled)) 0 290
check "afterwards it is reported" wait_until 10 \
	fpr_above stats/reported_bytes $((reported + (270 << 20)))

fpr_set delay_ms 800

# The same with a period above the delay is given away and counted: most of the
# memory there is, so that it must be the same again.  Slow machines need about
# what counts as soon (10 s), and miss that with most blocks.
recycled=$(fpr stats/recycled_blocks)
churn 600 3 100 2000 >/tmp/churn
recycled=$(($(fpr stats/recycled_blocks) - recycled))
check "churn above the delay is counted as recycled: $recycled blocks" \
	test $recycled -gt $((200 / $(slow 1)))

# The sweeps around the last free come and go, then nothing runs any more.  What
# the kernel itself frees now and then may wake the engine a few times; a timer
# would do so 250 times.
# Without a process: fpr NAME runs cat.
peek() { # file, into $peeked
	read -r peeked <"/sys/kernel/fpr/$1"
}
rested=0
while nap 15000; rested=$((rested + 15)); [ $rested -lt 150 ]; do
	peek state
	[ "$peeked" != idle ] || break
done
state=$peeked
peek stats/wakeups
wakeups=$peeked
nap 50000
peek stats/wakeups
equal "the engine comes to rest, after $rested s" "$state" idle
in_range "idle for 50 s: woken" $((peeked - wakeups)) 0 5
equal "no error" "$(fpr stats/errors)" 0
