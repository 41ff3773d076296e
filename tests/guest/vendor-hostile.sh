#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# Hosts of the vendor device that break the rules: answers that are too short or
# make no sense, configurations of another device or of none, and one that changes
# all the time.  Each is said in one line, and no byte and no page is lost.
# vm: mem=512 smp=2 timeout=240 backing=memfd qemu_version=11
# vm: backend="vhost-user-fpr --pressure=low"
# vm: device=vhost-user,virtio-id=13,num_vqs=1,vq_size=64,config_size=40
# vm: modules=fpr,virtio_fpr,fpr_badvendor files=memload
# shellcheck disable=SC1091 # the path is the guest's
. /test/lib.sh
plan 80

bad=/sys/module/fpr_badvendor/parameters
drv=/sys/bus/virtio/drivers/virtio_fpr_vendor
dev=/sys/bus/virtio/devices/virtio0
answers() { echo "$1" >$bad/answer; }
field() { # offset size value
	echo 0 >$bad/field_size
	echo "$1" >$bad/field_offset
	echo "$3" >$bad/field_value
	echo "$2" >$bad/field_size
}
bind() { echo virtio0 >$drv/bind; }
unbind() { echo virtio0 >$drv/unbind; }
lines() { dmesg | grep -cE "virtio0[: ].*$1"; }
load() { memload "$1" 200 2 /mnt "$KTAP_POINT"; }

mkdir -p /mnt
mount -t tmpfs -o size=80% tmpfs /mnt
modprobe fpr order=0 delay_ms=10 threshold_kb=0
check "the driver loads" modprobe virtio_fpr report_timeout_ms=10000
check "all is reported" fpr_set flush 1
settle
free_before=$(memfree_kb)
check "the bad host loads" modprobe fpr_badvendor

# given_up NAME ANSWER: an answer after which the device is not used again
given_up() {
	dmesg -c >/dev/null
	memload 6 200 2 /mnt "$KTAP_POINT" >/tmp/memload.log 2>&1 &
	load=$!
	answers "$2"
	check "$1: the device is given up" wait_until 20 fpr_is device none
	check "$1: memory is as it was written" wait $load
	answers 0
	equal "$1: at the first" "$(($(cat $bad/spoilt) - spoilt))" 1
	equal "$1: the log says so once" "$(lines 'answer is too short: device reset')" 1
	equal "$1: nothing is held" "$(fpr stats/held_pages)" 0
	check "$1: a new binding works" sh -c \
		"echo virtio0 >$drv/unbind && echo virtio0 >$drv/bind && echo 1 >$FPR_SYSFS/flush"
	spoilt=$(cat $bad/spoilt)
}
spoilt=0
given_up "short" 1
given_up "empty" 2

# believed NAME ANSWER: an answer that only the counters suffer from
believed() {
	dmesg -c >/dev/null
	answers "$2"
	check "$1: memory is as it was written" load 6
	answers 0
	check "$1: many answers" test $(($(cat $bad/spoilt) - spoilt)) -gt 5
	equal "$1: the device is there" "$(fpr device)" virtio0
	equal "$1: no error" "$(fpr stats/errors)" "$errors"
	spoilt=$(cat $bad/spoilt)
}
errors=$(fpr stats/errors)
believed "a status that does not exist" 3
equal "it is taken for an error, and said once" \
	"$(lines 'reported in vain: the host failed to discard it .status 4711.')" 1
check "and counted" test "$(cat $dev/fpr/refused_bytes)" -gt 0
unbind
reported=$(fpr stats/reported_bytes)
bind
check "bound anew, all is reported" fpr_set flush 1
believed "more discarded than was reported" 4
agree() { [ "$(cat $dev/fpr/discarded_bytes)" = $(($(fpr stats/reported_bytes) - reported)) ]; }
# Between two looks at counters nothing may be reported.
fpr_set enabled 0
check "no more is counted than was reported" agree
fpr_set enabled 1

# refused NAME OFFSET SIZE VALUE LINE: a configuration that the driver does not take
refused() {
	unbind 2>/dev/null
	dmesg -c >/dev/null
	field "$2" "$3" "$4"
	refuse "$1: the device is refused" bind
	equal "$1: one line says why" "$(lines "$5")" 1
	equal "$1: nobody reports" "$(fpr device)" none
	echo 0 >$bad/field_size
}
refused "another magic" 0 4 0xdeadbeef "not a device of fpr: magic deadbeef"
refused "another generation" 4 2 0x0200 "has version 2.0 of the interface.*knows 1.x"
refused "too small" 6 2 39 "makes no sense: 39 bytes"
refused "of eight bytes" 6 2 8 "makes no sense: 8 bytes"
equal "of eight bytes: nothing behind them is read" "$(cat $bad/reads_behind)" 0
echo 7 >$bad/pci_bytes
refused "less than is looked at" 0 0 0 "not a device of fpr: its configuration has 7 bytes"
echo 0 >$bad/pci_bytes
refused "a granule of 32 bytes" 8 1 5 "makes no sense.*granule of 2.5 bytes"
refused "a granule of 2^64" 8 1 64 "makes no sense.*granule of 2.64 bytes"
refused "a granule of 2^63" 8 1 63 "discards blocks of order 51 and larger"
refused "no ranges" 12 4 0 "makes no sense.* 0 ranges"
refused "ranges below the granule" 16 8 2048 "makes no sense.* ranges of 2048 bytes"

# taken NAME OFFSET SIZE VALUE: one that says no more than it may
taken() {
	field "$2" "$3" "$4"
	check "$1: the device is taken" bind
	check "$1: all is reported" fpr_set flush 1
	[ "$5" ] && check "$1: $5" wait_until 5 fpr_is pressure "$5"
	unbind
	echo 0 >$bad/field_size
}
taken "a later minor version" 4 2 0x0142 ""
taken "reserved bytes" 9 3 0xffffff ""
taken "ranges of a page" 16 8 4096 ""
taken "a level that does not exist" 24 4 99 critical

quiet() { # one second
	quiet_before=$(fpr stats/requests)
	sleep 1
	fpr_is stats/requests "$quiet_before"
}

# A host that asks for everything all the time, in pieces larger than there are.
dmesg -c >/dev/null
field 32 1 255
check "bound" bind
echo 1 >$bad/restless_ms
check "a restless host: memory is as it was written" load 8
echo 0 >$bad/restless_ms
diag "$(cat $bad/changes) changes, $(fpr stats/requests) requests served"
check "it asked often" test "$(cat $bad/changes)" -gt 200
check "it was served" fpr_above stats/requests 20
check "there is quiet afterwards" wait_until 20 quiet
equal "nothing is in the log" "$(lines '.')" 0
# Another process takes the host's place: first it has not asked, then it does.
served=$(fpr stats/requests)
echo 18446744073709551615 >$bad/changes
echo 3000 >$bad/restless_ms
check "a new host" wait_until 5 grep -qx 0 $bad/changes
sleep 1
equal "has not asked" "$(fpr stats/requests)" "$served"
check "until it does" wait_until 20 fpr_above stats/requests "$served"
echo 0 >$bad/restless_ms

equal "no field was read in parts" "$(cat $bad/reads_in_part)" 0
check "unload" sh -c "rmmod virtio_fpr && rmmod fpr"
check "the bad host unloads" rmmod fpr_badvendor
settle
in_range "the memory is back, KiB" "$(memfree_kb)" $((free_before - 8192)) \
	$((free_before + 32768))
