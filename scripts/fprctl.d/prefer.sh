# shellcheck shell=sh
# SPDX-License-Identifier: GPL-2.0
# Sourced by fprctl: fprctl prefer.

SOFTDEP='softdep virtio_balloon pre: virtio_fpr'

preferred() { grep -q "^$SOFTDEP\$" "$PREFER" 2>/dev/null; }

# Rewrite the file in one step; modprobe reads names that end in .conf only.
prefer_edit() { # sed expression
	need_root "prefer $prefer_word"
	sed "$1" "$PREFER" >"$PREFER.new" && mv "$PREFER.new" "$PREFER" && return
	rm -f "$PREFER.new"
	die "cannot write $PREFER"
}

prefer_on() {
	if ! preferred; then
		if [ ! -d "${PREFER%/*}" ]; then
			die "${PREFER%/*} does not exist: install kmod"
		fi
		[ -e "$PREFER" ] || : >"$PREFER" || die "cannot write $PREFER"
		prefer_edit "s/^#[[:space:]]*\($SOFTDEP\)\$/\1/"
		preferred || echo "$SOFTDEP" >>"$PREFER" || die "cannot write $PREFER"
	fi
	echo 'virtio_fpr is preferred from the next boot on; now: fprctl bind'
	echo '(if the initramfs loads virtio_balloon: update-initramfs -u)'
}

prefer_off() {
	! preferred || prefer_edit "s/^\($SOFTDEP\)\$/#\1/"
	echo 'virtio_balloon is preferred from the next boot on; now: fprctl unbind'
}

cmd_prefer() {
	prefer_word=${1:-}
	[ $# -le 1 ] || usage_error 'prefer takes "on", "off" or nothing'
	case $prefer_word in
	on) prefer_on ;;
	off) prefer_off ;;
	'')
		if preferred; then
			echo on
		else
			echo off
		fi
		;;
	*) usage_error "prefer takes \"on\", \"off\" or nothing, not $1" ;;
	esac
}
