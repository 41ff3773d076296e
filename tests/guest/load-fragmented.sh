#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# A guest whose free memory is in small pieces between pages that nobody can move: fpr
# is loaded all the same, and its hook is proven.
# vm: mem=512 smp=1 timeout=240 modules=fpr,fpr_testdev files=pinned
# shellcheck disable=SC1091 # the path is the guest's
. /test/lib.sh
plan 6

# blocks: free pieces of 2 MiB and more
blocks() { awk '$4 != "DMA" { for (i = 14; i <= NF; i++) n += $i } END { print n + 0 }' /proc/buddyinfo; }

mkfifo /tmp/hold
pinned $(($(meminfo MemAvailable) / 1024 - 40)) 1 </tmp/hold >/tmp/pinned.log &
exec 3>/tmp/hold
check "memory is full" wait_until 60 grep -q filled /tmp/pinned.log
echo >&3
wait_until 20 grep -q halved /tmp/pinned.log
# What is left of whole blocks
echo 200 >/proc/sys/vm/nr_hugepages
check "half of it is free, in pieces" test "$(meminfo MemFree)" -gt 100000
equal "none of them a block" "$(blocks)" 0
check "fpr loads" modprobe fpr
diag "hook $(fpr hook)"
check "with a hook that sees frees" sh -c "[ $(fpr hook) != none ]"
exec 3>&-
wait
echo 0 >/proc/sys/vm/nr_hugepages
check "and unloads" rmmod fpr
