#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
#
# Ways to a server: through a NAT that forgets, by IPv4 and IPv6 at once, to a name
# that comes to mean another address, by sixteen sockets a line; and members that
# come and go under load.
. "$(dirname "$0")/lib.sh"
# shellcheck source=tests/net/tunnel.sh
. "$(dirname "$0")/tunnel.sh"

get() { home tresse "$1" get "$2" | sed 's/[^=]*=//; s/  read-only.*//'; }
up() { [ "$(get "/links/home0/members/$1" state)" = up ]; }
well() { up "$1" && get "/links/home0/members/$1" error | grep -q '^ *$'; }
carries() { well "$2" && goes_by "$1"; } # DEVICE MEMBER
names_in_file

place direct
tunnel 2
check 'both lines are up' wait_for 15 carries w1 line1
check 'and the second' wait_for 15 carries w2 line2

# --- IPv4 here, IPv6 there --------------------------------------------------------
ip -n gw addr add 2001:db8:ff::1/128 dev lo
ip -n gw addr flush dev w2 scope global
ip -n home addr flush dev w2 scope global
ip -n gw addr add 2001:db8:2::1/64 dev w2 nodad
ip -n home addr add 2001:db8:2::2/64 dev w2 nodad
printf '%s\n' '127.0.0.1 localhost' '10.200.0.1 gw.test' '2001:db8:ff::1 gw.test' >"$tmp/hosts"
run 0 'a line has IPv6 alone' home tresse -q /paths/line2 set gateway=auto gateway6=2001:db8:2::1
run 0 'the server has a name for both' home tresse -q /links/home0 set peer=gw.test:5000
check 'the IPv4 line carries' wait_for 20 carries w1 line1
check 'and the IPv6 line, too' wait_for 20 carries w2 line2
home tresse explain /links/home0/members/line2 >"$tmp/out"
has 'explain says the size that IPv6 leaves' "$tmp/out" '^mtu +1420'
agrees 'and the running system agrees' home

# --- sixteen sockets a line ---------------------------------------------------------
run 0 'the first line has sixteen sockets' home tresse -q /links/home0/members/line1 set sockets=16
run 0 'so has the second' home tresse -q /links/home0/members/line2 set sockets=16
lanes_up() { [ "$(figure home '[.peers[0].lanes[] | select(.state == "up")] | length')" = 32 ]; }
check 'all are up' wait_for 20 lanes_up
is 'each has a port of its own' \
	"$(home ss -ulnpH | grep -c tressed)" 32
run 0 'TCP goes by them' home iperf3 -c 10.77.0.1 -t 2
carry() { [ "$(figure home '[.peers[0].lanes[] | select(.out.bytes > 100000)] | length')" -gt 16 ]; }
check 'by most of them' carry

# --- members that come and go under load ------------------------------------------
come_and_go() {
	home tresse -q /links/home0/members delete line1 && sleep 0.4 &&
		home tresse -q /links/home0/members create line1 && sleep 0.4 &&
		home tresse -q /links/home0/members/line2 set sockets=2 && sleep 0.4 &&
		home tresse -q /links/home0/members/line2 set sockets=1 && sleep 0.4
}
# What iperf3 was too slow to take.
full() { gw grep '^Udp: [0-9]' /proc/net/snmp | cut -d' ' -f6; }
under_load() {
	local before lost

	before=$(full)
	ip netns exec home iperf3 -u -b 50M -l 1200 -w 2M -c 10.77.0.1 -t 7 -J >"$tmp/load" &
	load=$!
	sleep 0.5
	come_and_go && come_and_go && come_and_go || return 1
	kill -0 "$load" || return 1
	wait "$load"
	lost=$(jq '.end.sum.lost_packets' "$tmp/load")
	echo "# $lost of $(jq '.end.sum.packets' "$tmp/load") packets lost"
	[ "$(jq '.end.sum.packets' "$tmp/load")" -gt 10000 ] &&
		[ $((lost - ($(full) - before))) = 0 ]
}
check 'members come and go under 50 Mbit/s of UDP without a lost packet' undisturbed under_load

# --- a NAT that forgets --------------------------------------------------------------
ip netns add nat
ip link add w3 netns home type veth peer name n0 netns nat
ip link add n1 netns nat type veth peer name w3 netns gw
address home w3 192.168.9.2/24
address nat n0 192.168.9.1/24
address nat n1 10.201.9.2/24
address gw w3 10.201.9.1/24
ip -n nat route add default via 10.201.9.1
ip netns exec nat sysctl -qw net.ipv4.ip_forward=1
ip netns exec nat nft 'add table ip t; add chain ip t a { type nat hook postrouting priority 100; };
	add rule ip t a oifname n1 masquerade fully-random;
	add chain ip t b { type filter hook prerouting priority -300; }'
home tresse -q /paths create line3 device=w3 gateway=192.168.9.1
home tresse -q /links/home0/members create line3
for i in 1 2; do home tresse -q /links/home0/members delete line$i; done
from() { gw tresse /links/home0/peers/home get endpoint | grep -oE '10\.201\.9\.2:[0-9]+'; }
check 'a line behind a NAT carries alone' wait_for 20 carries w3 line3
first=$(from)
check 'the gateway sees the NAT' [ -n "$first" ]
# It forgets what was silent for a second, from the next packet on, and all are.
ip netns exec nat sysctl -qw net.netfilter.nf_conntrack_udp_timeout=1 \
	net.netfilter.nf_conntrack_udp_timeout_stream=1
home ping -q -c 5 -i 0.01 10.77.0.1 >/dev/null
ip netns exec nat nft 'add rule ip t b drop'
forgotten() { ! ip netns exec nat grep -q 'dport=5000' /proc/net/nf_conntrack; }
check 'the NAT forgets' wait_for 15 forgotten
ip netns exec nat nft 'flush chain ip t b'
check 'it goes on from another port' wait_for 20 carries w3 line3
moved() { from >"$tmp/now"; [ -s "$tmp/now" ] && ! grep -qx "$first" "$tmp/now"; }
check 'which the gateway follows' wait_for 10 moved

# --- a server that moves ----------------------------------------------------------------
ip -n gw addr add 10.200.0.9/32 dev lo
printf '%s\n' '127.0.0.1 localhost' '10.200.0.8 gw.test' '10.200.0.9 gw.test' >"$tmp/hosts"
ip -n gw addr del 10.200.0.1/32 dev lo
check 'a name that comes to mean another address is followed' wait_for 60 carries w3 line3
is 'to the one of two that answers' "$(figure home '.peers[0].lanes[0].address')" 10.200.0.9:5000

for n in home gw nat; do ip netns del $n; done
unplace
finish
