#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
#
# A client that floods another one is late itself, and nobody else: what it has too
# much of is dropped, counted, and laid to it alone, in tap and in tun mode. Clients
# 1 and 3 are one thread's of the server, 2 and 4 another's; the flood and the pings
# go from the first to the second thread, which stands still (tests/lab/hold.c) until
# the room between them is full. So nothing here depends on how fast anything is.
# shellcheck disable=SC2154,SC2016 # pid_gw comes by eval; dollars of perl
. "$(dirname "$0")/lib.sh"
# shellcheck source=ends.sh
. "$root/tests/net/ends.sh"
type perl jq >/dev/null || skip_all 'perl or jq is missing'

clients='1 2 3 4'
pings=100

# figure NAMESPACE FILTER: of what its engine tells of the link, by jq.
figure() {
	in_ "$1" perl -e '
use Socket;
socket(S, PF_UNIX, SOCK_STREAM, 0) && connect(S, sockaddr_un($ENV{TRESSE_SOCKET})) or die $!;
syswrite(S, "{\"protocol\": 1, \"id\": 1, \"do\": \"status\"}\n");
print scalar <S>;' | jq -r ".done[0] | $2"
}
of() { get gw "/links/lan/peers/c$1" "$2"; }
sent() { figure "c$1" '[.peers[0].lanes[].out.packets] | add'; }
# Has the server had all that this client sent, and said so?
is_through() {
	[ "$(figure "c$1" '.peers[0]."queue-packets" + ([.peers[0].lanes[].flight] | add)')" = 0 ]
}
pings() { in_ "$1" ping -c 1 -W 1 -q "$2" >/dev/null; }
all_ping() {
	local i

	for i in $clients; do pings c"$i" 10.78.0.1 || return; done
}
# Until the server has had so many packets of it.
flood() { # PACKETS
	local before

	before=$(sent 1)
	until [ $(($(sent 1) - before)) -ge "$1" ]; do
		in_ c1 traffic send 2 udp,to=10.78.0.12,dport=9,size=1200,count=5000 >/dev/null
	done
	wait_for 30 is_through 1
}
# They come to the server, too; the answers are waited for later.
start_pings() {
	local before

	before=$(figure c3 '.tun."in-packets"')
	start "$tmp/pings" ip netns exec c3 ping -c "$pings" -i 0.01 -W 60 -q 10.78.0.14
	pings_pid=$pid
	all_read() { [ $(($(figure c3 '.tun."in-packets"') - before)) -ge "$pings" ]; }
	wait_for 30 all_read
	wait_for 30 is_through 3
}

# --- the place ---------------------------------------------------------------
ip netns add gw
ip -n gw link set lo up
engine_of gw
ip netns exec gw sysctl -qw net.ipv4.ip_forward=1
ip -n gw addr add 10.200.0.1/32 dev lo
in_ gw tresse -q /links create lan role=server mode=tap device=t0 \
	local=10.78.0.1/24 listen=5000 threads=2
key=$(get gw /links/lan public-key)
for i in $clients; do
	ip netns add c"$i"
	ip -n c"$i" link set lo up
	engine_of c"$i"
	line_to_gw "$i"
	in_ c"$i" tresse -q /links create lan role=client mode=tap device=t0 \
		local=10.78.0.1"$i"/24 peer=10.200.0.1:5000 "peer-key=$key" 2>/dev/null
	in_ gw tresse -q /links/lan/peers create c"$i" address=10.78.0.1"$i" \
		"key=$(get c"$i" /links/lan public-key)"
	in_ c"$i" tresse -q /links/lan/members create line
done

# --- one floods, another one pings ---------------------------------------------
# Neighbours are not asked for while a thread stands still.
know() { # CLIENT OF-CLIENT
	ip -n c"$1" neigh replace 10.78.0.1"$2" dev t0 nud permanent \
		lladdr "$(in_ c"$2" cat /sys/class/net/t0/address)"
}
fair() {
	check "$mode: all are there" wait_for 20 all_ping
	if [ "$mode" = tap ]; then
		know 1 2 && know 2 1 && know 3 4 && know 4 3
	fi
	check "$mode: client 1 reaches 2, and 3 reaches 4" \
		eval 'wait_for 5 pings c1 10.78.0.12 && wait_for 5 pings c3 10.78.0.14'
	is "$mode: nobody has lost anything between threads" \
		"$(of 1 crowded) $(of 2 crowded) $(of 3 crowded) $(of 4 crowded)" '0 0 0 0'

	start "$tmp/held" hold "$pid_gw" lan/1
	hold_pid=$pid
	wait_for 10 grep -q . "$tmp/held"
	if grep -q 'not permitted' "$tmp/held"; then
		skip "$mode: a thread that stands still: $(cat "$tmp/held")"
		return
	fi
	is "$mode: a thread stands still" "$(cat "$tmp/held")" held
	flood 10000
	start_pings
	flood 1000
	stop "$hold_pid"
	wait "$pings_pid"
	has "$mode: who floods takes no packet from another one" "$tmp/pings" \
		"$pings packets transmitted, $pings received"
	check "$mode: he loses his own ($(of 1 crowded))" [ "$(of 1 crowded)" -ge 3000 ]
	is "$mode: nothing is laid to the others" \
		"$(of 2 crowded) $(of 3 crowded) $(of 4 crowded)" '0 0 0'
	is "$mode: and every packet that was lost there is laid to somebody" \
		"$(figure gw '[.threads[]."handed-full"] | add')" "$(of 1 crowded)"
}
mode=tap
fair
in_ gw tresse -q /links/lan set mode=tun
for i in $clients; do
	ip -n c"$i" neigh flush nud permanent dev t0
	in_ c"$i" tresse -q /links/lan set mode=tun
done
mode=tun
fair

# --- strangers -----------------------------------------------------------------
# Datagrams of many threads as one (UDP_SEGMENT): the kernel brings them to one, which
# hands them on before anybody knows that nobody sent them.
strangers() {
	in_ c1 python3 -c '
import os, socket
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.setsockopt(socket.SOL_UDP, 103, 200)
for i in range(400):
    s.sendto(b"".join(bytes([4, 0, n]) + os.urandom(197) for n in range(64)),
             ("10.201.1.1", 5000))'
}
if [ "$(cat "$tmp/held")" = held ]; then
	# What was lost between threads and is no client's.
	of_strangers() {
		echo $(($(figure gw '[.threads[]."handed-full"] | add') - $(of 1 crowded)))
	}
	is 'strangers have lost nothing yet' "$(of_strangers)" 0
	start "$tmp/held" hold "$pid_gw" lan/1
	hold_pid=$pid
	wait_for 10 grep -q held "$tmp/held"
	strangers
	start_pings
	flood 100 # behind the strangers, so these have all come
	stop "$hold_pid"
	wait "$pings_pid"
	has 'nor do strangers take one from a client' "$tmp/pings" \
		"$pings packets transmitted, $pings received"
	check "they lose their own ($(of_strangers))" [ "$(of_strangers)" -ge 1000 ]
	is 'which is laid to no client' \
		"$(of 2 crowded) $(of 3 crowded) $(of 4 crowded)" '0 0 0'
fi

for n in gw c1 c2 c3 c4; do
	pid=pid_$n
	stop "${!pid}"
done
finish
