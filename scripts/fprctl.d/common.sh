# shellcheck shell=sh
# SPDX-License-Identifier: GPL-2.0
# Sourced by fprctl: what its commands share.

err() { echo "fprctl: $*" >&2; }

die() {
	err "$*"
	exit 1
}

usage_error() {
	err "$*"
	exit 2
}

tool() {
	tool_name=$1
	shift
	if [ -n "${FPR_TOOLS:-}" ]; then
		"$FPR_TOOLS/$tool_name" "$@"
	else
		command "$tool_name" "$@"
	fi
}

have() {
	if [ -n "${FPR_TOOLS:-}" ]; then
		[ -x "$FPR_TOOLS/$1" ]
	else
		command -v "$1" >/dev/null 2>&1
	fi
}

# First line of a file, or nothing.
rd() {
	rd_line=
	if [ -r "$1" ]; then
		# In this order, so that the shell's own complaint is not seen either.
		read -r rd_line 2>/dev/null <"$1" || :
	fi
	printf '%s\n' "$rd_line"
}

# A counter under stats/; 0 when this version of fpr does not have it.
stat_of() {
	rd_number=$(rd "$CORE/stats/$1")
	echo "${rd_number:-0}"
}

# Write one value to a sysfs file.  On failure write_error says why.
sysfs_write() {
	if [ ! -e "$1" ]; then
		write_error="$1 does not exist"
		return 1
	fi
	if write_error=$(printf '%s\n' "$2" | tool dd of="$1" bs=4096 2>&1 >/dev/null); then
		return 0
	fi
	write_error=$(printf '%s\n' "$write_error" | sed -n 's/^[^ ]*dd: .*: //p' | sed 1q)
	write_error=${write_error:-write to $1 failed}
	return 1
}

human() { # bytes
	awk -v b="$1" 'BEGIN {
		if (b < 1048576) printf "%.0f KiB", b / 1024
		else if (b < 1073741824) printf "%.1f MiB", b / 1048576
		else if (b < 1099511627776) printf "%.2f GiB", b / 1073741824
		else printf "%.2f TiB", b / 1099511627776
	}'
}

ratio() { # part whole -> percent
	awk -v a="$1" -v b="$2" 'BEGIN { if (b > 0) printf "%.1f", 100 * a / b; else printf "0.0" }'
}

page_bytes() {
	page_kb=$(awk '/^KernelPageSize:/ { print $2; exit }' "$PROC/self/smaps" 2>/dev/null)
	echo $((${page_kb:-4} * 1024))
}

meminfo() { # field -> KiB
	awk -v f="$1:" '$1 == f { print $2; found = 1 } END { if (!found) print 0 }' \
		"$PROC/meminfo" 2>/dev/null
}

in_words() { # text of lines -> one line
	printf '%s\n' "$1" | tr '\n' ' ' | sed 's/ *$//'
}

among() { # word list
	case " $(in_words "$2") " in
	*" $1 "*) return 0 ;;
	esac
	return 1
}

upper() { printf '%s' "$1" | tr a-f A-F; }

is_number() {
	case $1 in
	'' | *[!0-9]*) return 1 ;;
	esac
}

is_root() {
	[ "$(awk '/^Uid:/ { print $3 }' "$PROC/self/status" 2>/dev/null)" = 0 ]
}

need_root() {
	is_root || die "only root may do that: sudo fprctl $1"
}

release() { rd "$PROC/sys/kernel/osrelease"; }
loaded() { [ -d "$SYS/module/$1" ]; }

need_core() {
	[ -d "$CORE" ] && return
	err 'fpr is not loaded: "fprctl bind" loads it and takes the balloon device,'
	die '"fprctl doctor" tells what is missing'
}
