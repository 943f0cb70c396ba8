#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
#
# tunnel.sh - how good the tunnel is: two ends in namespaces, two lines between
# them, encryption on, rates not told. Every row names what is reached as a
# share of something measured in the same minute, or of what the lines carry.
#
#   tests/bench/tunnel.sh [ROW...]      RUNS=3 TIME=6
#
#   home --w1-- a1 [relay] b1 --w1-- gw       the relay (tests/lab/relay.c)
#        \-w2-- a2 [     ] b2 --w2-/          makes them slow, late and lossy
# shellcheck disable=SC2154,SC2086 # pid_home comes by eval; words without blanks
set -u

# shellcheck source=tests/net/lib.sh
. "$(dirname "$0")/../net/lib.sh"

runs=${RUNS:-3} time=${TIME:-6} skip=3
log=$tmp/log

home() { TRESSE_SOCKET=$tmp/home.sock TRESSE_STORE=$tmp/home.db ip netns exec home "$@"; }
gw() { TRESSE_SOCKET=$tmp/gw.sock TRESSE_STORE=$tmp/gw.db ip netns exec gw "$@"; }

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

place() { # direct | relayed
	local n

	for n in home gw; do
		ip netns add $n
		ip -n $n link set lo up
	done
	"lines_$1"
	ip -n gw addr add 10.200.0.1/32 dev lo
	for n in home gw; do
		ip netns exec $n tressed --socket "$tmp/$n.sock" &
		eval "pid_$n=$!"
		wait_for 5 test -S "$tmp/$n.sock"
	done
	gw iperf3 -s -D -I "$tmp/iperf.pid" >/dev/null
}

key_of() { "$1" tresse /links/home0 get public-key | sed 's/[^=]*=\([^ ]*\).*/\1/'; }

tunnel() { # MEMBERS
	local i key

	gw tresse -q /links create home0 role=server device=tun0 \
		local=10.77.0.1/24 listen=5000
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
	kill "$pid_home" "$pid_gw" "$(tr -d '\0' <"$tmp/iperf.pid")" 2>/dev/null
	[ -z "${relay_pid:-}" ] || kill "$relay_pid" 2>/dev/null
	relay_pid=
	wait 2>/dev/null
	for n in home gw mid; do ip netns del "$n" 2>/dev/null; done
	rm -f "$tmp"/*.db* "$tmp"/*.sock "$tmp/relay"
	sleep 0.2
}

# --- measuring ---------------------------------------------------------------

tcp() { # ADDRESS CC [OPTIONS...] : Mbit/s received after the first seconds
	local to=$1 cc=$2

	shift 2
	home iperf3 -c "$to" -C "$cc" -t "$time" -O "$skip" -J "$@" >"$log" 2>&1
	jq -r '.end.sum_received.bits_per_second / 1e6' "$log" 2>/dev/null || echo 0
}

cpu() { awk '{ s += $14 + $15 } END { print s }' "/proc/$pid_home/stat" "/proc/$pid_gw/stat"; }

ping_start() { # INTERVAL
	# Not by home(): that would be a shell, which hears no INT.
	ip netns exec home ping -i "$1" -D -w 120 10.77.0.1 >"$tmp/ping" 2>&1 &
	ping_pid=$!
}

ping_end() {
	kill -INT "$ping_pid" 2>/dev/null
	wait "$ping_pid" 2>/dev/null
}

# p50 p99 in ms
ping_percentiles() {
	sed -n 's/.*time=\([0-9.]*\) ms/\1/p' "$tmp/ping" | sort -n |
		awk '{ v[NR] = $1 } END { if (!NR) { print "- -"; exit }
			print v[int((NR + 1) / 2)], v[int(NR * 0.99) ? int(NR * 0.99) : 1] }'
}

# lost, and the longest time between two answers in ms
ping_losses() {
	awk -F'[][ =]+' '/icmp_seq/ { for (i = 1; i < NF; i++) if ($i == "icmp_seq") s = $(i + 1)
			if (s > last + 1) lost += s - last - 1
			if (t && $2 - t > gap) gap = $2 - t
			t = $2; last = s }
		END { printf "%d %d\n", lost, gap * 1000 }' "$tmp/ping"
}

median() { sort -n | awk '{ v[NR] = $1 } END { print v[int((NR + 1) / 2)] }'; }

share() { awk "BEGIN { printf \"%.1f\", $1 / $2 * 100 }"; }

say() { printf '%-44s %s\n' "$1" "$2"; }

each_run() { # COMMAND...: the median of its first word, and the rest
	local n

	for n in $(seq "$runs"); do "$@"; done | sort -n |
		awk '{ v[NR] = $0 } END { print v[int((NR + 1) / 2)] }'
}

# --- rows --------------------------------------------------------------------

one_raw() {
	local raw one

	gw iperf3 -s -1 -D -p 5300 >/dev/null
	sleep 0.2
	raw=$(tcp 10.201.1.1 cubic -p 5300)
	before=$(cpu)
	one=$(tcp 10.77.0.1 cubic)
	after=$(cpu)
	bytes=$(jq -r '.end.sum_received.bytes' "$log")
	awk "BEGIN { printf \"%.3f of raw: %.0f of %.0f Mbit/s, %.2f CPU s/GB\n\",
		$one / $raw, $one, $raw, ($after - $before) / 100 / ($bytes * ($time + $skip) / $time / 1e9) }"
}

row_unshaped() {
	place direct
	tunnel 1
	say 'one TCP flow, one line' "$(each_run one_raw)"
	home tresse -q /links/home0/members create line2
	sleep 0.5
	say 'one TCP flow, two lines' "$(each_run one_raw)"
	unplace
}

one_udp() {
	home iperf3 -u -b 1G -l 1200 -c 10.77.0.1 -t "$time" -J >"$log" 2>&1
	jq -r '.end.sum | .bits_per_second * (1 - .lost_percent / 100) / 1e6 | floor' "$log"
}

row_udp() {
	place direct
	tunnel 2
	say 'UDP, 1 Gbit/s of 1,200 bytes offered' "$(each_run one_udp) Mbit/s"
	unplace
}

one_idle() {
	home ping -i 0.005 -c 400 -q 10.201.1.1 | sed -n 's|.*= [0-9.]*/\([0-9.]*\)/.*|\1|p' >"$tmp/bare"
	home ping -i 0.005 -c 400 -q 10.77.0.1 | sed -n 's|.*= [0-9.]*/\([0-9.]*\)/.*|\1|p' |
		awk -v bare="$(cat "$tmp/bare")" '{ printf "%.3f\n", $1 - bare }'
}

row_idle() {
	place direct
	tunnel 1
	say 'added round trip, idle' "$(each_run one_idle) ms"
	unplace
}

# shape LINE1 LINE2: 50 and 20 Mbit/s, queues of 50 ms, and what is added
shape() {
	line "1 rate=50mbit queue=50ms $1"
	line "2 rate=20mbit queue=50ms $2"
}

one_share() { # SUM CC OPTIONS...
	local sum=$1 cc=$2 got

	shift 2
	ping_start 0.02
	got=$(tcp 10.77.0.1 "$cc" "$@")
	ping_end
	echo "$(share "$got" "$sum") % of $sum Mbit/s, ping $(ping_percentiles) ms, $(ping_losses | cut -d' ' -f1) lost"
}

lossy_row() { # TITLE LINE1 LINE2 OPTIONS...
	local cc title=$1 one=$2 two=$3

	shift 3
	for cc in cubic bbr; do
		place relayed
		shape "$one" "$two"
		tunnel 2
		say "$title, $cc" "$(each_run one_share 70 $cc "$@")"
		unplace
	done
}

row_plain() { lossy_row '50 + 20, no delay' '' ''; }
row_even() { lossy_row '50 + 20, 20 ms on both' delay=20ms delay=20ms; }
row_skew() { lossy_row '10 ms against 60 ms' delay=10ms delay=60ms; }
row_loss() { lossy_row '... and 1 % loss on the first' 'delay=10ms loss=1%' delay=60ms; }
row_burst() { lossy_row 'bursts of loss, 2 % in tens' 'delay=20ms burst=2%/10' 'delay=20ms burst=2%/10'; }
row_flows() { lossy_row '8 flows, 20 ms' delay=20ms delay=20ms -P 8; }

one_drop() { # CC
	ip netns exec home iperf3 -c 10.77.0.1 -C "$1" -t 9 -O 3 -J >"$log" 2>&1 &
	local iperf=$!

	sleep 6
	line '1 rate=10mbit'
	sleep 3
	line '1 rate=50mbit'
	wait $iperf
	jq -r '[.intervals[] | select(.omitted | not) | .sum | select(.start >= 3 and .end <= 6.2)
		| .bits_per_second] | (add / length / 30e6 * 1000 | floor / 10)' "$log" 2>/dev/null || echo 0
}

row_drop() {
	local cc

	for cc in cubic bbr; do
		place relayed
		shape delay=20ms delay=20ms
		tunnel 2
		say "50 falls to 10 under way, $cc" "$(each_run one_drop $cc) % of what is left"
		unplace
	done
}

row_bloat() {
	place relayed
	line '1 rate=50mbit queue=50ms delay=20ms'
	line '2 rate=20mbit queue=1s delay=20ms'
	tunnel 2
	say 'beside a line with 1 s of queue, cubic' "$(each_run one_share 70 cubic) (idle 40 ms)"
	unplace
}

one_cut() { # COMMAND...: pings at 100/s while a line goes
	ping_start 0.01
	sleep 2
	"$@"
	sleep 4
	ping_end
	local losses

	losses=$(ping_losses)
	echo "${losses% *} pings lost, longest gap ${losses#* } ms"
}

cut_down() { ip -n home link set w1 down; }
cut_hole() { line '1 hole=1'; }

row_cut() {
	local delay what n

	for what in down hole; do
		for delay in 0 20; do
			for n in $(seq "$runs"); do
				place relayed
				shape delay=${delay}ms delay=${delay}ms
				tunnel 2
				sleep 1
				one_cut cut_$what
				unplace
			done | sort -n | awk -v t="line $what, $((2 * delay)) ms of round trip" \
				'{ v[NR] = $0 } END { printf "%-44s %s\n", t, v[int((NR + 1) / 2)] }'
		done
	done
}

rows=("$@")
[ ${#rows[@]} -gt 0 ] || rows=(unshaped udp idle plain even skew loss burst drop flows bloat cut)
for row in "${rows[@]}"; do
	"row_$row"
done
finish
