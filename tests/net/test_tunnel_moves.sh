#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
#
# A client whose address is another than a moment ago: while it runs, and when it was
# restarted at once. Its lane moves with the first datagram under keys that it has
# proved. A handshake alone moves nothing: a recording of one can be sent from anywhere.
# shellcheck disable=SC2154,SC2086 # pid_c1 comes by eval; words without blanks
. "$(dirname "$0")/lib.sh"
# shellcheck source=ends.sh
. "$root/tests/net/ends.sh"
type python3 ethtool >/dev/null || skip_all 'python3 or ethtool is missing'

OLD=10.201.1.2 NEW=10.201.1.3
for n in gw c1; do
	ip netns add $n
	ip -n $n link set lo up
	engine_of $n
done
line_to_gw 1
ip netns exec c1 ethtool -K w0 tso off gso off tx-udp-segmentation off >/dev/null 2>&1
in_ gw tresse -q /links create home0 role=server device=tun0 \
	local=10.77.0.1/24 listen=5000 threads="${THREADS:-auto}"
in_ c1 tresse -q /links create home0 role=client device=tun0 local=10.77.0.2/24 \
	peer=10.201.1.1:5000 "peer-key=$(get gw /links/home0 public-key)" 2>/dev/null
in_ gw tresse -q /links/home0/peers create c1 \
	"key=$(get c1 /links/home0 public-key)" address=10.77.0.2
in_ c1 tresse -q /links/home0/members create line

pings() { in_ c1 ping -c 1 -W 1 -q 10.77.0.1 >/dev/null; }
# What passes the gateway's end of the line, in its order: "in ADDRESS TYPE".
listens() {
	: >"$tmp/line"
	ip netns exec gw python3 -c '
import socket, sys
ALL, IP = 3, 0x0800  # what is sent only who asks for all gets to see
line = socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, socket.htons(ALL))
line.bind(("w1", ALL))
line.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 << 20)
print("ready", flush=True)
while True:
    data, at = line.recvfrom(65536)
    udp = (data[0] & 15) * 4
    if at[1] != IP or data[9] != 17 or len(data) < udp + 9:
        continue
    out = at[2] == 4  # PACKET_OUTGOING
    far = socket.inet_ntoa(data[16:20] if out else data[12:16])
    print("out" if out else "in", far, data[udp + 8], flush=True)
' >"$tmp/line" &
	listener=$!
	wait_for 10 grep -q ready "$tmp/line"
}
listens_no_more() {
	kill $listener
	wait $listener 2>/dev/null
}
# moves: from one address to another, which it has alone; its route, too, as `tresse
# repair` would have it (which starts an engine where there is none).
moves() {
	ip -n c1 addr flush dev w0 scope global
	ip -n c1 addr add $NEW/24 dev w0
	ip -n c1 route replace 10.201.1.0/24 dev w0 table 20000 proto 84
	ip -n c1 route replace default via 10.201.1.1 dev w0 table 20000 proto 84
}
# What of its transport (type 4, wire.h) the gateway sent to the new address.
to_new() { grep -c "^out $NEW 4$" "$tmp/line"; }
swap() { local was=$OLD; OLD=$NEW NEW=$was; }

check 'a tunnel' wait_for 10 pings
listens
moves
check 'its address changes: it is followed' wait_for 10 pings
answered() { [ "$(to_new)" -gt 0 ]; }
check 'and answered there' wait_for 10 answered
listens_no_more

swap
listens
kill -9 $pid_c1
wait $pid_c1 2>/dev/null
moves
# The first datagram alone is to say so: of its transport no other is let in yet.
in_ gw nft -f - <<END
table ip first {
	chain in {
		type filter hook input priority filter
		ip saddr $NEW udp dport 5000 @th,64,8 4 limit rate over 1/hour burst 1 packets drop
	}
}
END
engine_of c1
check 'and is restarted at once: it is answered there, with its first datagram' \
	wait_for 10 answered
in_ gw nft delete table ip first
check 'and is back' wait_for 10 pings
listens_no_more

for n in gw c1; do
	pid=pid_$n
	kill "${!pid}"
	wait "${!pid}" 2>/dev/null
done
finish
