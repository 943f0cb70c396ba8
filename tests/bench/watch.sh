#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
#
# watch.sh - what looking costs: processor time of one core while watch repeats
# stats, ls and drift once a second, and single reading commands.
#
#   tests/bench/watch.sh [CLASSES [SECONDS]]
#
# A bench is no test: it prints, and judges nothing.
# shellcheck source=../net/lib.sh
. "$(dirname "$0")/../net/lib.sh"

classes=${1:-10000} seconds=${2:-10}
uplink
{
	echo '/classes create u device=wan0 default=c1'
	echo "/classes/u create all classid=1:1 rate=${classes}mbit burst=1m"
	for ((i = 1; i <= classes; i++)); do
		printf '/classes/u/all create c%d classid=1:%x mark=%d rate=1mbit\n' \
			"$i" $((i + 16)) "$i"
	done
} >"$tmp/batch"
tresse <"$tmp/batch" >"$tmp/out" 2>&1 || {
	cat "$tmp/out"
	finish
}

# used COMMAND...: user and system time in ms, of it and what it starts.
used() {
	local TIMEFORMAT='%U %S' user system

	read -r user system < <({ time "$@" >"$tmp/out" 2>&1; } 2>&1)
	awk "BEGIN { print int(($user + $system) * 1000 + 0.5) }"
}

for command in stats ls drift; do
	start=$(used tresse watch "$command" count=1)
	all=$(used tresse watch "$command" count=$((seconds + 1)))
	awk "BEGIN { ms = ($all - $start) / $seconds
		printf \"watch %-6s 1 Hz, %d classes  %6.1f ms each, %4.1f %% of a core\\n\",
			\"$command\", $classes, ms, ms / 10 }"
done
for command in 'ls' 'drift' 'stats interval=100ms' 'export tc' 'status'; do
	# shellcheck disable=SC2086
	printf '%-22s %d classes  %4d ms of processor time\n' \
		"$command" "$classes" "$(used tresse $command)"
done
printf '%-22s %d classes  %4d ms of processor time\n' 'the same batch again' \
	"$classes" "$(used tresse <"$tmp/batch")"
finish
