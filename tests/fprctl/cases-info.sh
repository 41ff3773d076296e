# shellcheck shell=sh
# SPDX-License-Identifier: GPL-2.0
# shellcheck disable=SC2034,SC2154 # $what, $out, $top and the checks are those of run
# status, watch, get, version, help and wrong usage.

case_status() {
	machine virtio_fpr
	ctl status
	exits 0
	quiet
	prints 'fpr 0.1.0 virtio_fpr 0.1.0 on Linux 6.1.0-56-cloud-amd64'
	prints 'device virtio1'
	prints 'hook tracepoint'
	prints 'state idle (nothing to do, no timer runs)'
	prints 'enabled yes'
	prints 'order 9 (blocks of 2.0 MiB and larger)'
	prints 'floor 4 (runs of 64 KiB and more, of cold blocks)'
	prints 'delay 800 ms, 2000 ms until a block is cold'
	prints 'threshold 2048 KiB'
	prints 'reserve 0 KiB'
	prints 'hold 65536 KiB'
	prints 'memory of guest 4.00 GiB'
	prints 'free in guest 2.00 GiB'
	prints 'reported now 1.00 GiB (50.0 % of free)'
	prints 'reported in all 3.00 GiB'
	prints 'reports 12 in 96 segments (32.0 MiB each on average)'
	prints 'errors 0'
	prints 'isolate failed 1'
	prints 'recycled 15 blocks (1.0 % of what was reported)'
	prints 'candidates 3 blocks (6.0 MiB)'
	prints 'kept of them 2 blocks (8 were needed again so far)'
	prints 'held now 0 KiB'
	prints 'last pass 812 us'
	prints 'max lock hold 13042 ns'
}

case_status_before_the_first_report() {
	machine virtio_fpr
	for counter in reported_pages reported_bytes reported_free_pages reports segments recycled_blocks; do
		put "sys/kernel/fpr/stats/$counter" 0
	done
	ctl status
	exits 0
	quiet
	prints 'reports 0 in 0 segments (0 KiB each on average)'
	prints 'recycled 0 blocks (0.0 % of'
}

case_status_of_large_pages_and_memory() {
	machine virtio_fpr
	put proc/self/smaps 'KernelPageSize:       64 kB'
	put sys/kernel/fpr/order 5
	put sys/kernel/fpr/stats/reported_bytes 5497558138880
	ctl status
	prints 'order 5 (blocks of 2.0 MiB and larger)'
	prints 'reported now 16.00 GiB'
	prints 'reported in all 5.00 TiB'
}

case_status_of_an_older_module() {
	machine virtio_fpr
	rm "$FAKE/sys/kernel/fpr/stats/sweeps" "$FAKE/sys/kernel/fpr/stats/segments"
	ctl status
	exits 0
	quiet
}

case_status_paused_and_failing() {
	machine virtio_fpr
	put sys/kernel/fpr/state paused
	put sys/kernel/fpr/enabled 0
	ctl status
	prints 'state paused (fprctl resume)'
	prints 'enabled no (fprctl resume)'
	put sys/kernel/fpr/state backoff
	ctl status
	prints 'state backoff (the device failed'
}

case_not_loaded() {
	machine virtio_balloon
	for command in status watch get flush pause resume 'set delay_ms 100'; do
		# shellcheck disable=SC2086 # words
		ctl $command
		exits 1
		complains 'fpr is not loaded'
		complains 'fprctl doctor'
	done
}

case_watch() {
	machine virtio_fpr
	ctl watch 0.01 3
	exits 0
	quiet
	lines 5
	prints 'time free reported reported reports segments candidates kept recycled errors state'
	prints '2048.0 1024.0 0.0 0.0 0.0 3 2 0.0 0 idle'
}

case_watch_rates() {
	machine virtio_fpr
	(
		sleep 1
		put proc/uptime '104.00 50.00' # longer than asked for
		put sys/kernel/fpr/stats/reported_bytes 3263168512
		put sys/kernel/fpr/stats/reports 16
		put sys/kernel/fpr/stats/segments 98
		put sys/kernel/fpr/stats/recycled_blocks 35
		put sys/kernel/fpr/stats/errors 7
	) &
	ctl watch 2 1
	wait
	prints '2048.0 1024.0 10.0 1.0 0.5 3 2 5.0 7 idle'
}

case_watch_repeats_its_header() {
	machine virtio_fpr
	ctl watch 0.001 21
	[ "$(printf '%s\n' "$out" | grep -c '^time')" = 2 ]
	result $? 'two headers in 21 rows'
	lines 25
}

case_watch_ends_when_the_module_goes() {
	machine virtio_fpr
	(
		sleep 0.3
		rm -r "$FAKE/sys/kernel/fpr"
	) &
	ctl watch 0.6
	wait
	exits 1
	complains unloaded
}

case_watch_usage() {
	machine virtio_fpr
	for bad in 0 -1 x 1.2.3 . 0.0; do
		ctl watch "$bad"
		exits 2
	done
	ctl watch 1 many
	exits 2
	ctl watch 1 2 3
	exits 2
}

case_get() {
	machine virtio_fpr
	ctl get delay_ms
	exits 0
	prints 800
	ctl get stats/segments
	prints 96
	ctl get reported_bytes
	prints 3221225472
	ctl get state
	prints idle
	ctl get report_timeout_ms
	prints 30000
	ctl get
	exits 0
	prints 'delay_ms 800 ms'
	prints 'hold_kb 65536 KiB'
	prints 'device virtio1'
	prints 'max_lock_hold_ns 13042'
	ctl get nonsense
	exits 2
	complains 'there are: order floor_order delay_ms'
	complains 'max_lock_hold_ns'
	ctl get a b
	exits 2
}

case_get_from_a_module_that_is_not_there() {
	machine virtio_fpr
	rm -r "$FAKE/sys/module/virtio_fpr"
	ctl get report_timeout_ms
	exits 1
	complains 'is its module loaded'
}

case_version() {
	machine virtio_fpr
	ctl version
	exits 0
	prints "fprctl $(sed -n 's/^PACKAGE_VERSION="\(.*\)"/\1/p' "$top/dkms.conf")"
	prints 'virtio_fpr 0.1.0'
	ctl --version
	exits 0
	machine virtio_balloon
	ctl version
	exits 0
	lines 1
}

# fprctl is a file with its parts in a directory beside it, wherever that is.
case_parts() {
	machine virtio_fpr
	real=$fprctl
	mkdir "$FAKE/sbin" "$FAKE/elsewhere"
	cp -R "$real" "$real.d" "$FAKE/elsewhere"
	ln -s ../elsewhere/fprctl "$FAKE/sbin/fprctl"
	ln -s "$FAKE/sbin/fprctl" "$FAKE/sbin/again"
	for fprctl in "$real" "$FAKE/elsewhere/fprctl" "$FAKE/sbin/fprctl" "$FAKE/sbin/again"; do
		ctl get delay_ms
		exits 0
		prints 800
	done
	rm "$FAKE/elsewhere/fprctl.d/status.sh"
	ctl get delay_ms
	exits 1
	complains 'elsewhere/fprctl.d/status.sh is missing: install fpr again'
	lines 1 # an empty one
	fprctl=$real
}

case_help() {
	machine virtio_fpr
	for word in help --help -h; do
		ctl "$word"
		exits 0
		prints 'usage: fprctl COMMAND'
	done
	for command in status watch doctor bind unbind flush pause resume set get prefer version; do
		ctl help "$command"
		exits 0
		prints "fprctl $command"
		ctl "$command" --help
		exits 0
		prints "fprctl $command"
		ctl help
		prints "$command"
	done
	ctl set -h
	prints 'delay_ms 10 to 600000 ms'
	ctl help nonsense
	exits 2
	not_called dd
}

case_usage() {
	machine virtio_fpr
	ctl
	exits 2
	complains 'usage: fprctl COMMAND'
	ctl nonsense
	exits 2
	complains 'no command "nonsense"'
	for command in status doctor flush pause resume version; do
		ctl "$command" more
		exits 2
	done
	not_called dd
}

# What the modules' source, fprctl and fpr(7) say about a parameter must agree.
case_ranges_and_defaults_agree() {
	machine virtio_fpr
	for name in delay_ms cold_ms threshold_kb reserve_kb hold_kb; do
		# "delay_ms", 800, 10, 600000,   (a number may be written as 8 << 10)
		line=$(sed -n "s/^.*\"$name\", *\([^\"]*\),.*/\1/p" "$top/src/core/params.c" | sed 1q)
		default=$((${line%%,*}))
		max=$((${line##*,}))
		min=${line#*,}
		min=$((${min%,*}))
		ctl help set
		prints "$name $min to $max"
		what="fpr(7) about $name"
		out=$(awk -v want="$name" '/^\.It / { inside = ($3 == want) } inside' \
			"$top/docs/man/fpr.7" | tr '\n' ' ')
		prints "$min to $max"
		prints "Default: $default."
	done
}
