#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
#
# A server with many clients: a thousand known, three of them connected. What it
# costs at rest, whose traffic is whose, and the limits of each.
# shellcheck disable=SC2154 # pid_gw comes by eval
. "$(dirname "$0")/lib.sh"
# shellcheck source=ends.sh
. "$root/tests/net/ends.sh"
type python3 iperf3 >/dev/null || skip_all "python3 or iperf3 is missing"

engine() { # NAMESPACE
	place_of "$1"
	engine_of "$1"
}
pings() { in_ "$1" ping -c 3 -i 0.05 -W 2 -q "$2" >/dev/null; }
received() { in_ "$1" cat /sys/class/net/tun0/statistics/rx_packets; }
ticks() { awk '{ print $14 + $15 }' "/proc/$pid_gw/stat"; }
resident() { awk '/VmRSS/ { print $2 }' "/proc/$pid_gw/status"; }
# kbit/s of payload that arrive: CLIENT [iperf3 OPTION...]. A server that is not
# done with the one before is asked again.
received_of() {
	local c=$1 i
	shift
	for i in 1 2 3; do
		in_ "$c" iperf3 -c 10.77.0.1 -J "$@" >"$tmp/iperf" 2>/dev/null &&
			jq '.end.sum_received.bits_per_second / 1000 | floor' "$tmp/iperf" && return
		sleep 1
	done
}
udp() { received_of "$1" -u -b 30M -l 1200 -t 4 "${@:2}"; } # of 1,200-byte packets
tcp() { received_of "$1" -t 5 "${@:2}"; }
# between LEAST MOST COMMAND...: kbit/s
between() {
	local kbit

	kbit=$("${@:3}")
	echo "# ${*:3}: ${kbit:-no} kbit/s"
	[ "${kbit:-0}" -ge "$1" ] && [ "${kbit:-0}" -le "$2" ]
}
# within WANTED COMMAND...: ten percent
within() { between $(($1 * 9 / 10)) $(($1 * 11 / 10)) "${@:2}"; }

engine gw
ip -n gw addr add 10.200.0.1/32 dev lo
in_ gw tresse -q /links create home0 role=server device=tun0 \
	local=10.77.0.1/16 listen=5000 threads="${THREADS:-auto}"
few=$(resident)

# --- a thousand of them ------------------------------------------------------
python3 -c '
import base64, os
for i in range(1000):
    key = base64.b64encode(os.urandom(32)).decode()
    print(f"/links/home0/peers create p{i} key={key} "
          f"address=10.77.{4 + i // 250}.{1 + i % 250}")' >"$tmp/batch"
before=${EPOCHREALTIME/./}
run 0 'a batch makes a thousand peers' in_ gw tresse -q -f "$tmp/batch"
echo "# $(((${EPOCHREALTIME/./} - before) / 1000)) ms"
is 'and they are there' "$(in_ gw tresse -j /links/home0/peers ls 2>/dev/null |
	grep -o '"p[0-9]*"' | sort -u | wc -l)" 1000
check 'the running system has them' in_ gw tresse drift

key=$(key_of gw)
for i in 1 2 3; do
	engine c$i
	line_to_gw $i
	in_ c$i tresse -q /links create home0 role=client device=tun0 \
		local=10.77.0.1$i/16 peer=10.200.0.1:5000 "peer-key=$key" 2>/dev/null
	in_ gw tresse -q /links/home0/peers create c$i \
		"key=$(key_of c$i)" address=10.77.0.1$i
	in_ c$i tresse -q /links/home0/members create line
done
for i in 1 2 3; do
	check "client $i is served, among them" wait_for 10 pings c$i 10.77.0.1
done
is 'the server counts who is up' "$(get gw /links/home0 peers-up)" 3
in_ gw tresse status >"$tmp/status"
check 'status stays on one screen' [ "$(wc -l <"$tmp/status")" -le 24 ]

before=${EPOCHREALTIME/./}
run 0 'all of them are listed' in_ gw tresse /links/home0/peers ls
echo "# in $(((${EPOCHREALTIME/./} - before) / 1000)) ms"
is 'each with its state: three are up' "$(grep -cE 'o- c[123] .*\bup\b' "$tmp/out")" 3
is 'and a thousand are not' "$(grep -E 'o- p[0-9]+ ' "$tmp/out" | grep -vcE '\bup\b')" 1000
rss=$(resident)
rests() {
	local before

	sleep 1
	before=$(ticks)
	sleep 5
	before=$(($(ticks) - before))
	echo "# $((before * 2)) ms a second"
	[ "$before" -le 10 ]
}
check 'at rest it uses next to no processor' undisturbed rests
check "and memory ($rss kB, $few kB without peers)" [ $((rss - few)) -le 24000 ]

# --- whose is whose ----------------------------------------------------------
r2=$(received c2) r3=$(received c3)
in_ gw ping -c 50 -i 0.01 -q 10.77.0.11 >/dev/null
check 'what is for one reaches one' [ "$(received c1)" -ge 50 ]
check 'and nobody else' [ $(($(received c2) - r2 + $(received c3) - r3)) -le 4 ]
ip -n c2 addr add 10.77.0.11/32 dev tun0
is 'nothing was spoofed so far' "$(get gw /links/home0/peers/c2 spoofed)" 0
in_ c2 ping -c 20 -i 0.01 -W 0.2 -q -I 10.77.0.11 10.77.0.1 >/dev/null
is 'what comes from another address is dropped and counted' \
	"$(get gw /links/home0/peers/c2 spoofed)" 20
is 'and laid to no other' "$(get gw /links/home0/peers/c1 spoofed)" 0
ip -n c2 addr del 10.77.0.11/32 dev tun0
check 'its own traffic goes on' pings c2 10.77.0.1

# --- from client to client ---------------------------------------------------
in_ gw sysctl -qw net.ipv4.ip_forward=0
check 'a server that does not forward does not' sh -c \
	"! ip netns exec c1 ping -c 3 -i 0.1 -W 0.3 -q 10.77.0.12 >/dev/null"
in_ gw sysctl -qw net.ipv4.ip_forward=1
check 'one that does lets a client reach another' pings c1 10.77.0.12
run 0 'clients are kept apart' in_ gw tresse /links/home0 set isolate=yes
r2=$(received c2)
check 'one does not reach another' sh -c \
	"! ip netns exec c1 ping -c 10 -i 0.1 -W 0.3 -q 10.77.0.12 >/dev/null"
check 'nothing of it arrives' [ $(($(received c2) - r2)) -le 2 ]
check 'it is counted' [ "$(get gw /links/home0/peers/c1 isolated)" -ge 10 ]
check 'the server is reached' pings c1 10.77.0.1
run 0 'and let together again' in_ gw tresse /links/home0 set isolate=no
check 'one reaches another' pings c1 10.77.0.12

# --- limits ------------------------------------------------------------------
in_ gw iperf3 -s -D -I "$tmp/iperf.pid" >/dev/null
wait_for 5 test -s "$tmp/iperf.pid"
run 0 'limits of one are set while it is connected' in_ gw tresse \
	/links/home0/peers/c1 set down=10mbit up=5mbit
check 'no more than down= is sent to it' undisturbed within 10000 udp c1 -R
check 'no more than up= is taken from it' undisturbed within 5000 udp c1
check 'TCP fills what is left to it' undisturbed between 8500 10500 tcp c1 -R
check 'and what it may send' undisturbed between 4000 5500 tcp c1
check 'the others have no limit' undisturbed within 30000 udp c2
is 'and none of theirs is counted' "$(get gw /links/home0/peers/c2 policed)" 0

kill "$(tr -d '\0' <"$tmp/iperf.pid")" 2>/dev/null
for n in gw c1 c2 c3; do kill_engine $n; done
finish
