#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
#
# tunnel.sh - how good the tunnel is: two ends in namespaces, two lines between
# them, encryption on, rates not told. Every row names what is reached as a
# share of something measured in the same minute, or of what the lines carry.
#
#   tests/bench/tunnel.sh [ROW...]      RUNS=3 TIME=6
#
# The lines are those of tests/net/tunnel.sh.
# shellcheck disable=SC2154,SC2086 # pid_home comes by eval; words without blanks
set -u

# shellcheck source=tests/net/lib.sh
. "$(dirname "$0")/../net/lib.sh"
# shellcheck source=tests/net/tunnel.sh
. "$(dirname "$0")/../net/tunnel.sh"

runs=${RUNS:-3} time=${TIME:-6} skip=3
log=$tmp/log

# --- measuring ---------------------------------------------------------------

tcp() { # ADDRESS CC [OPTIONS...] : Mbit/s received after the first seconds
	local to=$1 cc=$2

	shift 2
	home iperf3 -c "$to" -C "$cc" -t "$time" -O "$skip" -J "$@" >"$log" 2>&1
	jq -r '.end.sum_received.bits_per_second / 1e6' "$log" 2>/dev/null || echo 0
}

cpu() { awk '{ s += $14 + $15 } END { print s }' "/proc/$pid_home/stat" "/proc/$pid_gw/stat"; }

# percentiles FILE...: p50 p99 in ms of what ping wrote
percentiles() {
	cat "$@" | sed -n 's/.*time=\([0-9.]*\) ms/\1/p' | sort -n |
		awk '{ v[NR] = $1 } END { if (!NR) { print "- -"; exit }
			print v[int((NR + 1) / 2)], v[int(NR * 0.99) ? int(NR * 0.99) : 1] }'
}

ping_percentiles() { percentiles "$tmp/ping"; }

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

# A tunnel that only copies (tests/lab/floor.c), beside ours.
floor_start() {
	floors=()
	ip netns exec gw floor floor0 10.201.1.1 10.201.1.2 5100 &
	floors+=($!)
	ip netns exec home floor floor0 10.201.1.2 10.201.1.1 5100 &
	floors+=($!)
	wait_for 5 ip -n home link show floor0 >/dev/null 2>&1
	wait_for 5 ip -n gw link show floor0 >/dev/null 2>&1
	address gw floor0 10.78.0.1/24
	address home floor0 10.78.0.2/24
}

# In turn, so that what else the machine does falls on all of them. What is
# added to the bare line, and that as a multiple of what the copying adds.
one_idle() {
	local n

	rm -f "$tmp/bare" "$tmp/copied" "$tmp/ours"
	for n in $(seq 5); do
		home ping -i 0.005 -c 80 10.201.1.1 >>"$tmp/bare"
		home ping -i 0.005 -c 80 10.78.0.1 >>"$tmp/copied"
		home ping -i 0.005 -c 80 10.77.0.1 >>"$tmp/ours"
	done
	echo "$(percentiles "$tmp/bare") $(percentiles "$tmp/copied") $(percentiles "$tmp/ours")" |
		awk '{ printf "%.3f ms, p99 %.3f; %.2f times what copying adds (bare %s / %s, copied %s / %s, ours %s / %s)\n",
			$5 - $1, $6 - $2, ($3 == $1 ? 0 : ($5 - $1) / ($3 - $1)), $1, $2, $3, $4, $5, $6 }'
}

row_idle() {
	place direct
	tunnel 1
	floor_start
	say 'added round trip, idle, p50' "$(each_run one_idle)"
	home tresse -q /links/home0/members create line2
	sleep 1
	say 'the same, two lines' "$(each_run one_idle)"
	kill "${floors[@]}"
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

# Somebody else's flow on the same line, which it has when ours comes.
one_rival() { # CC THEIRS
	local ours theirs

	home iperf3 -c 10.201.1.1 -p 5202 -C "$2" -t 45 -O 15 -J >"$tmp/rival" 2>&1 &
	local iperf=$!

	sleep 3
	home iperf3 -c 10.77.0.1 -C "$1" -t 40 -O 12 -J >"$log" 2>&1
	wait $iperf
	ours=$(jq -r '.end.sum_received.bits_per_second / 1e6' "$log" 2>/dev/null || echo 0)
	theirs=$(jq -r '.end.sum_received.bits_per_second / 1e6' "$tmp/rival" 2>/dev/null || echo 0)
	echo "$(share "$ours" 25) % of half the line, theirs $(share "$theirs" 25) %"
}

row_rival() {
	local queue theirs

	for queue in 50ms 300ms; do
		for theirs in cubic bbr; do
			place relayed
			line "1 rate=50mbit queue=$queue delay=20ms"
			tunnel 1
			gw iperf3 -s -D -p 5202 -I "$tmp/iperf2.pid" >/dev/null
			say "beside a $theirs of somebody else, $queue of queue" "$(each_run one_rival cubic $theirs)"
			kill "$(tr -d '\0' <"$tmp/iperf2.pid")"
			unplace
		done
	done
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

# --- many clients, several threads ---------------------------------------------

many='1 2 3 4'
many_pids=()

client() { # NUMBER COMMAND...
	local n=$1

	shift
	TRESSE_SOCKET=$tmp/c$n.sock TRESSE_STORE=$tmp/c$n.db ip netns exec "c$n" "$@"
}

many_engine() { # NAMESPACE
	ip netns add "$1"
	ip -n "$1" link set lo up
	ip netns exec "$1" tressed --socket "$tmp/$1.sock" &
	many_pids+=($!)
	wait_for 5 test -S "$tmp/$1.sock"
}

many_client() { # NUMBER KEY
	local n=$1

	many_engine "c$n"
	ip link add w0 netns "c$n" type veth peer name "w$n" netns gw
	address "c$n" w0 "10.201.$n.2/24"
	address gw "w$n" "10.201.$n.1/24"
	client "$n" tresse -q /paths create line device=w0 gateway="10.201.$n.1"
	client "$n" tresse -q /links create home0 role=client device=tun0 \
		local="10.77.0.1$n/24" peer="10.201.$n.1:5000" peer-key="$2" 2>/dev/null
	gw tresse -q /links/home0/peers create "c$n" address="10.77.0.1$n" \
		key="$(client "$n" tresse /links/home0 get public-key | sed 's/[^=]*=\([^ ]*\).*/\1/')"
	client "$n" tresse -q /links/home0/members create line
	gw iperf3 -s -D -p "520$n" -I "$tmp/iperf$n" >/dev/null
	wait_for 10 client "$n" ping -c 1 -W 1 -q 10.77.0.1 >/dev/null
}

many_place() {
	local n key

	many_pids=()
	many_engine gw
	gw tresse -q /links create home0 role=server device=tun0 \
		local=10.77.0.1/24 listen=5000 threads=2
	key=$(key_of gw)
	for n in $many; do many_client "$n" "$key"; done
}

many_unplace() {
	local n

	for n in $many; do many_pids+=("$(tr -d '\0' <"$tmp/iperf$n")"); done
	kill "${many_pids[@]}" 2>/dev/null
	wait "${many_pids[@]}" 2>/dev/null
	for n in gw c1 c2 c3 c4; do ip netns del "$n"; done
	rm -f "$tmp"/*.db* "$tmp"/*.sock
}

many_sum() { # THREADS [OPTIONS...]: Mbit/s of all, and CPU seconds of the server for a GB
	local n jobs=() before after

	gw tresse -q /links/home0 set threads="$1"
	shift
	for n in $many; do
		wait_for 15 client "$n" ping -c 1 -W 1 -q 10.77.0.1 >/dev/null
	done
	before=$(awk '{ print $14 + $15 }' "/proc/${many_pids[0]}/stat")
	for n in $many; do
		client "$n" iperf3 -c 10.77.0.1 -p "520$n" -t "$time" -J "$@" >"$tmp/many$n" 2>&1 &
		jobs+=($!)
	done
	wait "${jobs[@]}"
	after=$(awk '{ print $14 + $15 }' "/proc/${many_pids[0]}/stat")
	jq -s --argjson ticks $((after - before)) '(map(.end.sum_received.bytes) | add) as $bytes
		| "\(map(.end.sum_received.bits_per_second) | add / 1e6) \($ticks / 100 / ($bytes / 1e9))"' \
		-r "$tmp"/many[1-4]
}

one_many() { # [OPTIONS...]
	echo "$(many_sum 1 "$@") $(many_sum 2 "$@")" | awk '{
		printf "%.2f times with two threads: %.0f for %.0f Mbit/s, server %.2f for %.2f CPU s/GB\n",
			$3 / $1, $3, $1, $4, $2 }'
}

row_many() {
	many_place
	say '4 clients, one TCP flow each, to the server' "$(each_run one_many)"
	say '... and from it' "$(each_run one_many -R)"
	many_unplace
}

rows=("$@")
[ ${#rows[@]} -gt 0 ] || rows=(unshaped udp idle many plain even skew loss burst drop flows bloat rival cut)
for row in "${rows[@]}"; do
	"row_$row"
done
finish
