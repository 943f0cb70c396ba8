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
	echo '} }'
	echo 'chain out { type filter hook postrouting priority 0;'
	echo 'meta mark set ct mark'
	echo 'meta priority set meta mark map @classes'
	echo '} }'
}

# took COMMAND...: its time in us.
took() {
	local from=${EPOCHREALTIME/./}

	"$@" >"$tmp/out" 2>&1 || {
		cat "$tmp/out" >&2
		echo "bench: $* failed" >&2
		exit 1
	}
	echo $((${EPOCHREALTIME/./} - from))
}

by_tc() { tc -batch "$tmp/tc" && nft -f "$tmp/nft"; }
by_tresse() { tresse <"$tmp/tresse"; }
hundred() { for ((n = 0; n < 100; n++)); do "$@" || return; done; }

# lowest NAME FIGURE: keeps it if it is lower than what is there.
declare -A best
lowest() {
	[ -n "${best[$1]:-}" ] && [ "${best[$1]}" -le "$2" ] || best[$1]=$2
}

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
	lowest tc "$(took by_tc)" || exit 1
	tc qdisc del dev wan0 root
	nft delete table inet bench
	lowest cold "$(took by_tresse)" || exit 1
	lowest again "$(took by_tresse)" || exit 1
	lowest dump "$(took bash -c \
		'tc -s class show dev wan0; tc qdisc show dev wan0
		 nft list ruleset')" || exit 1
	lowest ls "$(took tresse /classes ls)" || exit 1
	lowest one "$(took tresse /classes/u/all/c1 set \
		"leaf=pfifo limit $((round + 101))")" || exit 1
	lowest tcone "$(took tc qdisc change dev wan0 parent 1:12 \
		pfifo limit $((round + 101)))" || exit 1
	lowest delete "$(took tresse /classes delete u)" || exit 1
	lowest pwd "$(took hundred tresse pwd)" || exit 1
	lowest true "$(took hundred /bin/true)" || exit 1
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
