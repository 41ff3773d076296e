# shellcheck shell=sh
# SPDX-License-Identifier: GPL-2.0
# A guest that is migrated while it verifies its memory all the time.

# A load until /tmp/stop is there; leaves /tmp/lost where memory is not as written.
verify() {
	seed=0
	while [ ! -e /tmp/stop ]; do
		memload 4 60 2 /mnt $((seed += 1)) >/tmp/memload 2>&1 || {
			cp /tmp/memload /tmp/lost
			return
		}
	done
}
intact() {
	cat /tmp/lost 2>/dev/null
	[ ! -e /tmp/lost ] && kill -0 "$load"
}
verify_begin() {
	mkdir -p /mnt
	mount -t tmpfs -o size=80% tmpfs /mnt
	verify &
	load=$!
}
verify_end() {
	check "memory is as it was written, a while after" sh -c "sleep 8; [ ! -e /tmp/lost ]"
	: >/tmp/stop
	wait
}
