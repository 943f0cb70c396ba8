#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# Thousands of classes with queues of the stock kernel, in several HTBs; and the
# same by tc and nft, from what is exported.
# shellcheck source=../lib.sh
. "$(dirname "$0")/../lib.sh"

uplink
{
	echo '/classes create u device=wan0 default=rest'
	echo '/classes/u create line rate=20mbit burst=60k cburst=60k'
	echo '/classes/u/line create rest rate=1mbit ceil=20mbit burst=15k'
	echo '/classes/u/line create all rate=15mbit ceil=20mbit burst=60k'
	for ((i = 1; i <= 2100; i++)); do
		printf '/classes/u/line/all create c%d classid=1:%x mark=%d' \
			"$i" $((4096 + i)) "$i"
		[ $((i % 2)) = 0 ] && leaf=fq_codel || leaf='sfq perturb 10'
		echo " rate=4kbit ceil=20mbit burst=4k leaf=\"$leaf\""
	done
} >"$tmp/many"
run 0 '2,103 classes are made' tresse <"$tmp/many"
htbs() { tc qdisc show dev wan0 | grep -c '^qdisc htb'; }
is 'in five HTBs and the first' "$(htbs)" 6
is 'half of them with fq_codel' \
	"$(tc qdisc show dev wan0 | grep -c '^qdisc fq_codel')" 1050
run 0 'no drift' tresse drift

id() {
	tc class show dev wan0 |
		awk -v minor="$(printf %x $((4096 + $1)))" '
			$2 == "htb" && split($3, id, ":") && id[2] == minor {
				print $3 }'
}
flows=() wanted=''
for i in 1 2 3 4 1050 2099 2100; do
	flows+=("udp,to=192.0.2.1,dport=9000,size=300,rate=400000,count=$((i % 7 + 1)),mark=$i")
	wanted+="$i $((i % 7 + 1))"$'\n'
done
# found: how many packets each of these has sent.
found() {
	local i

	for i in 1 2 3 4 1050 2099 2100; do
		echo "$i $(class_count wan0 "$(id "$i")" | cut -d' ' -f2)"
	done
}
traffic send 20 "${flows[@]}" >/dev/null 2>&1
same_counts() { [ "$(found)"$'\n' = "$wanted" ]; }
wait_for 20 same_counts
is 'each has just the packets of its mark' "$(found)"$'\n' "$wanted"

tresse export tc >"$tmp/tc"
tresse export nft >"$tmp/nft"
run 0 'all goes' tresse /classes delete u
has 'what is exported leads into shards by cls_flow' "$tmp/tc" 'flow map key priority'
sed -n 's/^tc //p' "$tmp/tc" >"$tmp/tc.batch"
run 0 'tc takes it' tc -batch "$tmp/tc.batch"
run 0 'nft takes it' nft -f "$tmp/nft"
is 'it is in as many HTBs' "$(htbs)" 6
traffic send 20 "${flows[@]}" >/dev/null 2>&1
wait_for 20 same_counts
is 'and packets find the same classes' "$(found)"$'\n' "$wanted"
finish
