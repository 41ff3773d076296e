#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# The vendor device, served by vhost-user-fpr to an unmodified QEMU: memory leaves
# the host, each side counts the same, the host's pressure arrives, and it can ask
# for all that is free.
# vm: mem=768 smp=2 timeout=180 backing=memfd qemu_version=11
# vm: backend="vhost-user-fpr --control-socket={control} --pressure=low"
# vm: device=vhost-user,virtio-id=13,num_vqs=1,vq_size=64,config_size=40
# vm: modules=fpr,virtio_fpr,virtio_balloon files=docs/abi/sysfs-bus-virtio-fpr
# shellcheck disable=SC1091 # the path is the guest's
. /test/lib.sh
plan 27

mkdir -p /mnt
mount -t tmpfs -o size=80% tmpfs /mnt
fill() { dd if=/dev/zero of=/mnt/file bs=1M count=256 2>/dev/null; }
dev=/sys/bus/virtio/devices/virtio0
drv=/sys/bus/virtio/drivers/virtio_fpr_vendor
agree() { [ "$(cat $dev/fpr/discarded_bytes)" = "$(fpr stats/reported_bytes)" ]; }
# interrupts: how many the device has made
interrupts() {
	awk '$NF ~ /^virtio0/ { for (i = 2; $i ~ /^[0-9]+$/; i++) n += $i } END { print n + 0 }' \
		/proc/interrupts
}
interrupted() { [ "$(interrupts)" -gt "$interrupts" ]; }
# How soon the host says something is not this guest's to judge, but what it does then.
pressure_becomes() { until fpr_is pressure "$1"; do nap 50; done; }
reported() { wait_until 10 fpr_above stats/reported_bytes $((before + (230 << 20))); }
equal "a device of id 13" "$(cat $dev/device)" 0x000d
check "the driver loads" modprobe virtio_fpr
check "and has it" test -d $drv/virtio0
equal "the core reports to it" "$(fpr device)" virtio0
check "the host's pressure is known" wait_until 5 fpr_is pressure low
awk -F/ '/^What:/ && $NF !~ /^(balloon|hinted)_/ { print $NF }' /bin/sysfs-bus-virtio-fpr | sort >/tmp/documented
find $dev/fpr -type f -exec basename {} \; | sort >/tmp/present
check "its files are as documented" diff /tmp/documented /tmp/present
diag "interrupts: $(grep virtio0 /proc/interrupts)"

check "all that is free is reported" fpr_set flush 1
fill
host_sync filled >/dev/null
before=$(fpr stats/reported_bytes)
rm /mnt/file
check "what is freed is reported in time" reported
host_sync freed >/dev/null
equal "nothing was refused" "$(cat $dev/fpr/refused_bytes)" 0
check "what was reported was discarded" wait_until 5 agree

# "Now"
fpr_set delay_ms 600000
fill
host_sync filled >/dev/null
rm /mnt/file
# Longer than the delay was
sleep 2
host_sync request >/dev/null
equal "a request was served" "$(fpr stats/requests)" 1
check "and counted the same on both sides" wait_until 5 agree

# Pressure
interrupts=$(interrupts)
host_sync critical >/dev/null
until interrupted; do nap 50; done
check "the pressure is critical" wait_until 5 fpr_is pressure critical
fill
host_sync filled >/dev/null
before=$(fpr stats/reported_bytes)
rm /mnt/file
check "what is freed is reported in time" reported
host_sync freed >/dev/null
host_sync none >/dev/null
check "there is none" pressure_becomes none

# The host's switch
host_sync disable >/dev/null
fpr_set delay_ms 10
before=$(cat $dev/fpr/discarded_bytes)
fill
rm /mnt/file
check "what the host does not discard is counted" wait_until 20 sh -c "[ \$(cat $dev/fpr/refused_bytes) -gt 0 ]"
equal "nothing is discarded" "$(cat $dev/fpr/discarded_bytes)" "$before"
check "and is tried again, later" wait_until 5 fpr_is state backoff
host_sync enable >/dev/null
check "it is discarded after all" wait_until 30 sh -c "[ \$(cat $dev/fpr/discarded_bytes) -gt $((before + 200 * 1048576)) ]"

# Bound anew
echo virtio0 >$drv/unbind
equal "unbound: no device" "$(fpr device)" none
echo virtio0 >$drv/bind
equal "bound again" "$(fpr device)" virtio0
check "all is reported" fpr_set flush 1
equal "the counters begin anew" "$(cat $dev/fpr/refused_bytes)" 0
host_sync counters >/dev/null
equal "nothing is held" "$(fpr stats/held_pages)" 0
check "the log says once why memory was refused" \
	test "$(dmesg | grep -c 'does not discard memory at present')" = 1
check "the driver unloads" rmmod virtio_fpr
check "and the core" rmmod fpr
