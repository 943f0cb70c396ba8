# shellcheck shell=bash
# SPDX-License-Identifier: GPL-3.0-or-later
# shellcheck disable=SC2154,SC2086 # tmp is lib.sh's, pid_home comes by eval; words without blanks
#
# tunnel.sh - two ends of a tunnel in namespaces, two lines between them. For
# tests and benches, behind lib.sh.
#
#   home --w1-- a1 [relay] b1 --w1-- gw       the relay (tests/lab/relay.c)
#        \-w2-- a2 [     ] b2 --w2-/          makes them slow, late and lossy
#
#   place relayed; line '1 rate=50mbit delay=10ms'; tunnel 2; ...; unplace

# shellcheck source=tests/net/ends.sh
. "$root/tests/net/ends.sh"

home() { in_ home "$@"; }
gw() { in_ gw "$@"; }

# --- the place ---------------------------------------------------------------

address() { # NAMESPACE DEVICE ADDRESS
	ip -n "$1" addr add "$3" dev "$2"
	ip -n "$1" link set "$2" up
}

lines_direct() {
	local i

	for i in 1 2; do
		ip link add w$i netns home type veth peer name w$i netns gw
		address home w$i 10.201.$i.2/24
		address gw w$i 10.201.$i.1/24
	done
}

lines_relayed() {
	local i n

	ip netns add mid
	for i in 1 2; do
		ip link add w$i netns home type veth peer name a$i netns mid
		ip link add w$i netns gw type veth peer name b$i netns mid
		for n in home gw; do
			ip netns exec $n ethtool -K w$i tso off gso off gro off \
				tx-udp-segmentation off >/dev/null 2>&1
		done
		ip -n mid link set a$i up
		ip -n mid link set b$i up
		address home w$i 10.201.$i.2/24
		address gw w$i 10.201.$i.1/24
	done
	mkfifo "$tmp/relay"
	ip netns exec mid relay a1:b1 a2:b2 <>"$tmp/relay" >"$tmp/relay.out" &
	relay_pid=$!
	exec 9>"$tmp/relay"
}

line() { echo "$*" >&9; }

# Before place: names are looked up in a file of ours.
names_in_file() {
	echo '127.0.0.1 localhost' >"$tmp/hosts"
	echo 'hosts: files' >"$tmp/nsswitch"
	mount --bind "$tmp/hosts" /etc/hosts
	mount --bind "$tmp/nsswitch" /etc/nsswitch.conf
}

place() { # direct | relayed
	local n

	for n in home gw; do place_of $n; done
	"lines_$1"
	ip -n gw addr add 10.200.0.1/32 dev lo
	for n in home gw; do engine_of $n; done
	gw iperf3 -s -D -I "$tmp/iperf.pid" >/dev/null
}

# Engines whose clocks the test sets, behind place: engine=$(engine_with_clocks)
engine_with_clocks() {
	cat >"$tmp/engine" <<-END
	#!/bin/sh
	CLOCKS=\$2.clocks LD_PRELOAD=$build/clock.so exec tressed "\$@"
	END
	chmod 755 "$tmp/engine"
	for n in home gw; do printf '%20d%20d' 0 0 >"$tmp/$n.sock.clocks"; done
	echo "$tmp/engine"
}

# clocks NAMESPACE WALL SLEPT: seconds (tests/lab/clock.c)
clocks() { printf '%20d%20d' "$2" "$3" 1<>"$tmp/$1.sock.clocks"; }

tunnel() { # MEMBERS
	local i key

	gw tresse -q /links create home0 role=server device=tun0 \
		local=10.77.0.1/24 listen=5000 threads="${THREADS:-auto}"
	key=$(key_of gw)
	for i in 1 2; do
		home tresse -q /paths create line$i device=w$i gateway=10.201.$i.1
	done
	home tresse -q /links create home0 role=client device=tun0 \
		local=10.77.0.2/24 peer=10.200.0.1:5000 peer-key="$key" 2>/dev/null
	gw tresse -q /links/home0/peers create home key="$(key_of home)" \
		address=10.77.0.2
	for i in $(seq "$1"); do
		home tresse -q /links/home0/members create "line$i"
	done
	wait_for 10 home ping -c 1 -W 1 -q 10.77.0.1 >/dev/null
}

unplace() {
	exec 9>&-
	kill "$pid_home" "$pid_gw" ${relay_pid:-} "$(tr -d '\0' <"$tmp/iperf.pid")" 2>/dev/null
	wait "$pid_home" "$pid_gw" ${relay_pid:-} 2>/dev/null
	relay_pid=
	for n in home gw mid; do ip netns del "$n" 2>/dev/null; done
	rm -f "$tmp"/*.db* "$tmp"/*.sock "$tmp/relay"
	sleep 0.2
}

# goes_by DEVICE: what home sends now.
goes_by() {
	local sent=/sys/class/net/$1/statistics/tx_bytes before

	before=$(home cat "$sent")
	home ping -q -c 20 -i 0.01 10.77.0.1 >/dev/null || return 1
	[ $(($(home cat "$sent") - before)) -gt 2000 ]
}

# --- pings, while something happens --------------------------------------------

ping_start() { # INTERVAL
	# Not by home(): that would be a shell, which hears no INT.
	ip netns exec home ping -i "$1" -D -w 120 10.77.0.1 >"$tmp/ping" 2>&1 &
	ping_pid=$!
}

ping_end() {
	kill -INT "$ping_pid" 2>/dev/null
	wait "$ping_pid" 2>/dev/null
}

# ping_lost: how many of them, which end.
ping_lost() {
	ping_end
	ping_losses | cut -d' ' -f1
}

# lost, and the longest time between two answers in ms
ping_losses() {
	awk -F'[][ =]+' '/icmp_seq/ { for (i = 1; i < NF; i++) if ($i == "icmp_seq") s = $(i + 1)
			if (!seen[s]++) count++
			if (s > last) last = s
			if (t && $2 - t > gap) gap = $2 - t
			t = $2 }
		END { printf "%d %d\n", last - count, gap * 1000 }' "$tmp/ping"
}
