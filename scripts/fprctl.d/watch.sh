# shellcheck shell=sh
# SPDX-License-Identifier: GPL-2.0
# Sourced by fprctl: fprctl watch.

# One line: uptime in s, free KiB, counters, state, host pressure.
sample() {
	read -r up_s _ <"$PROC/uptime"
	echo "$up_s $(meminfo MemFree) $(stat_of reported_free_pages)" \
		"$(stat_of reported_bytes) $(stat_of reports) $(stat_of segments)" \
		"$(stat_of candidate_blocks) $(stat_of recycled_blocks)" \
		"$(stat_of errors) $(stat_of kept_blocks) $(rd "$CORE/state") $(rd "$CORE/pressure")"
}

watch_header() {
	printf '%-8s %9s %9s %9s %9s %10s %10s %7s %10s %7s  %s\n' \
		time free reported reported reports segments candidates kept recycled errors state
	printf '%-8s %9s %9s %9s %9s %10s %10s %7s %10s %7s\n' \
		'' MiB 'now MiB' MiB/s /s /s blocks blocks blocks/s ''
}

watch_row() { # before after interval page
	printf '%s\n%s\n' "$1" "$2" | awk -v dt="$3" -v page="$4" -v now="$(date +%H:%M:%S)" '
	NR == 1 { for (i = 1; i <= NF; i++) old[i] = $i; next }
	{
		if ($1 - old[1] > 0) dt = $1 - old[1]
		host = $12 == "" || $12 == "unknown" ? "" : ", host pressure " $12
		printf "%-8s %9.1f %9.1f %9.1f %9.1f %10.1f %10d %7d %10.1f %7d  %s%s\n",
			now, $2 / 1024, $3 * page / 1048576,
			($4 - old[4]) / dt / 1048576, ($5 - old[5]) / dt,
			($6 - old[6]) / dt, $7, $10, ($8 - old[8]) / dt, $9, $11, host
	}'
}

cmd_watch() {
	interval=${1:-1}
	count=${2:-0}
	case $interval in
	*[!0-9.]* | *.*.* | .) usage_error "watch: $interval is not a number of seconds" ;;
	*[1-9]*) ;;
	*) usage_error 'watch: the interval must be more than 0 s' ;;
	esac
	is_number "$count" || usage_error "watch: $count is not a number of rows"
	[ $# -le 2 ] || usage_error 'watch takes at most two arguments: SECONDS COUNT'
	need_core
	page=$(page_bytes)
	rows=0
	before=$(sample)
	while :; do
		[ $((rows % 20)) != 0 ] || watch_header
		sleep "$interval"
		[ -d "$CORE" ] || die 'fpr was unloaded'
		after=$(sample)
		watch_row "$before" "$after" "$interval" "$page"
		before=$after
		rows=$((rows + 1))
		[ "$rows" != "$count" ] || break
	done
}
