# shellcheck shell=sh
# SPDX-License-Identifier: GPL-2.0
# shellcheck disable=SC2154 # $out, $top and the checks are those of run
# flush, pause, resume, set, prefer.

not_root() { put proc/self/status "$(printf 'Name:\tsh\nUid:\t1000\t1000\t1000\t1000')"; }

case_flush() {
	machine virtio_fpr
	ctl flush
	exits 0
	quiet
	prints 'flushed: 1.00 GiB reported, 1.00 GiB reported now'
}

case_flush_reasons() {
	machine virtio_fpr
	put sys/kernel/fpr/state no-device
	ctl flush
	exits 1
	complains 'no device to report to: fprctl bind'
	put sys/kernel/fpr/state paused
	ctl flush
	exits 1
	complains 'paused: fprctl resume'
	put sys/kernel/fpr/state backoff
	put refuse/flush 'Input/output error'
	ctl flush
	exits 1
	complains 'the device failed'
	put refuse/flush 'Interrupted system call'
	ctl flush
	exits 1
	complains interrupted
	put refuse/flush 'I/O error' # all that some dd say
	ctl flush
	exits 1
	complains 'the device failed'
}

case_pause_and_resume() {
	machine virtio_fpr
	ctl pause
	exits 0
	prints 'state paused'
	holds sys/kernel/fpr/enabled 0
	ctl pause
	exits 0
	ctl resume
	exits 0
	prints 'state idle'
	holds sys/kernel/fpr/enabled 1
	put refuse/enabled 'Input/output error'
	ctl pause
	exits 1
	complains 'Input/output error'
}

case_resume_where_the_kernel_says_y() {
	machine virtio_fpr
	put sys/kernel/fpr/enabled Y
	ctl resume
	exits 0
}

case_only_root() {
	machine virtio_fpr
	not_root
	for command in flush pause resume 'set delay_ms 100' unbind bind 'prefer on'; do
		# shellcheck disable=SC2086 # words
		ctl $command
		exits 1
		complains 'sudo fprctl'
	done
	not_called dd
	ctl status
	exits 0
}

case_set() {
	machine virtio_fpr
	ctl set delay_ms 250
	exits 0
	quiet
	prints 'delay_ms 800 -> 250 ms'
	holds sys/kernel/fpr/delay_ms 250
	ctl set order 0
	holds sys/kernel/fpr/order 0
	ctl set order 10
	holds sys/kernel/fpr/order 10
	ctl set floor_order 0
	holds sys/kernel/fpr/floor_order 0
	ctl set cold_ms 600000
	holds sys/kernel/fpr/cold_ms 600000
	ctl set threshold_kb 16777216
	holds sys/kernel/fpr/threshold_kb 16777216
	ctl set reserve_kb 536870912
	holds sys/kernel/fpr/reserve_kb 536870912
	ctl set hold_kb 4096
	holds sys/kernel/fpr/hold_kb 4096
	ctl set enabled 0
	holds sys/kernel/fpr/enabled 0
	ctl set report_timeout_ms 5000
	holds sys/module/virtio_fpr/parameters/report_timeout_ms 5000
}

case_set_out_of_range() {
	machine virtio_fpr
	for pair in 'order 11' 'floor_order 11' 'cold_ms 9' 'delay_ms 9' 'delay_ms 600001' 'threshold_kb 16777217' \
		'reserve_kb 536870913' 'hold_kb 4095' 'hold_kb 99999999999999999999' 'enabled 2' 'delay_ms -5' \
		'delay_ms 1.5' 'delay_ms fast' 'delay_ms 0x20'; do
		# shellcheck disable=SC2086 # words
		ctl set $pair
		exits 1
		complains 'range '
	done
	ctl set delay_ms ''
	exits 1
	complains 'range 10 to 600000 ms'
	not_called dd
}

case_set_that_the_kernel_refuses() {
	machine virtio_fpr
	put refuse/order 'Invalid argument'
	ctl set order 10
	exits 1
	complains 'the kernel refuses 10; range 0 to 10'
	holds sys/kernel/fpr/order 9
}

case_set_usage() {
	machine virtio_fpr
	ctl set
	exits 2
	ctl set delay_ms
	exits 2
	complains 'names: order floor_order delay_ms'
	ctl set delay_ms 1 2
	exits 2
	ctl set nonsense 1
	exits 2
	complains 'unknown parameter nonsense; there are: order floor_order delay_ms'
	ctl set delay 1
	exits 2
	ctl set '.*' 1
	exits 2
	ctl set hook none
	exits 1
	complains 'modprobe fpr hook=none'
	rm -r "$FAKE/sys/module/virtio_fpr"
	ctl set report_timeout_ms 5000
	exits 1
	complains 'is virtio_fpr loaded'
}

case_prefer() {
	machine virtio_balloon
	cp "$top/scripts/modprobe.d/fpr.conf" "$FAKE/etc/modprobe.d/fpr.conf"
	ctl prefer
	prints off
	for _ in 1 2; do
		ctl prefer on
		exits 0
		prints 'next boot'
		[ "$(grep -c '^softdep virtio_balloon pre: virtio_fpr$' "$FAKE/etc/modprobe.d/fpr.conf")" = 1 ]
		result $? 'the line is effective, once'
		! grep -q '^blacklist virtio_fpr$' "$FAKE/etc/modprobe.d/fpr.conf"
		result $? "fpr's own device is not kept from it"
	done
	ctl prefer
	prints on
	for _ in 1 2; do
		ctl prefer off
		exits 0
		cmp -s "$top/scripts/modprobe.d/fpr.conf" "$FAKE/etc/modprobe.d/fpr.conf"
		result $? 'as shipped again'
	done
	ctl prefer maybe
	exits 2
	ctl prefer on off
	exits 2
	ctl prefer off --pci-id=1234:104d
	exits 2
	ctl prefer on --pci-id=1234:0001
	exits 2
}

# As an earlier version left it: the balloon device only
case_prefer_completes_what_is_half_on() {
	machine virtio_balloon
	sed 's/^#softdep/softdep/' "$top/scripts/modprobe.d/fpr.conf" >"$FAKE/etc/modprobe.d/fpr.conf"
	ctl prefer
	prints on
	ctl prefer on
	! grep -q '^blacklist' "$FAKE/etc/modprobe.d/fpr.conf"
	result $? 'completed'
	ctl prefer off
	cmp -s "$top/scripts/modprobe.d/fpr.conf" "$FAKE/etc/modprobe.d/fpr.conf"
	result $? 'as shipped again'
}

has_line() { # text
	[ "$(grep -cxF "$1" "$FAKE/etc/modprobe.d/fpr.conf")" = 1 ]
	result $? "fpr.conf has \"$1\", once"
}

case_prefer_with_pci_ids() {
	machine none
	no_balloon
	foreign_function abcd 104d 5678 0009
	cp "$top/scripts/modprobe.d/fpr.conf" "$FAKE/etc/modprobe.d/fpr.conf"
	ctl doctor
	prints_not abcd
	ctl prefer on --pci-id=1234:1070
	for _ in 1 2; do
		ctl prefer on --pci-id=ABCD:104d
		exits 0
		has_line 'alias pci:v0000ABCDd0000104D* virtio_fpr'
		has_line 'options virtio_fpr vendor=0xabcd device=0x104d'
		[ "$(grep -c 1234 "$FAKE/etc/modprobe.d/fpr.conf")" = 0 ]
		result $? 'the former ids are gone'
	done
	ctl prefer on
	has_line 'options virtio_fpr vendor=0xabcd device=0x104d' # no word about ids, no change
	ctl doctor
	prints 'warn PCI 0000:00:06.0 (abcd:104d) has no driver: fprctl bind'
	ctl bind
	exits 0
	prints '(abcd:104d): no driver -> virtio_fpr_vendor'
	ctl bind
	exits 0
	prints already
	ctl unbind
	ctl unbind
	exits 0
	prints 'virtio-pci does not know the PCI ids abcd:104d'
	ctl prefer off
	exits 0
	cmp -s "$top/scripts/modprobe.d/fpr.conf" "$FAKE/etc/modprobe.d/fpr.conf"
	result $? 'as shipped again'
}

case_prefer_without_the_file() {
	machine virtio_balloon
	ctl prefer off
	exits 0
	[ ! -e "$FAKE/etc/modprobe.d/fpr.conf" ]
	result $? 'off makes no file'
	ctl prefer on
	exits 0
	holds etc/modprobe.d/fpr.conf 'softdep virtio_balloon pre: virtio_fpr'
	rm -r "$FAKE/etc/modprobe.d"
	ctl prefer on
	exits 1
	complains 'does not exist'
}

case_prefer_keeps_other_lines() {
	machine virtio_balloon
	put etc/modprobe.d/fpr.conf "$(printf '# softdep virtio_balloon pre: virtio_fpr\noptions fpr delay_ms=100')"
	ctl prefer on
	holds etc/modprobe.d/fpr.conf "$(printf 'softdep virtio_balloon pre: virtio_fpr\noptions fpr delay_ms=100')"
}
