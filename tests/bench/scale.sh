#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
#
# scale.sh - many classes: the time of Tresse, and how it compares to tc and nft
# making the same in the same run, which check nothing and read nothing back.
#
#   tests/bench/scale.sh [FEW [MANY [ROUNDS]]]      1000 10000 3
#
# `tc each` is tc as a process a command, as scripts have it; `tc -batch` one
# process for all. Each figure is the lowest of some rounds, but for the two that
# take longest (tc each, and MANY classes in one HTB), which run once. A bench is
# no test.
# shellcheck source=../net/lib.sh
. "$(dirname "$0")/../net/lib.sh"

few=${1:-1000} many=${2:-10000} rounds=${3:-3}
uplink

# tresse_batch COUNT: so many classes with a queue and a mark each.
tresse_batch() {
	echo '/classes create u device=wan0 default=c1'
	echo "/classes/u create all classid=1:1 rate=${1}mbit burst=1m"
	for ((i = 1; i <= $1; i++)); do
		printf '/classes/u/all create c%d classid=1:%x mark=%d' \
			"$i" $((i + 16)) "$i"
		echo ' rate=1mbit leaf="pfifo limit 100"'
	done
}
# No two of these are alike, so all of them are rehearsed.
unlike_batch() {
	tresse_batch "$1" | awk '/ c[0-9]/ {
		sub("rate=1mbit", "rate=" NR "kbit") } { print }'
}
# HTB counts its quantum by r2q, which Tresse says to each class.
tc_batch() {
	echo "qdisc add dev wan0 root handle 1: htb default 11"
	echo "class add dev wan0 parent 1: classid 1:1 htb" \
		"rate ${1}mbit burst 1m quantum 60000"
	for ((i = 1; i <= $1; i++)); do
		printf 'class add dev wan0 parent 1:1 classid 1:%x htb rate 1mbit\n' \
			$((i + 16))
	done
	for ((i = 1; i <= $1; i++)); do
		printf 'qdisc add dev wan0 parent 1:%x handle %x: pfifo limit 100\n' \
			$((i + 16)) $((i + 256))
	done
}
nft_batch() {
	echo 'table inet bench {'
	echo 'map classes { type mark : classid; elements = {'
	for ((i = 1; i <= $1; i++)); do
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
by_batch() { tc -batch "$tmp/tc" && nft -f "$tmp/nft"; }
by_each() {
	local words

	while read -ra words; do
		tc "${words[@]}" || return
	done <"$tmp/tc"
	nft -f "$tmp/nft"
}
by_tresse() { tresse <"$tmp/tresse"; }
listed() {
	tc -s class show dev wan0
	tc qdisc show dev wan0
	nft list ruleset
}
bare() {
	tc qdisc del dev wan0 root
	nft delete table inet bench
}
# What a rehearsal is to tc: a namespace, a device, the commands.
elsewhere() {
	unshare --net sh -c "ip link add wan0 type veth peer name far0 &&
		ip link set wan0 up && tc -batch $tmp/tc && nft -f $tmp/nft"
}

# ---- few ----

tresse_batch "$few" >"$tmp/tresse"
tc_batch "$few" >"$tmp/tc"
nft_batch "$few" >"$tmp/nft"
for ((round = 0; round < rounds; round++)); do
	took few.batch by_batch
	bare
	took few.cold by_tresse
	tresse /classes delete u >/dev/null 2>&1
	took ns.batch elsewhere
done
took few.each by_each
bare
# Half as many classes as operations: a class and its queue.
unlike_batch "$few" >"$tmp/tresse"
for ((round = 0; round < rounds; round++)); do
	took rehearsal tresse -n <"$tmp/tresse"
done
rehearsed=$(grep -cE '^\+ (class|leaf) ' "$tmp/out")
grep -q 'steps were rehearsed; the others' "$tmp/out" &&
	echo "bench: not all was rehearsed"

# ---- many ----

tresse_batch "$many" >"$tmp/tresse"
tc_batch "$many" >"$tmp/tc"
nft_batch "$many" >"$tmp/nft"
for ((round = 0; round < rounds; round++)); do
	took many.cold by_tresse
	htbs=$(tc qdisc show dev wan0 | grep -c '^qdisc htb')
	written=$(stat -c '%Y %s' "$TRESSE_STORE"; sha256sum <"$TRESSE_STORE")
	took many.again by_tresse
	[ "$written" = "$(
		stat -c '%Y %s' "$TRESSE_STORE"
		sha256sum <"$TRESSE_STORE"
	)" ] && untouched='no write' || untouched='BUT IT WROTE'
	took many.listed listed
	took many.start tresse pwd
	took many.one tresse /classes/u/all/c7 set ceil=$((round + 2))mbit
	took many.rate tresse /classes/u/all/c7 set rate=$((round + 900))kbit
	took many.prio tresse /classes/u/all/c7 set prio=$((round % 2 + 1))
	class=$(tc class show dev wan0 | awk '$3 ~ /:17$/ { print $3, $5 }')
	read -r class parent <<<"$class"
	took tc.one tc class change dev wan0 parent "$parent" classid "$class" \
		htb rate 1mbit ceil $((round + 2))mbit
	tresse /classes delete u >/dev/null 2>&1
done
took many.batch by_batch
bare

# ---- the table ----

# figure WHAT REACH TIME [NAME TIME]...: and how many times the others' it is.
figure() {
	local ours=$3

	printf '%-36s %-10s %9.1f ms' "$1" "$2" \
		"$(awk "BEGIN { print $ours / 1000 }")"
	shift 3
	while [ $# -gt 1 ]; do
		awk -v name="$1" -v other="$2" -v ours="$ours" 'BEGIN {
			printf "  %.2f x %s (%.1f)", ours / other, name,
				other / 1000 }'
		shift 2
	done
	echo
}
echo "many classes with queues and marks; lowest of $rounds, ms"
figure "$few, cold" '<= batch' "${best[few.cold]}" \
	'tc -batch + nft -f' "${best[few.batch]}" \
	'tc each + nft -f' "${best[few.each]}"
echo "    tc each takes $((${best[few.each]} / ${best[few.cold]})) times as long" \
	"as tresse (reach: 50)"
figure "$many, $htbs HTBs" '< 1000' "${best[many.cold]}" \
	'tc -batch + nft -f, one HTB' "${best[many.batch]}"
figure "$many again, $untouched" '< 60' "${best[many.again]}" \
	'tc and nft listing it' "${best[many.listed]}"
figure "one class of $many changed" '< 5 + pwd' "${best[many.one]}" \
	'tc class change' "${best[tc.one]}" 'tresse pwd' "${best[many.start]}"
figure "  its rate, by the sums of all" '< 5 + pwd' "${best[many.rate]}" \
	'its ceil' "${best[many.one]}"
figure "  its prio" '< 5 + pwd' "${best[many.prio]}" \
	'its ceil' "${best[many.one]}"
figure "$rehearsed operations rehearsed" '< 500' "${best[rehearsal]}" \
	'tc -batch + nft -f in a namespace' "${best[ns.batch]}"
echo "    (with reading and planning them, and nothing applied)"
finish
