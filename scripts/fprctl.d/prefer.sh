# shellcheck shell=sh
# SPDX-License-Identifier: GPL-2.0
# Sourced by fprctl: fprctl prefer.

SOFTDEP='softdep virtio_balloon pre: virtio_fpr'
BLACKLIST='blacklist virtio_fpr' # keeps it from being loaded for its own device

preferred() { grep -q "^$SOFTDEP\$" "$PREFER" 2>/dev/null; }

# Rewrite the file in one step; modprobe reads names that end in .conf only.
prefer_edit() { # sed arguments
	sed "$@" "$PREFER" >"$PREFER.new" && mv "$PREFER.new" "$PREFER" && return
	rm -f "$PREFER.new"
	die "cannot write $PREFER"
}

prefer_add() { # line
	grep -qxF "$1" "$PREFER" || echo "$1" >>"$PREFER" || die "cannot write $PREFER"
}

prefer_forget_ids() {
	prefer_edit -e '/^alias pci:v[0-9A-Fd]*\* virtio_fpr$/d' \
		-e '/^options virtio_fpr vendor=0x[0-9a-f]* device=0x[0-9a-f]*$/d'
}

# The kernel asks for a driver by the ids, which virtio_fpr itself does not name.
prefer_ids() {
	id_vendor=${ids%:*} id_device=${ids#*:}
	prefer_forget_ids
	prefer_add "alias pci:v0000$(upper "$id_vendor")d0000$(upper "$id_device")* virtio_fpr"
	prefer_add "options virtio_fpr vendor=0x$id_vendor device=0x$id_device"
}

prefer_on() {
	if [ ! -d "${PREFER%/*}" ]; then
		die "${PREFER%/*} does not exist: install kmod"
	fi
	[ -e "$PREFER" ] || : >"$PREFER" || die "cannot write $PREFER"
	prefer_edit -e "s/^#[[:space:]]*\($SOFTDEP\)\$/\1/" -e "s/^$BLACKLIST\$/#&/"
	prefer_add "$SOFTDEP"
	[ -z "$ids" ] || prefer_ids
	echo 'virtio_fpr is preferred from the next boot on; now: fprctl bind'
	echo '(if the initramfs loads virtio_balloon: update-initramfs -u)'
}

prefer_off() {
	if [ -e "$PREFER" ]; then
		prefer_edit -e "s/^$SOFTDEP\$/#&/" -e "s/^#\($BLACKLIST\)\$/\1/"
		prefer_forget_ids
	fi
	echo 'virtio_balloon is preferred from the next boot on; now: fprctl unbind'
}

cmd_prefer() {
	ids=
	prefer_word=${1:-}
	if [ $# = 2 ] && [ "$1" = on ]; then
		case $2 in
		--pci-id=*) parse_ids "${2#*=}" ;;
		*) usage_error "prefer on takes --pci-id=VVVV:DDDD, not $2" ;;
		esac
	elif [ $# -gt 1 ]; then
		usage_error 'prefer takes "on", with or without --pci-id=VVVV:DDDD, "off" or nothing'
	fi
	case $prefer_word in
	on | off)
		need_root "prefer $prefer_word"
		"prefer_$prefer_word"
		;;
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
