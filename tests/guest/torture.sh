#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# Everything at once, drawn from a seed: parameters, pause, flush, loading and
# unloading, binding, a balloon up and down, CPUs and memory coming and going,
# pressure, and devices that answer badly, under loads that verify their memory.
# The same seed gives each actor the same actions in the same order; which of them
# meet is the machine's affair.  "make torture" is the same script for longer.
#
# Allocations that may fail do so under pressure, with a trace in the log (those
# of virtio_mem, while the OOM killer is off for suspend); torture.host.py sees
# to it that none of them is fpr's, and that nobody is killed for memory but the
# hog: oom256.sh and oom512.sh see to it that fpr does not bring that about.
#
# The DIMMs that are added are well below the memory of virtio-mem: the driver
# of 6.1 takes what follows directly for its own when it is unloaded, and
# leaves a name behind.
# vm: boot=bzimage
# vm: mem=1024 smp=2 timeout=900 append=SEED=1 append=LENGTH_S=50 append=DEVICES=both append=VIRTIO_MEM=1
# vm: append=memhp_default_state=online_movable
# vm: modules=fpr,virtio_fpr,fpr_testdev,fpr_badhost,virtio_balloon,virtio_mem
# vm: files=memload,kload,hog,torture-lib.sh,torture-actors.sh,scripts/fprctl
# vm: allow=alloc,trace,oom
# vm: qemu="-m 1024M,slots=4,maxmem=4G"
# vm: qemu="-device pcie-root-port,id=port0,chassis=1"
# vm: qemu="-device virtio-balloon-pci,id=b0,bus=port0,free-page-reporting=on,deflate-on-oom=on"
# vm: qemu="-object memory-backend-ram,id=vmem,size=512M"
# vm: qemu="-device virtio-mem-pci,id=vmem0,memdev=vmem,requested-size=0,memaddr=0x180000000"
# shellcheck disable=SC1091 # the paths are the guest's
. /test/lib.sh
. /bin/torture-lib.sh
. /bin/torture-actors.sh
# shellcheck disable=SC2034 # for the actors
min_free=$(cat /proc/sys/vm/min_free_kbytes)
plan 20

used_kb() { echo $(($(meminfo MemTotal) - $(memfree_kb))); }
# A number of pages that is reported in that many seconds at least
pages_in() { echo $(($1 * 200 / $(slow 1))); }
total_mb=$(($(meminfo MemTotal) / 1024))
# What the loads may take at any time
# shellcheck disable=SC2034 # for the actors
room_kb=$((total_mb * 1024 / 4))
diag "seed $SEED, $LENGTH_S s, devices: $DEVICES, $total_mb MiB, $(uname -r)"
mkdir -p /mnt
mount -t tmpfs -o size=80% tmpfs /mnt
modprobe fpr_badhost faults=0 seed="$SEED" || bail "fpr_badhost does not load"
# It forbids the machine to sleep.
[ "$VIRTIO_MEM" = 0 ] || modprobe virtio_mem || bail "virtio_mem does not load"
load_core || bail "fpr does not load"
load_device fpr_testdev || bail "fpr_testdev does not load"
unload_all
memload 2 64 1 /mnt "$SEED" >/dev/null
kload 1 8 1 /mnt "$SEED" >/dev/null
settle
used_before=$(used_kb)
inflated_before=$(vmstat balloon_inflate)
total_before=$(meminfo MemTotal)

# The loads take what CPU the actors leave.
gently() {
	# shellcheck disable=SC2016 # the other shell's
	exec sh -c 'renice -n 10 -p $$ && exec "$@"' sh "$@"
}
gently memload 36000 $((total_mb / 4)) 3 /mnt "$SEED" >/tmp/memload.log 2>&1 &
memload=$!
gently kload 36000 $((total_mb / 40)) 2 /mnt "$SEED" >/tmp/kload.log 2>&1 &
kload=$!
actors=
for name in params control modules machine; do
	actor $name &
	actors="$actors $!"
done
# This one talks with the host, which a background process cannot.
actor host
# shellcheck disable=SC2086 # a list
check "all actors come to an end" wait_until 120 all_gone $actors
# shellcheck disable=SC2086
all_gone $actors || who_hangs

put_back
kill $memload $kload
check "memory is as it was written" wait $memload
check "kernel objects are as they were written" wait $kload
sed 's/^/# /' /tmp/memload.log /tmp/kload.log
check "memory taken under pressure was as it was written" test ! -s /tmp/hog.bad
equal "nothing was taken that is to be refused, nothing failed that is to work" \
	"$(cat /tmp/wrong)" ""
check "everything unloads" unload_all
equal "all balloons were given back, pages" "$(in_balloon)" 0
gather
equal "the contract was kept" "$(sum violations)" 0
check "memory was reported" test "$(sum reported_pages)" -gt "$(pages_in "$LENGTH_S")"
if uses fpr_testdev; then
	check "memory was overwritten" test "$(sum overwritten_pages)" -gt "$(pages_in "$LENGTH_S")"
else
	skip "memory was overwritten" "not with that device"
fi
if [ "$LENGTH_S" -lt "$(slow 30)" ]; then
	skip "faults were injected" "$(sum reports) reports, too few to rely on one"
else
	check "faults were injected" test "$(sum faults)" -gt $((LENGTH_S / $(slow 30)))
fi
inflated=$(($(vmstat balloon_inflate) - inflated_before))
echo "ballooned_MiB $((inflated / 256))" >/tmp/counts.balloon
if ! uses virtio_fpr || [ "$LENGTH_S" -lt "$(slow 200)" ]; then
	skip "there was a balloon" "$inflated pages, too little time to rely on one"
else
	check "there was a balloon: $((inflated / 256)) MiB in all" test $inflated -gt 10000
fi
check "a device can be had again" sh -c ". /test/lib.sh; . /bin/torture-lib.sh
	load_core && load_device fpr_testdev && fpr_set flush 1; unload_all"
# Of the host's faults there may be too many for one before.
if uses virtio_fpr; then
	load_core && insmod /modules/virtio_fpr.ko
	host_sync balloon-65536 >/dev/null
	check "there is a balloon" wait_until 20 in_balloon_is 16384
	check "until everything unloads" unload_all
	equal "and then there is none, pages" "$(in_balloon)" 0
else
	for _ in 1 2 3; do
		skip "there is a balloon" "not with that device"
	done
fi
rmmod fpr_badhost
if [ "$VIRTIO_MEM" = 1 ]; then
	# Nothing is in the way of it any more.
	host_sync vmem-0 >/dev/null
	wait_until 20 no_virtio_mem || diag "virtio_mem keeps memory"
	rmmod virtio_mem
fi
host_sync over >/dev/null
check "nothing is loaded" test ! -e /sys/kernel/fpr
settle
# Memory that was added and stays needs some for its struct pages, and an eighth
# for the shadow of KASAN.
added=$(($(meminfo MemTotal) - total_before))
[ "$(slow 1)" = 1 ] && added=$((added / 32)) || added=$((added / 5))
in_range "memory in use is what it was, KiB" "$(used_kb)" $((used_before - 65536)) \
	$((used_before + 24576 + added))
refuse "no breach of the contract in the log" log_has VIOLATION
figures
check "something was done" test "$(sum actions)" -gt $((LENGTH_S * 2 / $(slow 1)))
