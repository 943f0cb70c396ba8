#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
#
# patch.sh - one class changed among many, and nothing at all: what grows with
# the number of classes, and what does not.
#
#   tests/bench/patch.sh [COUNT...]      1000 10000
#
# Classes with a queue and a match each. In an open shell the tree is there
# already: the figure is that of 40 changes, one transaction each with rehearsal,
# journal and reading back, less that of one, by 39. Beside it tc changing the
# same class as often, a process each, which does none of that. Each figure is
# the lowest of three. A bench is no test.
# shellcheck source=../net/lib.sh
. "$(dirname "$0")/../net/lib.sh"

counts=("$@")
[ $# -gt 0 ] || counts=(1000 10000)
uplink

policy() {
	echo '/classes create u device=wan0 default=c1'
	echo "/classes/u create all rate=${1}mbit burst=1m"
	awk -v count="$1" 'BEGIN {
		for (i = 1; i <= count; i++) {
			printf "/classes/u/all create c%d rate=1mbit", i
			print " burst=15k leaf=\"pfifo limit 100\""
			printf "/classes/u/all/c%d/match create m proto=udp", i
			printf " dst=10.%d.%d.%d\n", i / 65536, i / 256 % 256,
				i % 256
		}
	}'
}
changes() {
	seq -f '/classes/u/all/c7 set ceil=%.0f00kbit' "$1" "$2"
}

# lowest COMMAND...: time in us. Input is $input.
lowest() {
	local best='' from time

	for ((n = 0; n < 3; n++)); do
		from=${EPOCHREALTIME/./}
		"$@" <"$input" >"$tmp/out" 2>&1 || {
			cat "$tmp/out" >&2
			echo "bench: $* failed" >&2
			exit 1
		}
		time=$((${EPOCHREALTIME/./} - from))
		[ -n "$best" ] && [ "$best" -le "$time" ] || best=$time
	done
	echo "$best"
}
listed() {
	tc -s class show dev wan0
	tc qdisc show dev wan0
	nft list ruleset
}
forty_by_tc() {
	for ((i = 20; i < 60; i++)); do
		tc class change dev wan0 parent "$parent" classid "$class" htb \
			rate 1mbit ceil "${i}00kbit" burst 15k || return
	done
}
# What is typed alone, one after the other, so that they have the same minute:
# its ceil, and what counts together with those of the others. In us.
declare -A alone
typed_alone() {
	local what=(ceil rate prio) set from time n

	alone=()
	for ((n = 0; n < 30; n++)); do
		case ${what[n % 3]} in
		ceil) set=ceil=$((n + 20))00kbit ;;
		rate) set=rate=$((n + 900))kbit ;;
		prio) set=prio=$((n / 3 % 2 + 1)) ;;
		esac
		from=${EPOCHREALTIME/./}
		tresse /classes/u/all/c7 set "$set" >"$tmp/out" 2>&1 || {
			cat "$tmp/out"
			echo "bench: $set failed"
			exit 1
		}
		time=$((${EPOCHREALTIME/./} - from))
		[ "${alone[${what[n % 3]}]:-$time}" -lt "$time" ] ||
			alone[${what[n % 3]}]=$time
	done
}
# row WHAT TIME OTHER WHICH
row() {
	awk -v what="$1" -v a="$2" -v b="$3" -v other="$4" 'BEGIN {
		printf "  %-44s %8.2f ms  %6.2f times %s (%.2f ms)\n", what,
			a / 1000, a / b, other, b / 1000
	}'
}

for count in "${counts[@]}"; do
	policy "$count" >"$tmp/policy"
	changes 20 59 >"$tmp/forty"
	changes 20 20 >"$tmp/one"
	tresse -q <"$tmp/policy" >/dev/null 2>&1
	read -r class parent < <(tc class show dev wan0 |
		awk '$3 ~ /^[0-9]+:8$/ { print $3, $5; exit }')
	input=$tmp/policy
	again=$(lowest tresse -q)
	looked=$(lowest tresse -q drift)
	input=$tmp/forty
	forty=$(lowest tresse -q --each)
	by_tc=$(lowest forty_by_tc)
	input=$tmp/one
	one=$(lowest tresse -q --each)
	typed_alone
	input=/dev/null
	start=$(lowest tresse pwd)
	load=$(lowest tresse --complete 'tresse /classes/u/all/c7')
	ls=$(lowest tresse ls /)
	list=$(lowest listed)
	echo "$count classes with queues and matches:"
	row 'ls /, with what each has sent' "$ls" "$list" \
		'tc and nft listing it'

	row 'one changed, in an open shell' $(((forty - one) / 39)) \
		$((by_tc / 40)) 'tc class change'
	row 'one changed, typed alone: its ceil' "${alone[ceil]}" "$start" \
		'tresse pwd'
	row '  its rate' "${alone[rate]}" "${alone[ceil]}" 'its ceil'
	row '  its prio' "${alone[prio]}" "${alone[ceil]}" 'its ceil'
	row 'one changed, by a batch of one line' "$one" "$start" 'tresse pwd'
	row '  of that, reading the store' "$load" "$start" 'tresse pwd'
	row 'the same batch again' "$again" "$looked" 'tresse drift'
	tresse -q clearconfig confirm=yes force=yes >/dev/null 2>&1 ||
		tresse -q clearconfig confirm=yes >/dev/null 2>&1
	rm -f "$TRESSE_STORE"*
done
finish
