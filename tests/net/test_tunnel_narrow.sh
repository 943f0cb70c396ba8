#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
#
# Lines that take packets of 576 bytes, the least that IPv4's hosts have to (RFC 791,
# 3.1), from the start and under way: less than the 1280 that IPv6 and a device's MTU
# want. What is larger is cut, or answered, as a router does.
. "$(dirname "$0")/lib.sh"
# shellcheck source=tests/net/tunnel.sh
. "$(dirname "$0")/tunnel.sh"

narrow() { # BYTES
	local i

	for i in a1 a2 b1 b2; do ip -n mid link set "$i" mtu "$1"; done
}
value() { sed 's/[^=]*=//; s/ .*//'; }
get() { home tresse "$1" get "$2" | value; }
both_up() { [ "$(get /links/home0/members/line1 state)" = up ] && [ "$(get /links/home0/members/line2 state)" = up ]; }
pings() { home ping -c 2 -i 0.1 -W 2 -q "$@" 10.77.0.1 >"$tmp/ping" 2>&1; }
from_gw() { gw ping -c 2 -i 0.1 -W 2 -q "$@" 10.77.0.2 >"$tmp/ping" 2>&1; }
# Of the datagram 20 + 8 are IPv4's and UDP's.
found() {
	local i

	for i in 1 2; do
		[ "$(get /links/home0/members/"line$i" mtu)" -le 576 ] || return
	done
}
refused() {
	home ping -c 1 -W 1 -M 'do' -s 1200 10.77.0.1 >"$tmp/ping" 2>&1
	grep -qE 'mtu ?= ?(4[0-9][0-9]|5[0-4][0-9])' "$tmp/ping"
}
both_ways() {
	timeout 60 ip netns exec home iperf3 -c 10.77.0.1 -n 1M >"$tmp/measured" 2>&1 &&
		timeout 60 ip netns exec home iperf3 -c 10.77.0.1 -n 1M -R >"$tmp/measured" 2>&1
}

place relayed
line '1 rate=50mbit queue=50ms delay=5ms'
line '2 rate=20mbit queue=50ms delay=8ms'
narrow 576
tunnel 2
check 'lines of 576 bytes come up' wait_for 20 both_up
check 'what they carry is found out' wait_for 20 found
check 'a small packet passes' pings
check 'a large one, which may be cut, too' wait_for 10 pings -M dont -s 1350
check 'from there as well' wait_for 10 from_gw -M dont -s 1350
check 'one that may not is answered with what would fit' wait_for 10 refused
check 'TCP passes both ways' both_ways

narrow 1500
for n in home gw; do
	$n tresse -q /links/home0 set double=0
	# What was answered above is remembered for ten minutes.
	ip -n $n route flush cache
done
check 'wide ones come up' wait_for 20 both_up
check 'and carry large packets' wait_for 20 pings -M 'do' -s 1300
narrow 576
check 'that become narrow under way: large packets pass' wait_for 20 pings -M dont -s 1300
check 'and TCP' both_ways
check 'for it was found out' wait_for 20 found
check 'there, too' [ "$(gw tresse /links/home0/peers/home get mtu | value)" -le 576 ]
finish
