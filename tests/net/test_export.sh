#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# What export writes makes, by the field's own tools and elsewhere, what Tresse
# makes itself.
. "$(dirname "$0")/lib.sh"

uplink
# The copy: another host with the same devices.
ip netns add copy
ip -n copy link add wan0 numtxqueues 1 numrxqueues 1 txqlen 1000 \
	type veth peer name peer0
copy() { ip netns exec copy "$@"; }
copy ip addr add 192.0.2.2/24 dev wan0
copy ip addr add 2001:db8::2/64 dev wan0 nodad
copy ip link set lo up
for link in wan0 peer0; do
	copy ip link set "$link" addrgenmode none up
done

queue='pfifo limit 40'
has_qdisc sfq && queue='sfq perturb 10'
tresse >"$tmp/said" 2>&1 <<END || not_ok 'the policy is applied'
/paths create adsl0 device=wan0 gateway=192.0.2.1 source=192.0.2.2/24 gateway6=2001:db8::1 source6=2001:db8::2/64
/paths/adsl0 set mark=0x10000 default-route=yes metric=700
/classes create uplink path=adsl0 default=other preset=pppoe-llc r2q=5
/classes/uplink create site rate=3mbit ceil=8mbit
/classes/uplink/site create voice rate=1mbit ceil=2mbit prio=1 burst=5k cburst=6k leaf="$queue"
/classes/uplink/site create bulk rate=800kbit ceil=8mbit quantum=3000 mpu=64 leaf="bfifo limit 30000"
/classes/uplink create other rate=400kbit overhead=18
/classes/uplink/site/voice/match create sip proto=udp dport=5060,10000-20000
/classes/uplink/site/voice/match create ef dscp=ef scope=packet
/classes/uplink/site/voice/match create acks proto=tcp tcp-flags=ack/syn,ack length=40-84 scope=packet
/classes/uplink/site/bulk/match create syn proto=tcp tcp-flags=syn dport=80,443
/classes/uplink/site/bulk/match create nets dst=10.0.0.0/8,198.51.100.0/24,2001:db8:7::/48
/classes/uplink/site/bulk/match create user uid=1000-1010
/classes/uplink/other/match create mail proto=tcp sport=25 src=192.0.2.2
/classes/uplink/other/match create marked mark=77
/classes/uplink/other/match create icmp proto=icmpv6
END

if ip link add probe0 type ifb 2>/dev/null; then
	ip link del probe0
	run 0 'what arrives, too' tresse <<-'END'
		/classes create down device=wan0 direction=down default=rest
		/classes/down create rest rate=5mbit leaf="pfifo limit 20"
		/classes/down create web rate=5mbit
		/classes/down/web/match create w proto=tcp sport=80
	END
fi
run 0 'export tc' tresse export tc "$tmp/tc.sh"
run 0 'export ip' tresse export ip "$tmp/ip.sh"
run 0 'export nft, to stdout' tresse export nft
cp "$tmp/out" "$tmp/rules.nft"
run 0 'without privileges' setpriv --bounding-set=-net_admin \
	--inh-caps=-net_admin tresse export nft
same 'it is the same' "$tmp/rules.nft" "$tmp/out"
run 0 'for programs' tresse -j export tc
check 'in a document' test "$(jq '.commands | length' "$tmp/out")" -gt 100
run 2 'of what nobody knows' tresse export iptables

run 0 'tc takes it' copy sh -e "$tmp/tc.sh"
run 0 'ip takes it' copy sh -e "$tmp/ip.sh"
run 0 'nft takes it' copy nft -f "$tmp/rules.nft"

made() {
	tree wan0
	if ip link show tr-wan0 >/dev/null 2>&1; then
		tree tr-wan0
		tc filter show dev tr-wan0
		tc filter show dev wan0 ingress
	fi
	ip rule show
	ip -6 rule show
	ip route show table all | grep 'proto 84'
	ip -6 route show table all | grep 'proto 84'
	nft -s list table inet tresse
}
made >"$tmp/ours"
export -f made tree
copy bash -c made >"$tmp/theirs"
same 'and all is the same' "$tmp/ours" "$tmp/theirs"
check 'there was something to compare' test "$(wc -l <"$tmp/ours")" -gt 60

# The name of a device may be anything but that: it stays a name.
run 0 'all of it goes' tresse clearconfig confirm=yes
ip netns add other
other() { ip netns exec other "$@"; }
odd="a';\$(id)&*"
ip link add name "$odd" txqlen 1000 type bridge
other ip link add name "$odd" txqlen 1000 type bridge
for where in '' other; do
	$where ip link set "$odd" addrgenmode none up
	$where ip addr add 198.51.100.2/24 dev "$odd"
done
run 0 'a device with an odd name' tresse <<END
/paths create odd device="$odd" gateway=198.51.100.1
/classes create u path=odd default=all
/classes/u create all rate=1mbit
/classes/u/all/match create m proto=udp dport=5060
END
run 0 'its store and the kernel agree' tresse drift
for kind in tc ip nft; do tresse export $kind "$tmp/odd.$kind"; done
run 0 'tc takes it' other sh -e "$tmp/odd.tc"
run 0 'ip takes it' other sh -e "$tmp/odd.ip"
run 0 'nft takes it' other nft -f "$tmp/odd.nft"
made_of() {
	tree "$1"
	ip rule show
	ip route show table all | grep 'proto 84'
	nft -s list table inet tresse
}
made_of "$odd" >"$tmp/ours"
export -f made_of
# shellcheck disable=SC2016 # for that shell
other bash -c 'made_of "$1"' - "$odd" >"$tmp/theirs"
same 'and all of it is the same' "$tmp/ours" "$tmp/theirs"
has 'for nft, too, that device alone is meant' "$tmp/theirs" '&\\\*" jump'
ip link add name 'a"b' type bridge
run 0 'a name that nft cannot write' tresse /paths/odd set device='a"b' force=yes
run 1 'is exported, and the gap is told' tresse export nft
has 'as a remark' "$tmp/out" '^# nft has no words for \(a quote in a name\): add rule'
other nft delete table inet tresse
run 0 'and the rest can be read' other nft -f "$tmp/out"
finish
