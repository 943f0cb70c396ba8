#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
#
# What a line that does not work says of itself, and that it works again when
# the cause is gone: firewalls, addresses, gateways, ports, names, families.
. "$(dirname "$0")/lib.sh"
# shellcheck source=tests/net/tunnel.sh
. "$(dirname "$0")/tunnel.sh"

home_get() { home tresse "$1" get "$2" 2>/dev/null; }
# says MEMBER WORDS
says() { home_get "/links/home0/members/$1" error | grep -qE -- "$2"; }
link_says() { home_get /links/home0 error | grep -qE -- "$1"; }
lives() { home_get "/links/home0/members/$1" state | grep -q =up; }
calm() { ! home_get "/links/home0/members/$1" error | grep -q '[a-z] [a-z]* [a-z]* [a-z]'; }
told() { # NAME MEMBER WORDS
	wait_for 40 says "$2" "$3" && ok "$1" && return
	home tresse "/links/home0/members/$2" get state error
	not_ok "$1"
}
well() { # NAME MEMBER...
	local name=$1 member
	shift

	for member; do
		wait_for 40 lives "$member" && wait_for 5 calm "$member" && continue
		home tresse "/links/home0/members/$member" get state error
		not_ok "$name"
		return
	done
	ok "$name"
}

names_in_file
place direct
tunnel 2
well 'two lines are up and have no complaint' line1 line2
home tresse explain /links/home0 >"$tmp/out"
has 'explain tells of the link' "$tmp/out" '^mtu +1440 +found out' "^peer's key +[A-Za-z0-9+/]{43}=" \
	'^secret key +digest:[0-9a-f]{16} +chosen by tresse' '1400 bytes of IP +1460 on IPv4, 95.9% useful' \
	'^limited by +nothing: no line is full' '^tunnel +address 10.77.0.2/24 tun0'
home tresse explain /links/home0/members/line1 >"$tmp/out"
has 'and of a member' "$tmp/out" '^device +w1 +given at path line1' '^mark +0x10000 +chosen by tresse' \
	'^round trip +.*found out' '^route +route default via 10.201.1.1 dev w1 table 20000'
gw tresse explain /links/home0/peers/home >"$tmp/out"
has 'and of a peer' "$tmp/out" '^calls from +10.201.' '^lanes +2 ' '^address +10.77.0.2 +given'
# Something to send, at all times.
ip netns exec home ping -i 0.05 10.77.0.1 >/dev/null 2>&1 &
ping_pid=$!

# --- ends that do not go together -----------------------------------------------
run 0 'a size is given that no line carries' home tresse -q /links/home0 set mtu=9000
check 'and it is told what is lost' wait_for 10 link_says 'mtu=9000 is more than its lines carry: packets of more than 1440'
run 0 'it is found out again' home tresse -q /links/home0 set mtu=auto
run 0 'one end carries frames' home tresse -q /links/home0 set mode=tap
check 'and both say that they differ' wait_for 20 link_says 'the other end carries IP packets \(mode=tun\), this one'
peer_differs() { gw tresse /links/home0/peers/home get error | grep -q 'the other end carries Ethernet frames (mode=tap), this one'; }
check 'each from its side' wait_for 20 peer_differs
run 0 'then it carries packets again' home tresse -q undo
well 'and all is well' line1 line2

# --- firewalls: ours on one line, theirs on the other --------------------------
home nft 'add table inet fw; add chain inet fw o { type filter hook output priority 0; }
	add rule inet fw o oifname w1 udp dport 5000 drop'
gw nft 'add table inet fw; add chain inet fw i { type filter hook input priority 0; }
	add rule inet fw i iifname w2 udp dport 5000 reject with icmpx type admin-prohibited'
told 'a firewall here is named' line1 'a firewall of this host drops .* 10.200.0.1:5000 by w1: let UDP out'
home tresse explain /links/home0 >"$tmp/out"
has 'explain says so of the link, too' "$tmp/out" '^limited by +.*line1: a firewall of this host'
told 'and one that says so from afar' line2 '10.20[01].[0-9.]+ says that a firewall forbids UDP to 10.200.0.1:5000'
home nft 'delete table inet fw'
gw nft 'delete table inet fw'
well 'without them both lines are back by themselves' line1 line2

# --- no address, and no gateway -----------------------------------------------
run 0 'another path has a gateway that is not there' home tresse -q /paths/line2 set gateway=10.201.2.77
# (Not by way of a borrowed address: the server would answer for its own here.)
gw sysctl -qw net.ipv4.conf.w1.arp_ignore=1
ip -n home addr del 10.201.1.2/24 dev w1
ip -n home neigh flush dev w1
told 'a device without an address is named' line1 'device w1 has no IPv4 address'
told 'and a gateway that does not answer' line2 '10.201.2.77 did not answer on w2 when last asked for \(ARP\)'
ip -n home addr add 10.201.1.2/24 dev w1
told 'and a route that went with it' line1 'asks for 10.200.0.1 on w1 itself \(ARP\)'
home tresse -q repair >/dev/null
run 0 'the gateway is the right one again' home tresse -q /paths/line2 set gateway=10.201.2.1
well 'and both lines are back by themselves' line1 line2

# --- a server that cannot answer ------------------------------------------------
gw nft 'add table inet fw; add chain inet fw o { type filter hook output priority 0; }
	add rule inet fw o udp sport 5000 drop'
peer_says() { gw tresse /links/home0/peers/home get error | grep -q 'what goes to it, at 10.201.*a firewall of this host drops it'; }
check 'a server names its own firewall' wait_for 40 peer_says
gw nft 'delete table inet fw'
well 'and answers again without it' line1 line2

# --- nobody there ----------------------------------------------------------------
stop "$pid_gw"
told 'a port where nobody listens is named' line1 '10.200.0.1 says that nothing listens at 10.200.0.1:5000: does tressed run there'
rm -f "$tmp/gw.sock"
ip netns exec gw tressed --socket "$tmp/gw.sock" --store "$tmp/gw.db" &
pid_gw=$!
well 'a server that begins is found' line1 line2

# --- names, and families ----------------------------------------------------------
run 0 'a server may have a name' home tresse -q /links/home0 set peer=gw.test:5000
check 'one that nobody knows is told' wait_for 20 link_says 'gw.test:5000: no address is known for that name'
echo '2001:db8::77 gw.test' >>"$tmp/hosts"
run 0 'a path sends from an address of its own' home tresse -q /paths/line1 set source=10.201.1.2
told 'that is of another family than the server' line1 \
	'the peer has no IPv4 address \(it is at \[2001:db8::77\]:5000\), and the path sends from one'
printf '%s\n' '127.0.0.1 localhost' '10.200.0.1 gw.test' >"$tmp/hosts"
check 'the name is looked up again' wait_for 60 lives line1
well 'and all is well' line1 line2

kill "$ping_pid"
unplace
finish
