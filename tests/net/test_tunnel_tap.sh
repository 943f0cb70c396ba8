#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
#
# A server in tap mode is a switch: three clients and it on one segment. Who gets
# which frame, what a hostile client can do to the others, and isolate. Clients 1
# and 3 are one thread's, client 2 is another's.
# shellcheck disable=SC2154 # pid_gw comes by eval
. "$(dirname "$0")/lib.sh"
# shellcheck source=ends.sh
. "$root/tests/net/ends.sh"
type python3 iperf3 jq >/dev/null || skip_all "python3, iperf3 or jq is missing"

engine() { # NAMESPACE
	place_of "$1"
	in_ "$1" sysctl -qw net.ipv6.conf.default.disable_ipv6=1
	engine_of "$1"
}
of() { get gw "/links/lan/peers/c$1" "$2"; }
pings() { in_ "$1" ping -c "${3:-3}" -i 0.02 -W 2 -q "$2" >/dev/null; }
# threads FILTER: of what each thread did, by jq.
threads() { figure gw ".threads | $1"; }
received() { in_ "$1" cat /sys/class/net/tap0/statistics/rx_packets; }
mac() { in_ "$1" cat /sys/class/net/tap0/address; }
# frames CLIENT COUNT DESTINATION SOURCE: sent as they are; SOURCE random: each
# from another address.
frames() {
	in_ "$1" python3 -c '
import os, socket, sys
count, to, source = int(sys.argv[1]), sys.argv[2], sys.argv[3]
mac = lambda text: bytes.fromhex(text.replace(":", ""))
s = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
s.bind(("tap0", 0))
for i in range(count):
    by = b"\x06" + os.urandom(5) if source == "random" else mac(source)
    s.send(mac(to) + by + b"\x88\xb5" + bytes(60))
    if i % 100 == 99:
        os.sched_yield()
' "$2" "$3" "$4"
}

# --- the segment -------------------------------------------------------------
engine gw
ip -n gw addr add 10.200.0.1/32 dev lo
run 0 'a server in tap mode' in_ gw tresse /links create lan role=server mode=tap \
	device=tap0 local=10.78.0.1/24 listen=5000 "threads=${THREADS:-2}"
key=$(key_of gw lan)
for i in 1 2 3; do
	engine c$i
	line_to_gw $i
	in_ c$i tresse -q /links create lan role=client mode=tap device=tap0 \
		local=10.78.0.1$i/24 peer=10.200.0.1:5000 "peer-key=$key" 2>/dev/null
	in_ gw tresse -q /links/lan/peers create c$i \
		"key=$(key_of c$i lan)"
	in_ c$i tresse -q /links/lan/members create line
done
for i in 1 2 3; do
	check "client $i reaches the server" wait_for 10 pings c$i 10.78.0.1
done
count=$(threads length)
is 'as many threads as were asked for, each with its name' \
	"$count $(cat "/proc/$pid_gw/task/"*/comm | grep -c '^lan')" "${THREADS:-2} ${THREADS:-2}"
[ "$count" != 2 ] || is 'share the clients' "$(threads '[.[].peers]')" '[2,1]'
check 'a client reaches another' wait_for 5 pings c1 10.78.0.12
check 'and that one a third' pings c2 10.78.0.13
is 'by its own address' "$(in_ c1 ip neigh show 10.78.0.12 | grep -o 'lladdr [^ ]*')" \
	"lladdr $(mac c2)"
is 'the server knows one address behind each' "$(of 1 stations) $(of 2 stations)" '1 1'

# --- who gets what -----------------------------------------------------------
gw=$(received gw) c2=$(received c2) c3=$(received c3)
pings c1 10.78.0.12 200
check 'what is for one reaches it' [ $(($(received c2) - c2)) -ge 200 ]
check 'and no third' [ $(($(received c3) - c3)) -le 4 ]
check 'nor the server' [ $(($(received gw) - gw)) -le 4 ]
gw=$(received gw) c1=$(received c1) c2=$(received c2) c3=$(received c3)
frames c1 50 ff:ff:ff:ff:ff:ff "$(mac c1)"
frames c1 50 02:00:00:00:00:99 "$(mac c1)"
frames c1 50 01:00:5e:00:00:09 "$(mac c1)"
all_came() { [ $(($(received c2) - c2)) -ge 150 ] && [ $(($(received c3) - c3)) -ge 150 ]; }
wait_for 5 all_came
check 'what is for all, for many or for nobody known reaches all others' \
	[ $(($(received c2) - c2)) -ge 150 -a $(($(received c3) - c3)) -ge 150 ]
check 'the server too' [ $(($(received gw) - gw)) -ge 150 ]
check 'each of them once' [ $(($(received c2) - c2)) -le 160 -a \
	$(($(received c3) - c3)) -le 160 -a $(($(received gw) - gw)) -le 160 ]
check 'and does not come back' [ $(($(received c1) - c1)) -le 4 ]
# What the server says to all comes to the clients of all threads, once.
c1=$(received c1) c2=$(received c2) c3=$(received c3)
frames gw 50 ff:ff:ff:ff:ff:ff "$(mac gw)"
all_heard() { [ $(($(received c1) - c1)) -ge 50 ] && [ $(($(received c2) - c2)) -ge 50 ] && [ $(($(received c3) - c3)) -ge 50 ]; }
wait_for 5 all_heard
check 'what the server says to all reaches each once' \
	[ $(($(received c1) - c1)) -ge 50 -a $(($(received c1) - c1)) -le 58 -a \
	$(($(received c2) - c2)) -ge 50 -a $(($(received c2) - c2)) -le 58 -a \
	$(($(received c3) - c3)) -ge 50 -a $(($(received c3) - c3)) -le 58 ]
c2=$(received c2) gw=$(received gw)
frames c1 50 01:80:c2:00:00:0e "$(mac c1)"
gw_has() { [ $(($(received gw) - gw)) -ge 50 ]; }
wait_for 5 gw_has
sleep 0.3
check 'what is for a neighbour alone (LLDP) is not passed on' \
	[ $(($(received c2) - c2)) -le 4 -a $(($(received gw) - gw)) -ge 50 ]
# Two of them behind one client: the first makes itself known.
frames c1 1 ff:ff:ff:ff:ff:ff 02:00:00:00:00:01
two_stations() { [ "$(of 1 stations)" = 2 ]; }
wait_for 5 two_stations
c1=$(received c1) c2=$(received c2)
frames c1 50 02:00:00:00:00:01 "$(mac c1)"
sleep 0.3
check 'what is behind the same client goes nowhere' \
	[ $(($(received c1) - c1 + $(received c2) - c2)) -le 4 ]

# --- traffic -----------------------------------------------------------------
in_ c2 iperf3 -s -D -I "$tmp/iperf.pid" >/dev/null
wait_for 5 test -s "$tmp/iperf.pid"
# bits LEAST MOST [OPTION...]: bit/s that arrive from client to client.
bits() {
	local bits

	in_ c1 iperf3 -c 10.78.0.12 -t 3 -J "${@:3}" >"$tmp/iperf" 2>&1
	bits=$(jq -r '.end.sum_received.bits_per_second | floor' "$tmp/iperf")
	echo "# ${bits:-0} bit/s"
	[ "${bits:-0}" -ge "$1" ] && [ "${bits:-0}" -le "$2" ]
}
c3=$(received c3)
check 'TCP from client to client, 50 Mbit/s and more' undisturbed bits 50000000 100000000000
check 'and back' undisturbed bits 50000000 100000000000 -R
check 'a third sees nothing of it' [ $(($(received c3) - c3)) -le 20 ]
check 'the largest packet passes' in_ c1 ping -c 2 -W 2 -q -M "do" \
	-s $(($(in_ c1 cat /sys/class/net/tap0/mtu) - 28)) 10.78.0.12 >/dev/null
in_ gw tresse -q /links/lan/peers/c2 set down=5mbit
check 'a limit holds for what another client sends' \
	undisturbed bits 4000000 5500000 -u -b 20M -l 1200
in_ gw tresse -q /links/lan/peers/c2 set down=

# --- an address that moves ---------------------------------------------------
moving=02:00:00:00:0a:0b
ip -n c2 link set tap0 address $moving
ip -n c1 neigh flush dev tap0
check 'a station is behind one client' pings c1 10.78.0.12
ip -n c2 link set tap0 address 02:00:00:00:0a:0c
ip -n c3 link set tap0 address $moving
ip -n c3 addr add 10.78.0.99/24 dev tap0
ip -n c1 neigh replace 10.78.0.99 lladdr $moving dev tap0
in_ c3 ping -c 1 -W 2 -q 10.78.0.1 >/dev/null
check 'and now behind another' pings c1 10.78.0.99
ip -n c1 neigh flush dev tap0

# --- a hostile one -----------------------------------------------------------
check 'all is well before' pings c1 10.78.0.12
frames c3 5000 02:00:00:00:00:77 random
many() { [ "$(of 3 stations)" -ge 200 ]; }
wait_for 5 many
sleep 0.5
check 'who invents addresses has 256 at most' [ "$(of 3 stations)" -le 256 ]
check 'and had many' [ "$(of 3 stations)" -ge 200 ]
c3=$(received c3)
check 'others keep theirs' pings c1 10.78.0.12 100
check 'and their frames to themselves' [ $(($(received c3) - c3)) -le 8 ]
[ "$count" = 1 ] || check 'which went from thread to thread' \
	[ "$(threads 'map(."handed-packets") | add')" -ge 1000 ]
before=$(of 3 spoofed)
frames c3 20 "$(mac c1)" "$(mac gw)"
frames c3 20 "$(mac c1)" 03:00:00:00:00:01
counted() { [ $(($(of 3 spoofed) - before)) -ge 40 ]; }
wait_for 5 counted
is "a frame in the server's name, or a group's, is dropped and counted" \
	$(($(of 3 spoofed) - before)) 40
check 'the server keeps its own' pings c1 10.78.0.1

# --- storm control -----------------------------------------------------------
is 'so much a client may send to all' "$(get gw /links/lan storm-control)" 1000
run 0 'next to nothing of it' in_ gw tresse -q /links/lan set storm-control=1
for i in 2 3; do
	ip -n c1 neigh replace 10.78.0.1$i lladdr "$(mac c$i)" dev tap0 nud permanent
	ip -n c$i neigh replace 10.78.0.11 lladdr "$(mac c1)" dev tap0 nud permanent
done
# stormed CLIENT: dropped of it; and what of it came to the server.
stormed() { of "$1" storm-dropped; }
before=$(stormed 1) others=$(stormed 2) gw=$(received gw) c2=$(received c2)
frames c1 400 ff:ff:ff:ff:ff:ff "$(mac c1)"
frames c1 400 01:00:5e:00:00:09 "$(mac c1)"
frames c1 400 02:00:00:00:00:99 "$(mac c1)"
all_counted() { [ $(($(stormed 1) - before + $(received gw) - gw)) -ge 1200 ]; }
check 'what is over it is dropped and counted, whatever it is for' wait_for 10 all_counted
check "as much as there is ($(($(stormed 1) - before)) of 1200)" \
	[ $(($(stormed 1) - before)) -ge 900 ]
check 'and reaches nobody' [ $(($(received c2) - c2)) -le 300 ]
check 'what is for one passes' pings c1 10.78.0.12 200
is 'nothing is laid to another client' "$(stormed 2)" "$others"
run 0 'without a limit' in_ gw tresse -q /links/lan set storm-control=0
before=$(stormed 1) c2=$(received c2)
frames c1 400 ff:ff:ff:ff:ff:ff "$(mac c1)"
all_in() { [ $(($(received c2) - c2)) -ge 400 ]; }
check 'all reach all' wait_for 10 all_in
is 'and nothing is dropped' "$(stormed 1)" "$before"
run 0 'and back' in_ gw tresse -q /links/lan set storm-control=
run 1 'a client has nobody to keep from it' in_ c1 tresse -q /links/lan set storm-control=5
has 'and is told so' "$tmp/err" 'storm-control is for a server in mode=tap'

# --- isolate -----------------------------------------------------------------
run 0 'clients are kept apart' in_ gw tresse /links/lan set isolate=yes
check 'one does not reach another' sh -c "! ip netns exec c1 ping -c 3 -i 0.1 -W 0.5 -q 10.78.0.12 >/dev/null"
check 'which is counted' [ "$(of 1 isolated)" -ge 3 ]
check 'the server is reached' pings c1 10.78.0.1
agrees 'a second plan is empty' gw
run 0 'and let together' in_ gw tresse /links/lan set isolate=no
check 'one reaches another' wait_for 5 pings c1 10.78.0.12
run 1 'a client has no clients to keep apart' in_ c1 tresse /links/lan set isolate=yes
has 'and is told so' "$tmp/err" 'isolate is for a server'

# --- who goes ----------------------------------------------------------------
run 0 'a client is deleted' in_ gw tresse /links/lan/peers delete c3
check 'the others go on' pings c1 10.78.0.12

kill "$(tr -d '\0' <"$tmp/iperf.pid")" 2>/dev/null
for n in gw c1 c2 c3; do kill_engine $n; done
finish
