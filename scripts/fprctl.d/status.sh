# shellcheck shell=sh
# SPDX-License-Identifier: GPL-2.0
# Sourced by fprctl: fprctl status.

BLOCK_BYTES=2097152 # unit of the *_blocks counters

versions() {
	for module in fpr virtio_fpr; do
		loaded "$module" || continue
		version=$(rd "$SYS/module/$module/version")
		printf '%s %s  ' "$module" "${version:-(no version)}"
	done
	printf 'on Linux %s\n' "$(release)"
}

state_text() {
	case $1 in
	no-device) echo 'no-device (nothing to report to: fprctl bind)' ;;
	paused) echo 'paused (fprctl resume)' ;;
	idle) echo 'idle (nothing to do, no timer runs)' ;;
	waiting) echo 'waiting (candidates are ageing)' ;;
	reporting) echo reporting ;;
	backoff) echo 'backoff (the device failed, next attempt is delayed: dmesg)' ;;
	*) echo "${1:-unknown}" ;;
	esac
}

row() { printf '  %-18s %s\n' "$1" "$2"; }

# A file of fpr's own device; empty for the stock one.
vendor_file() { # name
	rd "$VIRTIO/devices/$(rd "$CORE/device")/fpr/$1"
}

status_device() {
	reporting=$(rd "$CORE/device")
	bound=$(taken)
	for dev in ${bound:-$reporting}; do
		case $(kind_of "$dev") in
		vendor) text="$dev, fpr's own$(pci_text "$dev")" ;;
		stock) text="$dev, virtio balloon$(pci_text "$dev")" ;;
		*) text=$dev ;;
		esac
		if [ "$dev" = "$reporting" ]; then
			# Where it is the only one, that goes without saying.
			[ "$dev" = "${bound:-$dev}" ] || text="$text, memory is reported to it"
		elif [ "$reporting" != none ]; then
			text="$text, balloon and statistics only"
		fi
		row device "$text"
	done
}

status_balloon() {
	for dev in $(taken); do
		size=$(balloon_file "$dev" bytes)
		[ -n "$size" ] || continue
		text=$(balloon_text "$size" "$(balloon_file "$dev" target_bytes)")
		chunks=$(balloon_file "$dev" chunk_bytes)
		[ "${chunks:-0}" = 0 ] || text="$text, $(human "$chunks") in large pieces"
		row balloon "$text"
		lost=$(balloon_file "$dev" oom_bytes)
		[ "${lost:-0}" = 0 ] || row '' "$(human "$lost") given back when memory ran out"
	done
}

# What the host says, which the stock device does not let it.
status_host() {
	case $(rd "$CORE/pressure") in
	'') ;;
	unknown) row 'host pressure' 'unknown (the device does not say)' ;;
	*) row 'host pressure' "$(rd "$CORE/pressure")" ;;
	esac
	granule=$(vendor_file granule_bytes)
	[ -z "$granule" ] || row granule "$(human "$granule") (the host can discard nothing smaller)"
	discarded=$(vendor_file discarded_bytes)
	[ -z "$discarded" ] ||
		row 'host discarded' "$(human "$discarded"), refused $(human "$(vendor_file refused_bytes)")"
	row requests "$(stat_of requests) (the host asked for all that is free)"
}

status_settings() {
	order=$(rd "$CORE/order")
	case $(rd "$CORE/enabled") in
	1 | Y) row enabled yes ;;
	*) row enabled 'no (fprctl resume)' ;;
	esac
	row order "$order (blocks of $(human "$(($(page_bytes) << ${order:-0}))") and larger)"
	floor=$(rd "$CORE/floor_order")
	if [ "${floor:-0}" -lt "${order:-0}" ]; then
		row floor "$floor (runs of $(human "$(($(page_bytes) << ${floor:-0}))") and more, of cold blocks)"
	else
		row floor "$floor (pieces of blocks stay)"
	fi
	row delay "$(rd "$CORE/delay_ms") ms, $(rd "$CORE/cold_ms") ms until a block is cold"
	row threshold "$(rd "$CORE/threshold_kb") KiB"
	row reserve "$(rd "$CORE/reserve_kb") KiB"
	row hold "$(rd "$CORE/hold_kb") KiB at most"
}

status_memory() {
	page=$(page_bytes)
	free=$(($(meminfo MemFree) * 1024))
	now=$(($(stat_of reported_free_pages) * page))
	candidates=$(stat_of candidate_blocks)
	row 'memory of guest' "$(human $(($(meminfo MemTotal) * 1024)))"
	row 'free in guest' "$(human "$free")"
	row 'reported now' "$(human "$now") ($(ratio "$now" "$free") % of free)"
	row candidates "$candidates blocks ($(human $((candidates * BLOCK_BYTES))))"
	row 'kept of them' "$(stat_of kept_blocks) blocks ($(stat_of saved_blocks) were needed again so far)"
	row 'held now' "$(human $(($(stat_of held_pages) * page)))"
}

status_counters() {
	bytes=$(stat_of reported_bytes)
	segments=$(stat_of segments)
	recycled=$(stat_of recycled_blocks)
	average=0
	[ "$segments" = 0 ] || average=$((bytes / segments))
	row 'reported in all' "$(human "$bytes")"
	row reports "$(stat_of reports) in $segments segments ($(human "$average") each on average)"
	row recycled "$recycled blocks ($(ratio $((recycled * BLOCK_BYTES)) "$bytes") % of what was reported)"
	row errors "$(stat_of errors)"
	row 'isolate failed' "$(stat_of isolate_failed)"
	row 'last pass' "$(stat_of last_pass_us) us"
	row 'max lock hold' "$(stat_of max_lock_hold_ns) ns"
	row passes "$(stat_of passes) ($(stat_of wakeups) wakeups, $(stat_of sweeps) sweeps, $(stat_of drains) drains)"
}

cmd_status() {
	[ $# = 0 ] || usage_error 'status takes no arguments'
	need_core
	versions
	status_device
	row hook "$(rd "$CORE/hook")"
	row state "$(state_text "$(rd "$CORE/state")")"
	status_settings
	status_memory
	status_balloon
	status_counters
	status_host
}
