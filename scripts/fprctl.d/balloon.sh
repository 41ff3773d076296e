# shellcheck shell=sh
# SPDX-License-Identifier: GPL-2.0
# shellcheck disable=SC2154 # $dev is that of devices.sh
# Sourced by fprctl: the balloon of the stock device.  A driver that gives the
# device up gives the balloon back to the guest, and the next one inflates it again,
# by itself, to what the host asks for; here it is only waited for.

BALLOON_PATIENCE=${FPR_BALLOON_S:-30} # seconds without progress

# A file of a device that virtio_fpr has; empty where there is none.
balloon_file() { # device name
	rd "$VIRTIO/devices/$1/fpr/balloon_$2"
}

# What all balloons of the guest hold.
ballooned_bytes() {
	pages=$(awk '$1 == "balloon_inflate" { n += $2 } $1 == "balloon_deflate" { n -= $2 }
		END { printf "%.0f", (n > 0 ? n : 0) }' "$PROC/vmstat" 2>/dev/null)
	echo $((${pages:-0} * $(page_bytes)))
}

balloon_text() { # bytes target
	echo "$(human "$1") of $(human "$2") asked for"
}

# Size of the balloon now and as the host wants it, in $now and $target.
balloon_now() { # device driver
	case $2 in
	virtio_fpr)
		now=$(balloon_file "$1" bytes)
		target=$(balloon_file "$1" target_bytes)
		;;
	virtio_balloon) # which does not tell what it was asked for
		now=$(($(ballooned_bytes) - other_balloons))
		[ "$now" -lt "$target" ] || now=$target
		;;
	esac
}

balloon_progress() { # end of the line
	[ ! -t 2 ] || printf '\r  balloon %-50s%s' "$(balloon_text "$now" "$target")" "$1" >&2
}

# Wait until the new driver has the balloon at the host's target; a balloon that
# does not get there is no failure.
wait_balloon() { # device driver
	waited=0
	last=
	balloon_now "$1" "$2"
	while [ -n "$now" ] && [ "$now" != "$target" ]; do
		balloon_progress ''
		if [ "$now" != "$last" ]; then
			last=$now
			waited=0
		elif [ "$waited" -ge $((BALLOON_PATIENCE * 5)) ]; then
			balloon_progress '
'
			err "note: the balloon stays at $(balloon_text "$now" "$target"), no change"
			err "for $BALLOON_PATIENCE s: the guest has no more to give, or the host has changed its mind."
			err "$2 goes on by itself; free some memory, or ask for less on the host"
			return
		fi
		waited=$((waited + 1))
		sleep 0.2
		balloon_now "$1" "$2"
	done
	[ -z "$now" ] || [ "$target" = 0 ] || {
		balloon_progress '
'
		echo "$1: balloon $(balloon_text "$now" "$target")"
	}
}

# Before a device changes hands: what its balloon has, and the others have.
note_balloon() { # device driver
	case $2 in
	virtio_fpr)
		held=$(balloon_file "$1" bytes)
		target=$(balloon_file "$1" target_bytes)
		;;
	virtio_balloon)
		held=$(ballooned_bytes)
		for other in $(taken); do
			bytes=$(balloon_file "$other" bytes)
			held=$((held - ${bytes:-0}))
		done
		target=$held
		;;
	*) held=0 ;;
	esac
	held=${held:-0}
	target=${target:-0}
	other_balloons=$(($(ballooned_bytes) - held))
	[ "$other_balloons" -gt 0 ] || other_balloons=0
	[ "$held" -le 0 ] ||
		echo "$1: the guest gets back the $(human "$held") of the balloon, until it is inflated again"
}
