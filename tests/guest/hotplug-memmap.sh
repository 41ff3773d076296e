#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# Memory modules that hold their own page structures: one that was there before fpr,
# and one that comes later.  When they go their page structures go too, and nothing
# looks at them any more: not a sweep, not a flush, not who reads a figure.
# vm: mem=512 smp=1 timeout=240 modules=fpr,fpr_testdev maxmem=2048
# vm: append=memory_hotplug.memmap_on_memory=1
# shellcheck disable=SC1091 # the path is the guest's
. /test/lib.sh
onmem=/sys/module/memory_hotplug/parameters/memmap_on_memory
if ! [ -e $onmem ]; then
	host_sync over >/dev/null
	skip_all "page structures in the memory itself" "this kernel cannot"
fi
plan 12

more_than() { [ "$(meminfo MemTotal)" -gt "$1" ]; }
less_than() { [ "$(meminfo MemTotal)" -lt "$1" ]; }
total=$(meminfo MemTotal)
come() {
	host_sync add >/dev/null
	check "$1" wait_until 20 more_than $((total + 450000))
}
go() {
	host_sync del >/dev/null
	check "$1" wait_until 30 less_than $((total + 10000))
}
look_at_all() {
	check "$1" fpr_set flush 1
	fpr_set order 9
	fpr_set flush 1
	fpr stats/reported_free_pages >/dev/null
}

equal "they do" "$(cat $onmem)" Y
echo online_movable >/sys/devices/system/memory/auto_online_blocks
come "memory comes before fpr does"
check "a device" modprobe fpr_testdev
look_at_all "all is reported"
check "also what came" fpr_above stats/reported_pages 110000
go "it goes"
look_at_all "what is left is looked at"
before=$(fpr stats/reported_pages)
come "other memory comes"
look_at_all "all is reported again"
check "and what is new" fpr_above stats/reported_pages $((before + 110000))
go "it goes too"
look_at_all "what is left is looked at again"
host_sync over >/dev/null
