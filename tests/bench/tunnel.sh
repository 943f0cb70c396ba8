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
