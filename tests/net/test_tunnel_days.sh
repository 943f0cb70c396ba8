#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
#
# The bad days of a tunnel: lines that take small packets only, all of them gone,
# ends that do not know each other, ports and devices that others have. Each ends
# in recovery, or in one sentence that says what to do.
. "$(dirname "$0")/lib.sh"
# shellcheck source=tests/net/tunnel.sh
. "$(dirname "$0")/tunnel.sh"

pings() { home ping -c 3 -i 0.05 -W 2 -q "${1:-10.77.0.1}" >/dev/null; }
big() { home ping -c 2 -i 0.1 -W 2 -q -M dont -s 1350 10.77.0.1 >/dev/null; }
get() { "$1" tresse "$2" get "$3" | sed 's/[^=]*=//; s/  read-only.*//; s/^"//; s/"$//'; }
says() { [ "$(get home /links/home0/members/line1 state)" = "$1" ]; }
sent() { # bytes that TCP has brought in 3 s
	home iperf3 -c 10.77.0.1 -t 3 -J 2>/dev/null | jq '.end.sum_received.bytes'
}

place relayed
line '1 rate=50mbit queue=50ms delay=5ms'
line '2 rate=20mbit queue=50ms delay=8ms'

# --- who does not know whom --------------------------------------------------
gw tresse -q /links create home0 role=server device=tun0 local=10.77.0.1/24 listen=5000 threads="${THREADS:-auto}"
for i in 1 2; do
	home tresse -q /paths create line$i device=w$i gateway=10.201.$i.1
done
home tresse -q /links create home0 role=client device=tun0 local=10.77.0.2/24 \
	peer=10.200.0.1:5000 "peer-key=$(key_of gw)" 2>/dev/null
home tresse -q /links/home0/members create line1
has_error() { get home /links/home0 error | grep -qi "$1"; }
is 'a client that nobody knows waits' "$(get home /links/home0 state)" waiting
check 'and says what may be wrong' wait_for 8 has_error \
	'no answer .* peer= and peer-key= its address .* a peer with our public-key'
gw tresse -q /links/home0/peers create home "key=$(key_of home)" address=10.77.0.2
check 'once it is known it comes up' wait_for 10 pings
home tresse -q /links/home0/members create line2
check 'and has no complaint left' wait_for 5 lacks home /links/home0 error answer

# --- small packets only ------------------------------------------------------
check 'a large packet passes' big
ip -n mid link set a1 mtu 1300
ip -n mid link set b1 mtu 1300
check 'large packets pass all the same' wait_for 10 big
# At first it loses what is too large: its rate is judged once that is known.
enough() { [ "$(sent)" -gt 2000000 ]; }
check 'and so does TCP' wait_for 12 enough
finds_narrow() { [ "$(get home /links/home0/members/line1 mtu)" -le 1300 ]; }
check 'what the line still takes is found out' wait_for 10 finds_narrow
home tresse /links/home0/members/line1 get mtu state loss-out rate
ip -n mid link set a1 mtu 1500
ip -n mid link set b1 mtu 1500

# --- nothing at all for a while ----------------------------------------------
line '1 hole=1'
line '2 hole=1'
sleep 6
line '1 hole=0'
line '2 hole=0'
check 'after a hole in all lines it comes back' wait_for 15 pings
for i in 1 2; do ip -n home link set w$i down; done
sleep 3
for i in 1 2; do
	ip -n home link set w$i up
	ip -n home route replace default via 10.201.$i.1 dev w$i \
		table $((19999 + i)) proto 84
done
check 'and after all devices were down' wait_for 20 pings

# --- more news than can be taken in -------------------------------------------
ip -n home tuntap add noise mode tun
ip -n home link set w1 down
check 'a line without its device is down' wait_for 5 says down
kill -STOP "$pid_home"
for i in $(seq 600); do echo "link set noise mtu $((1300 + i % 2))"; done |
	ip -n home -batch -
ip -n home link set w1 up
ip -n home route replace default via 10.201.1.1 dev w1 table 20000 proto 84
kill -CONT "$pid_home"
check 'of many changes the last is not missed' wait_for 20 says up
ip -n home tuntap del noise mode tun

# --- a device that is not there yet ------------------------------------------
home tresse -q /paths create late device=w9 gateway=10.201.9.1 2>/dev/null
run 0 'a member may come before its device' home tresse /links/home0/members create late
has 'and that is told' "$tmp/err" w9 'not there'
check 'the others carry on' pings

# --- what others have --------------------------------------------------------
gw python3 -c '
import socket, time
s = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM); s.bind(("::", 6000))
print("ready", flush=True); time.sleep(60)' >"$tmp/holder" 2>&1 &
holder=$!
if wait_for 5 grep -q ready "$tmp/holder"; then
	run 1 'a port that another program has is refused' gw tresse /links create \
		other role=server device=tun9 listen=6000
	has 'with its reason' "$tmp/err" 6000 'another program'
	is 'and nothing is left of it' "$(ip -n gw -o link show dev tun9 2>/dev/null)" ''
else
	skip 'a port of another program: no python3 here'
fi
kill "$holder" 2>/dev/null

# --- keys that stay ----------------------------------------------------------
key=$(key_of home)
run 1 'a public key cannot be set' home tresse /links/home0 set \
	public-key=hSDwCYkwp1R0i33ctD73Wg2/Og0mOBr066SpjqqbTmo=
has 'and it is said why' "$tmp/err" 'follows from key'
home tresse -q saveconfig "$tmp/saved"
home tresse -q clearconfig confirm=yes
run 0 'a link is brought back' home tresse -q restoreconfig "$tmp/saved"
is 'with its public key' "$(key_of home)" "$key"
check 'and with its secret one' wait_for 15 pings
home tresse -q saveconfig "$tmp/again"
same 'what is saved then is the same' "$tmp/saved" "$tmp/again"

# --- frames in place of packets ----------------------------------------------
for n in gw home; do
	run 0 "$n carries Ethernet" $n tresse /links/home0 set mode=tap
done
check 'the link carries frames' wait_for 15 pings
for n in home gw; do
	run 0 "$n carries IP again" $n tresse undo
done
check 'and packets again' wait_for 15 pings

# --- both ends at once -------------------------------------------------------
for n in home gw; do kill_engine $n KILL; done
for n in gw home; do engine_of $n; done
check 'both ends start anew and find each other' wait_for 15 pings

unplace
finish
