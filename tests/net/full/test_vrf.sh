#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# A client's line in a VRF, the tunnel's device in one, and a server whose lines are in
# one: what works as it stands, and what that host has to allow.
# shellcheck source=../lib.sh
. "$(dirname "$0")/../lib.sh"
# shellcheck source=../tunnel.sh
. "$(dirname "$0")/../tunnel.sh"

modprobe tun 2>/dev/null
modprobe vrf 2>/dev/null
(exec 3<>/dev/net/tun) 2>/dev/null || skip_all '/dev/net/tun may not be opened here'
ip link add probe type vrf table 999 2>/dev/null || skip_all 'this kernel has no VRF'
ip link del probe

vrf() { # NAMESPACE NAME TABLE DEVICE...
	ip -n "$1" link add "$2" type vrf table "$3"
	ip -n "$1" link set "$2" up
	for device in "${@:4}"; do ip -n "$1" link set "$device" master "$2"; done
}
up() { home tresse "/links/home0/members/line$1" get state | grep -q '=up'; }
both() { up 1 && up 2; }
pings() { "$1" ping -c 3 -i 0.2 -W 3 -q "${@:2}" >/dev/null; }
agrees() { is "$1" "$($2 tresse drift 2>&1)" 'The running system agrees with the store.'; }

place direct
tunnel 2
check 'a tunnel by two lines' wait_for 40 both

# --- a line of a client ------------------------------------------------------------
vrf home red 100 w1
run 1 'a line that comes into a VRF has lost its routes' home tresse drift
run 0 'repair' home tresse repair
has 'says whose routes count there' "$tmp/err" 'line1.*w1 is in a VRF, whose own routes'
ip -n home route add default via 10.201.1.1 dev w1 table 100
check 'with a default route there it carries' wait_for 40 both
run 0 'and another one may be made' home tresse -q /paths create other device=w1 \
	gateway=10.201.1.1
run 0 'and go' home tresse -q /paths delete other
ip -n home link set w1 nomaster
home tresse -q repair
check 'out of it again it carries, too' wait_for 40 both
agrees 'and all agrees' home

# --- the tunnel's device -------------------------------------------------------------
run 0 'the device has both families' home tresse -q /links/home0 set local6=fd77::2/64
gw tresse -q /links/home0 set local6=fd77::1/64
gw tresse -q /links/home0/peers/home set address=10.77.0.2,fd77::2
vrf home blue 101 tun0
run 0 'the device comes into a VRF' home tresse -q repair
agrees 'which is nothing to it' home
check 'who is in the VRF reaches the other end' wait_for 30 pings home -I blue 10.77.0.1
check 'by IPv6 as well' wait_for 30 pings home -I blue fd77::1
check 'and is reached' pings gw 10.77.0.2
ip -n home link set tun0 nomaster
home tresse -q repair
check 'out of it, too' wait_for 30 pings home 10.77.0.1

# --- a server's lines ------------------------------------------------------------------
ip -n gw addr del 10.200.0.1/32 dev lo
vrf gw green 100 w1 w2
ip -n gw addr add 10.200.0.1/32 dev green
down() { ! up 1 && ! up 2; }
check 'a server hears nothing of lines in a VRF by itself' wait_for 60 down
gw sysctl -qw net.ipv4.udp_l3mdev_accept=1
ip -n gw rule add from 10.200.0.1 lookup 100
check 'if its host lets it hear and answer it does' wait_for 60 both
agrees 'and all agrees there' gw
unplace
finish
