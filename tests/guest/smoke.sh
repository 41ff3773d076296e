#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# The harness itself: a stock kernel boots, its own balloon driver loads and
# finds the device, KTAP and the talk with the host work.
# vm: mem=256 smp=2 timeout=60 balloon=free-page-reporting=on modules=virtio_balloon
# vm: append=SMOKE=passed
# shellcheck disable=SC1091 # the path is the guest's
. /test/lib.sh
plan 7

check "virtio_balloon loads" modprobe virtio_balloon
check "its device is bound" wait_until 5 test -e /sys/bus/virtio/drivers/virtio_balloon/virtio0
check "debugfs is mounted" test -d /sys/kernel/debug/bdi
check "tracefs has the free tracepoint" test -d /sys/kernel/tracing/events/kmem/mm_page_free
equal "kernel parameters arrive as environment" "$SMOKE" passed
in_range "memory is as asked, KiB" "$(meminfo MemTotal)" 150000 262144
equal "the host answers" "$(host_sync hello)" "from the host"
