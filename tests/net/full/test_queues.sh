#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# On a kernel that has them: every queue, in tc's own words, comes out as tc
# itself makes it; a change of options is made in place.
# shellcheck source=../lib.sh
. "$(dirname "$0")/../lib.sh"

for kind in sfq fq_codel cake; do
	has_qdisc $kind || skip_all "this kernel has no $kind"
done
uplink
ip netns add paper
ip -n paper link add wan0 txqlen 1000 numtxqueues 1 numrxqueues 1 \
	type veth peer name other
ip -n paper link set wan0 up
ip netns exec paper tc qdisc add dev wan0 root handle 1: htb default 10
ip netns exec paper tc class add dev wan0 parent 1: classid 1:10 htb \
	rate 10mbit burst 64k

leaves() { sed -n '/parent 1:10 /s/ *$//p'; }

tresse <<'END' >"$tmp/out" 2>&1 || { cat "$tmp/out"; skip_all 'no tree'; }
/classes create u device=wan0 default=a
/classes/u create a classid=1:10 rate=10mbit burst=64k
END

while read -r words; do
	# The default of its packet size is the device's, as tc finds it.
	# shellcheck disable=SC2086
	ip netns exec paper tc qdisc replace dev wan0 parent 1:10 \
		handle 110: $words || not_ok "tc takes $words"
	ip netns exec paper tc -d qdisc show dev wan0 | leaves >"$tmp/paper"
	run 0 "leaf=\"$words\"" tresse /classes/u/a set leaf="$words"
	tc -d qdisc show dev wan0 | leaves >"$tmp/ours"
	same "leaf=\"$words\" is what tc makes of it" "$tmp/paper" "$tmp/ours"
	run 0 "leaf=\"$words\" once more" tresse /classes/u/a set leaf="$words"
	has "leaf=\"$words\" once more changes nothing" "$tmp/said" \
		'nothing to change'
	ip netns exec paper tc qdisc del dev wan0 parent 1:10
done <<'END'
pfifo limit 1000
bfifo limit 30000
sfq perturb 10
sfq perturb 10 quantum 3028 limit 100
fq_codel
fq_codel limit 1000 target 5ms interval 100ms ecn
fq_codel limit 500 flows 256 quantum 300 noecn
cake bandwidth 5mbit
cake bandwidth 5mbit diffserv4 nat atm overhead 40 ack-filter
cake bandwidth 5mbit besteffort rtt 50ms
tbf rate 5mbit burst 20000 limit 60000
END

run 2 'a queue that no kernel has cannot be read' \
	tresse /classes/u/a set leaf="wfq limit 3"
run 0 'the tree goes' tresse /classes delete u
tc qdisc show dev wan0 >"$tmp/out"
has 'and the device has its own queue back' "$tmp/out" noqueue
finish
