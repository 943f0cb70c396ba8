#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
#
# bench.sh - times, as ratios to what else does the same in the same run.
#
#   tests/bench/bench.sh [CLASSES [ROUNDS]]
#
# Each figure is the lowest of some rounds (5), taken in turns with the other
# side. tc and nft get all they need in one process each, so they are the floor:
# they check nothing, keep nothing and read nothing back. A bench is no test.
# shellcheck source=../net/lib.sh
. "$(dirname "$0")/../net/lib.sh"

classes=${1:-1000} rounds=${2:-5}
uplink

# What both are to make: classes with a queue of their own under one branch, and
# a mark each.
tresse_batch() {
	echo '/classes create u device=wan0 default=c1'
	echo "/classes/u create all classid=1:1 rate=${classes}mbit burst=1m"
	for ((i = 1; i <= classes; i++)); do
		printf '/classes/u/all create c%d classid=1:%x mark=%d' \
			"$i" $((i + 16)) "$i"
		echo ' rate=1mbit leaf="pfifo limit 100"'
	done
}

tc_batch() {
	echo "qdisc add dev wan0 root handle 1: htb default 11"
	echo "class add dev wan0 parent 1: classid 1:1 htb" \
		"rate ${classes}mbit burst 1m"
	for ((i = 1; i <= classes; i++)); do
		printf 'class add dev wan0 parent 1:1 classid 1:%x htb rate 1mbit\n' \
			$((i + 16))
		printf 'qdisc add dev wan0 parent 1:%x handle %x: pfifo limit 100\n' \
			$((i + 16)) $((i + 256))
	done
}

nft_batch() {
	echo 'table inet bench {'
	echo 'map classes { type mark : classid; elements = {'
	for ((i = 1; i <= classes; i++)); do
		printf '%d : 1:%x,\n' "$i" $((i + 16))
	done
	echo '}'
	echo '}'
	echo 'chain out { type filter hook postrouting priority 0;'
	echo 'meta mark set ct mark'
	echo 'meta priority set meta mark map @classes'
	echo '}'
	echo '}'
}

# took NAME COMMAND...: its time in us, kept if it is the lowest so far.
declare -A best
took() {
	local name=$1 from=${EPOCHREALTIME/./} time
	shift

	"$@" >"$tmp/out" 2>&1 || {
		cat "$tmp/out"
		echo "bench: $* failed"
		exit 1
	}
	time=$((${EPOCHREALTIME/./} - from))
	[ -n "${best[$name]:-}" ] && [ "${best[$name]}" -le "$time" ] ||
		best[$name]=$time
}

by_tc() { tc -batch "$tmp/tc" && nft -f "$tmp/nft"; }
by_tresse() { tresse <"$tmp/tresse"; }
listed() {
	tc -s class show dev wan0
	tc qdisc show dev wan0
	nft list ruleset
}
hundred() { for ((n = 0; n < 100; n++)); do "$@" || return; done; }

# row WHAT TIME OTHER UNIT
row() {
	awk -v what="$1" -v a="$2" -v b="$3" -v other="$4" 'BEGIN {
		printf "%-46s %9.2f ms  %6.2f times %s (%.2f ms)\n", what,
			a / 1000, a / b, other, b / 1000
	}'
}

tresse_batch >"$tmp/tresse"
tc_batch >"$tmp/tc"
nft_batch >"$tmp/nft"
for ((round = 0; round < rounds; round++)); do
	took tc by_tc
	tc qdisc del dev wan0 root
	nft delete table inet bench
	took cold by_tresse
	took again by_tresse
	took dump listed
	took ls tresse /classes ls
	took one tresse /classes/u/all/c1 set "leaf=pfifo limit $((round + 101))"
	took tcone tc qdisc change dev wan0 parent 1:12 \
		pfifo limit $((round + 101))
	took delete tresse /classes delete u
	took pwd hundred tresse pwd
	took true hundred /bin/true
done

echo "$classes classes with queues and marks; lowest of $rounds"
row 'tresse <batch, cold' "${best[cold]}" "${best[tc]}" 'tc -batch and nft -f'
row 'the same once more: nothing to do' "${best[again]}" "${best[tc]}" \
	'tc -batch and nft -f'
row 'one queue changed' "${best[one]}" "${best[tcone]}" 'tc qdisc change'
row 'tresse /classes ls, live' "${best[ls]}" "${best[dump]}" \
	'tc and nft listing it'
row 'all deleted' "${best[delete]}" "${best[tc]}" 'tc -batch and nft -f'
row 'start, pwd, end' $((best[pwd] / 100)) $((best[true] / 100)) /bin/true
finish
