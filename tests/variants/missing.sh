#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# A kernel that lacks one of the functions that fpr calls (missing.patch): the
# load is refused by name, or goes on without where it can.
# vm: mem=256 smp=1 timeout=60 balloon=free-page-reporting=on modules=fpr,virtio_fpr
# shellcheck disable=SC1091 # the path is the guest's
. /test/lib.sh
plan 11

migratetype=$(awk '$3 ~ /^get_pfnblock_(flags_mask|migratetype)$/ { print $3 }' /proc/kallsyms | sort | tail -n 1)
for name in __isolate_free_page __putback_isolated_page "$migratetype"; do
	dmesg -c >/dev/null
	refuse "without $name the load is refused" modprobe fpr missing="$name"
	check "by name" log_has "fpr: kernel function $name not found .*not supported; see fprctl doctor"
	equal "nothing is left" "$(ls -d /sys/kernel/fpr /sys/module/fpr 2>/dev/null)" ""
done

check "without drain_all_pages it loads, and says so" sh -c \
	"modprobe fpr missing=drain_all_pages && dmesg | grep 'drain_all_pages not found .* will come back late'"
check "and reports" sh -c "modprobe virtio_fpr && echo 1 >/sys/kernel/fpr/flush"
