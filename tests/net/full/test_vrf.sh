#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# Lines in a VRF, the tunnel's device in one, and a server whose line is in one: what
# works as it stands, and what the host has to allow.
# shellcheck source=../lib.sh
. "$(dirname "$0")/../lib.sh"
# shellcheck source=../tunnel.sh
. "$(dirname "$0")/../tunnel.sh"

modprobe tun 2>/dev/null
modprobe vrf 2>/dev/null
(exec 3<>/dev/net/tun) 2>/dev/null || skip_all '/dev/net/tun may not be opened here'
ip link add probe type vrf table 100 2>/dev/null || skip_all 'this kernel has no VRF'
ip link del probe
type jq perl >/dev/null || skip_all 'jq or perl is missing (make deps)'

pings() { home ping -c 3 -i 0.2 -W 2 -q "$@" 10.77.0.1 >/dev/null; }
up() { home tresse "/links/home0/members/line$1" get state | grep -q '=up'; }
both() { up 1 && up 2; }
vrf() { # NAMESPACE NAME TABLE
	ip -n "$1" link add "$2" type vrf table "$3"
	ip -n "$1" link set "$2" up
}

place direct
tunnel 2
check 'a tunnel by two lines' wait_for 30 both
ip -n home rule; ip -n home route show table all | grep -v local | head -20

# --- a line of a client ------------------------------------------------------------
vrf home red 100
ip -n home link set w1 master red
sleep 3
home tresse drift; home tresse /links/home0/members ls; ip -n home rule; ip -n home route show table all | grep -v local | head -20
home tresse -q repair
check 'a line that comes into a VRF carries, once repaired' wait_for 30 both
home tresse /links/home0/members ls; ip -n home rule; ip -n home route show table all | grep -v local | head -20
home tresse drift

# --- the device ------------------------------------------------------------------------
vrf home blue 101
ip -n home link set tun0 master blue
home tresse drift
home tresse -q repair
home tresse drift
check 'the device in a VRF: who is in it reaches the other end' wait_for 30 pings -I blue

# --- a server's line ---------------------------------------------------------------------
vrf gw green 100
ip -n gw link set w1 master green
ip -n gw link set w2 master green
ip -n gw addr add 10.200.0.1/32 dev green
sleep 5
home tresse /links/home0/members ls
gw sysctl -w net.ipv4.udp_l3mdev_accept=1
sleep 5
home tresse /links/home0/members ls
pings -I blue; echo $?
unplace
finish
