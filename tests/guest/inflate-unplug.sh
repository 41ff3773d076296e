#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# The device goes while it has memory of the guest's, or is taking it: unplugged,
# unbound again and again, its driver unloaded.  All of it is back each time.
# vm: mem=512 smp=2 timeout=150 modules=fpr,virtio_fpr,virtio_balloon
# vm: files=memload,balloon-lib.sh
# vm: qemu="-device pcie-root-port,id=port0,chassis=1"
# vm: qemu="-device virtio-balloon-pci,id=b0,bus=port0,free-page-reporting=on"
# vm: alone="leaves another device"
# shellcheck disable=SC1091 # the paths are the guest's
. /test/lib.sh
. /bin/balloon-lib.sh
plan 19

begin
total=$(meminfo MemTotal)
all_back() { in_balloon_is 0 && [ "$(meminfo MemTotal)" = "$total" ]; }
load 1

# Unbound as it is, and bound: it grows again by itself.
inflate_to $((100 * MIB))
unbind
check "unbound, it gives all back" all_back
equal "the host knows" "$(actual_kb)" 0
bind
reached $((100 * MIB))
equal "bound, it grows again" "$(balloon_kb)" $((100 * MIB))
again=0
for round in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do
	unbind
	all_back && again=$((again + 1))
	bind
	# From the first moment to some way on
	nap $((round % 5 * 40))
done
equal "20 times on its way" $again 20
reached $((100 * MIB))
ask $((10 * MIB))
unbind
check "unbound as it shrinks" all_back
bind
reached $((10 * MIB))

for kib in $((150 * MIB)) 0; do
	if [ $kib = 0 ]; then
		inflate_to 0
		partly $((200 * MIB))
	else
		inflate_to $kib
	fi
	host_sync unplug >/dev/null
	check "unplugged, it gives all back" wait_until 20 all_back
	host_sync plug >/dev/null
	check "a new one is there" wait_until 20 bound
done
inflate_to $((60 * MIB))
check "unload" unload_driver
check "unloaded, it gives all back" all_back
equal "the host knows" "$(actual_kb)" 0
check "memory is as it was written" load_ends
free_again "the memory is back, KiB"
host_sync over >/dev/null
