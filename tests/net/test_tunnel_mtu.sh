#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
#
# Two clients of one server, one behind a line of 1300 bytes: that line is its own
# affair. The other keeps its size; what is too big for the small one is answered
# or cut; TCP goes both ways, and from one to the other.
# shellcheck disable=SC2154 # pid_gw comes by eval
. "$(dirname "$0")/lib.sh"
# shellcheck source=ends.sh
. "$root/tests/net/ends.sh"
type python3 iperf3 >/dev/null || skip_all "python3 or iperf3 is missing"

LARGE=1440 # 1500 less 60 (wire.h)

for n in gw c1 c2; do
	place_of $n
	engine_of $n
done
ip -n gw addr add 10.200.0.1/32 dev lo
in_ gw tresse -q /links create home0 role=server device=tun0 \
	local=10.77.0.1/24 listen=5000 threads="${THREADS:-auto}"
in_ gw sysctl -qw net.ipv4.ip_forward=1
key=$(key_of gw)
for i in 1 2; do
	line_to_gw $i
	# The line, not the server's device: what is too big is lost without a word.
	[ $i = 1 ] || ip -n c2 link set w0 mtu 1300
	in_ c$i tresse -q /links create home0 role=client device=tun0 \
		local=10.77.0.1$i/24 peer=10.200.0.1:5000 "peer-key=$key" 2>/dev/null
	in_ gw tresse -q /links/home0/peers create c$i \
		"key=$(key_of c$i)" address=10.77.0.1$i
	in_ c$i tresse -q /links/home0/members create line
done

pings() { in_ "$1" ping -c 1 -W 1 -q "$2" >/dev/null; }
mtu_is() { [ "$(in_ "$1" cat /sys/class/net/tun0/mtu)" = "$2" ]; }
carries() { [ "$(get gw "/links/home0/peers/$1" mtu)" = "$2" ]; }
check 'both are served' wait_for 10 eval 'pings c1 10.77.0.1 && pings c2 10.77.0.1'
# 1300 less 60, to 8 bytes (mtu.h).
finds_small() {
	SMALL=$(get gw /links/home0/peers/c2 mtu)
	[ "${SMALL:-0}" -gt 1232 ] && [ "$SMALL" -le 1240 ]
}
check 'the server finds out what the small line carries' wait_for 30 finds_small
check 'and what the other does' wait_for 15 carries c1 $LARGE
check "the server's device has the other's size" wait_for 5 mtu_is gw $LARGE
check 'so has the other client' wait_for 5 mtu_is c1 $LARGE
check 'the small one has the least that IPv6 takes' wait_for 15 mtu_is c2 1280

# size FROM TO whole|cut SIZE: pings of so many bytes, with DF or without
size() {
	local df='do'

	[ "$3" = whole ] || df=dont
	in_ "$1" ping -c 3 -i 0.2 -W 1 -M "$df" -s $(($4 - 28)) "$2" >"$tmp/ping" 2>&1
}
check 'packets of full size go to the other' wait_for 10 size gw 10.77.0.11 whole $LARGE
check 'those that just fit go to the small one' wait_for 10 size gw 10.77.0.12 whole "$SMALL"
told() { # as size: its sender is told what fits
	! size "$@" && grep -qE "mtu *= *$SMALL\b" "$tmp/ping"
}
check 'those that may not be cut are answered with the right size' wait_for 10 \
	told gw 10.77.0.12 whole $((SMALL + 1))
in_ gw ip route flush cache
check 'those that may be cut arrive' wait_for 10 size gw 10.77.0.12 cut 1400
check "a client's packets to the small one are answered, too" wait_for 10 \
	told c1 10.77.0.12 whole 1400
check 'and cut' wait_for 10 size c1 10.77.0.12 cut 1400
check 'what it asked of itself hurt nobody' wait_for 10 size gw 10.77.0.11 whole $LARGE

# A datagram that may not be cut: EMSGSIZE, and the size is known.
in_ gw ip route flush cache
run 0 'a program that sends UDP with DF learns the size' in_ gw python3 -c "
import errno, socket, sys, time
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.setsockopt(0, 10, 2)  # IP_MTU_DISCOVER, IP_PMTUDISC_DO
s.connect(('10.77.0.12', 9))
for i in range(50):
    try:
        s.send(b'x' * ($LARGE - 28))
    except OSError as e:
        if e.errno == errno.EMSGSIZE:
            sys.exit(s.getsockopt(0, 14) != $SMALL)  # IP_MTU
    time.sleep(0.1)
sys.exit('nobody said a word')"

# --- TCP ---------------------------------------------------------------------
in_ gw ip route flush cache
for n in gw c2; do
	in_ $n iperf3 -s -D -I "$tmp/iperf.$n" >/dev/null
	wait_for 5 test -s "$tmp/iperf.$n"
done
tcp() { in_ "$1" timeout 30 iperf3 -c "$2" -n 2M "${@:3}" >"$tmp/iperf.out" 2>&1; }
for i in 1 2; do
	check "TCP goes from client $i" tcp c$i 10.77.0.1
	check "and to it" tcp c$i 10.77.0.1 -R
done
check 'TCP goes from one client to the other' tcp c1 10.77.0.12
check 'and back' tcp c1 10.77.0.12 -R
is 'nothing was too big for the other one' \
	"$(get gw /links/home0/peers/c1 oversize)" 0

# --- it comes and goes -------------------------------------------------------
in_ c2 tresse -q /links/home0 set enabled=no
in_ c2 tresse -q /links/home0 set enabled=yes
check 'the small one is back' wait_for 15 pings c2 10.77.0.1
check 'and nobody noticed' wait_for 10 size gw 10.77.0.11 whole $LARGE
check 'the device has kept its size' mtu_is gw $LARGE

for n in gw c2; do kill "$(tr -d '\0' <"$tmp/iperf.$n")" 2>/dev/null; done
for n in gw c1 c2; do kill_engine $n; done
finish
