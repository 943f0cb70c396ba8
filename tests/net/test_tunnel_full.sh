#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
#
# A line of 20 Mbit/s that is full: both ends say so while it is, with its rate,
# and never else; follow tells of it, and a new engine still knows.
# shellcheck disable=SC2154 # pid_home comes by eval
. "$(dirname "$0")/lib.sh"
# shellcheck source=tests/net/tunnel.sh
. "$(dirname "$0")/tunnel.sh"

line1=/links/home0/members/line1
peer=/links/home0/peers/home
of() { "$1" tresse -j "$2" get | jq -r ".live[\"$3\"]"; }
is_full() { [ "$(of "$1" "$2" "$3")" = "$4" ]; }
# spells END PATH WAY: how many
spells() { "$1" tresse -j saturation "$2" | jq "[.spells[] | select(.way == \"$3\")] | length"; }

judge() { jq -e "$@" >/dev/null; }

# A machine that has other things to do does not fill the line all the time.
follower=
whole() {
	local end busy

	if [ "$follower" ]; then
		stop "$follower"
		unplace
	fi
	place relayed
	line '1 rate=20mbit queue=50ms delay=10ms'
	line '2 rate=20mbit queue=50ms delay=10ms'
	tunnel 1
	check 'the line is up' wait_for 15 is_full home "$line1" state up
	start "$tmp/told" ip netns exec home env TRESSE_SOCKET="$tmp/home.sock" \
		TRESSE_STORE="$tmp/home.db" tresse -j follow
	follower=$pid

	# --- at rest, and what its sender limits --------------------------------------
	home ping -i 0.02 -c 100 -q 10.77.0.1 >/dev/null
	home iperf3 -c 10.77.0.1 -u -b 3M -l 1200 -t 4 >/dev/null
	for end in "home $line1" "gw $peer"; do
		# shellcheck disable=SC2086 # two words
		set -- $end
		is "$1: neither pings nor 3 Mbit/s fill it" "$(spells "$1" "$2" out)$(spells "$1" "$2" in)" 00
	done

	# --- full ---------------------------------------------------------------------
	home iperf3 -c 10.77.0.1 -t 8 >/dev/null &
	busy=$!
	check 'full is said where it is sent' wait_for 4 is_full home "$line1" full-out true
	check 'and where it arrives' wait_for 2 is_full gw "$peer" full-in true
	home tresse ls /links >"$tmp/ls"
	has 'ls shows it' "$tmp/ls" 'line1 .*full'
	gw tresse saturation >"$tmp/saturation"
	has 'and saturation' "$tmp/saturation" "^$peer +in +20.* and still +at [0-9.]+mbit, [0-9.]+ms of queue"
	wait "$busy"
	check 'its end is said where it was sent' wait_for 6 is_full home "$line1" full-out false
	check 'and where it arrived' wait_for 6 is_full gw "$peer" full-in false
	is 'it was one spell' "$(spells home "$line1" out)" 1
	is 'at the other end too' "$(spells gw "$peer" in)" 1
	is 'the way back was free' "$(spells home "$line1" in)$(spells gw "$peer" out)" 00
	home tresse -j saturation >"$tmp/json"
	check "its length is right ($(jq -c '.spells[0].lasted_us' "$tmp/json") us)" judge \
		'.spells[0] | .state == "over" and .lasted_us > 5500000 and .lasted_us < 9000000' "$tmp/json"
	check "and its rate ($(jq -c '.spells[0].rate' "$tmp/json") bit/s)" judge \
		'.spells[0] | .rate > 16000000 and .rate < 21000000' "$tmp/json"
	peak=$(of home "$line1" peak-out)
	check "the most it carried is kept ($peak)" sh -c "echo $peak | grep -qE '^(1[89]|20)[0-9.]*(000000|[mk]bit)?'"
	has 'when it was full last' <(home tresse "$line1" get last-full-out) 'last-full-out=20.* for [0-9]+s at '
	check 'follow told of both' wait_for 5 sh -c \
		"[ \$(jq -r 'select(.what == \"full\" or .what == \"free\").what' '$tmp/told' | tr -d '\n') = fullfree ]"
	# shellcheck disable=SC2016 # jq's own variable
	check 'with path, way and rate' judge -s --arg path "$line1" \
		'any(.what == "full" and .path == $path and .way == "out" and .rate > 16000000)' "$tmp/told"
}
undisturbed whole
stop "$follower"

# --- counters -----------------------------------------------------------------
run 0 'other slices are taken without a break' home tresse /links/home0 set slice=500ms slices=4
agrees 'the running system agrees' home
counters() {
	home iperf3 -c 10.77.0.1 -u -b 3M -l 1200 -t 4 >/dev/null &
	busy=$!
	sleep 3.2
	home tresse -j "$line1" get >"$tmp/counters"
	check "they count ($(jq -c '.live | [."rate-out", ."packets-out"]' "$tmp/counters"))" judge \
		'.live | ."packets-out" > 250 and ."packets-out" < 400 and ."packets-out-max" >= ."packets-out"' \
		"$tmp/counters"
	wait "$busy"
}
undisturbed counters

# --- the engine anew ----------------------------------------------------------
known=$(spells home $line1 out) peak=$(of home $line1 peak-out)
check "there is something to know ($known)" [ "$known" -ge 1 ]
kill_engine home
engine_of home
check 'a new engine comes up' wait_for 10 is_full home $line1 state up
is 'and knows of the spell' "$(spells home $line1 out)" "$known"
is 'and of the most it carried' "$(of home $line1 peak-out)" "$peak"

unplace
finish
