#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# Filters that only a full kernel has, fw and flower, are taken over as marks and
# matches, and given back; queues as they are.
# shellcheck source=../lib.sh
. "$(dirname "$0")/../lib.sh"

uplink
# sent CLASS: packets of it.
sent() { class_count wan0 "$1" | cut -d' ' -f2; }
# leads CLASS WORDS: a flow of twenty packets goes there, and none of them is lost:
# its queue may drop what stands in it too long, where the machine stood still.
leads() {
	local was now

	came() { now=$(sent "$1") && [ "$now" -ge $((was + 20)) ]; }
	for _ in 1 2 3; do
		was=$(sent "$1")
		traffic send 5 "$2,size=200,count=20,rate=200000" >/dev/null
		! wait_for 10 came "$1" || return 0
		echo "# $(($(sent "$1") - was)) of 20 packets; once more"
	done
	return 1
}
common() {
	cat <<-'END'
	tc qdisc add dev wan0 root handle 1: htb default 30
	tc class add dev wan0 parent 1: classid 1:1 htb rate 10mbit burst 20k
	tc class add dev wan0 parent 1:1 classid 1:10 htb rate 2mbit burst 20k
	tc class add dev wan0 parent 1:1 classid 1:20 htb rate 2mbit burst 20k
	tc class add dev wan0 parent 1:1 classid 1:30 htb rate 1mbit burst 20k
	tc qdisc add dev wan0 parent 1:10 handle 10: sfq perturb 10
	tc qdisc add dev wan0 parent 1:20 handle 20: fq_codel target 7ms ecn
	tc qdisc add dev wan0 parent 1:30 handle 30: cake bandwidth 1mbit nat
	END
}
start "$tmp/sink" far traffic sink 200 udp:5060 udp:7001 udp:9999
wait_for 10 grep -q ready "$tmp/sink"
mark=udp,to=192.0.2.1,dport=9999,mark=10
port=udp,to=192.0.2.1,dport=7001
six=udp,to=2001:db8::1,dport=5060
rest=udp,to=192.0.2.1,dport=9999

# Without the flows that are under way in queues, which these tell as classes.
calm() { "$@" | grep -vE '^class (cake|fq_codel|sfq)'; }
# taken NAME FLOWS...: in, and out again. A flow is CLASS=WORDS.
words=()
taken() {
	local name=$1 flow
	shift

	calm everything >"$tmp/before"
	calm tree wan0 >"$tmp/tree"
	for flow; do
		check "$name: ${flow%%=*} has its packets before" \
			leads "${flow%%=*}" "${flow#*=}"
	done
	run 0 "$name: imported" tresse /classes import wan0 u "${words[@]}"
	calm tree wan0 >"$tmp/after"
	same "$name: the same tree" "$tmp/tree" "$tmp/after"
	for flow; do
		check "$name: ${flow%%=*} has its packets then" \
			leads "${flow%%=*}" "${flow#*=}"
	done
	run 0 "$name: nothing differs" tresse drift
	run 0 "$name: and goes" tresse /classes delete u force=yes
	calm everything >"$tmp/after"
	same "$name: all is as it was" "$tmp/before" "$tmp/after"
	for flow; do
		check "$name: ${flow%%=*} has its packets again" \
			leads "${flow%%=*}" "${flow#*=}"
	done
	tc qdisc del dev wan0 root
}
sh -e <(common)
tc filter add dev wan0 parent 1: protocol ip pref 5 handle 10 fw flowid 1:10
tc filter add dev wan0 parent 1: protocol ip pref 6 \
	flower ip_proto udp dst_port 7001 flowid 1:20
tc filter add dev wan0 parent 1: protocol ipv6 pref 7 \
	flower ip_proto udp dst_ip 2001:db8::/64 dst_port 5060 flowid 1:20
taken 'fw and flower' "1:10=$mark" "1:20=$port" "1:20=$six" "1:30=$rest"
sh -e <(common)
tc filter add dev wan0 parent 1: protocol all pref 1 handle 10 fw flowid 1:10
tc filter add dev wan0 parent 1: protocol all pref 1 handle 11 fw flowid 1:10
taken 'fw alone' "1:10=$mark" "1:30=$rest"
# As Tresse's own look.
sh -e <(common)
tc filter add dev wan0 parent 1: protocol all pref 100 handle 0xa/0xffff \
	fw flowid 1:10
taken 'fw as ours' "1:10=$mark" "1:30=$rest"
sh -e <(common)
tc filter add dev wan0 parent 1: protocol ip pref 6 \
	flower ip_proto udp dst_port 7001 action drop
run 1 'a filter that acts' tresse /classes import wan0 u filters=drop
has 'is named' "$tmp/err" 'flower pref 6 .*could not be put back'
has 'and what could be done' "$tmp/err" 'filters=keep leaves it as it is'
tc qdisc del dev wan0 root

# What cannot be said stays: queues and filters, actions and all.
sh -e <(common)
tc qdisc del dev wan0 parent 1:20
tc qdisc add dev wan0 parent 1:20 handle 21: netem delay 1ms
tc qdisc del dev wan0 parent 1:30
tc qdisc add dev wan0 parent 1:30 handle 31: prio
tc qdisc add dev wan0 parent 31:1 handle 41: pfifo limit 7
tc filter add dev wan0 parent 1: protocol ip pref 5 \
	flower ip_proto udp dst_port 7001 flowid 1:20 action skbedit mark 5
tc filter add dev wan0 parent 1: protocol ip pref 6 u32 \
	match ip dport 9 0xffff flowid 1:10 action police rate 1mbit burst 10k drop
tc filter add dev wan0 parent 1: protocol ip pref 7 \
	flower ip_proto udp dst_port 25 action drop
tc filter add dev wan0 parent 1: protocol ip pref 8 handle 10 fw flowid 1:10
words=(filters=keep)
taken 'what nobody knows' "1:10=$mark" "1:20=$port" "1:30=$rest"
finish
