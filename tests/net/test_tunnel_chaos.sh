#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
#
# Both engines die again and again, at moments of chance and in any order, with a
# word or without one, also while they start and while they are told something.
# Each time both ends find each other by themselves. ROUNDS= how often (12); SEED=
# brings the same chances again.
# shellcheck disable=SC2154 # pid_home, pid_gw come by eval
. "$(dirname "$0")/lib.sh"
# shellcheck source=tests/net/tunnel.sh
. "$(dirname "$0")/tunnel.sh"

rounds=${ROUNDS:-12} seed=${SEED:-$RANDOM} longest=0
RANDOM=$seed
echo "# SEED=$seed ROUNDS=$rounds"

chance() { [ $((RANDOM % $1)) = 0 ]; }
pause() { sleep "0.$(printf '%03d' $((RANDOM % $1)))"; }
begins() { # NAMESPACE
	ip netns exec "$1" tressed --socket "$tmp/$1.sock" --store "$tmp/$1.db" \
		2>>"$tmp/$1.log" &
	eval "pid_$1=$!"
}
dies() { # NAMESPACE
	local pid=pid_$1 signal=KILL

	chance 4 && signal=TERM
	kill -$signal "${!pid}" 2>/dev/null
	wait "${!pid}" 2>/dev/null
}
passes() { home ping -c 1 -W 0.2 -q 10.77.0.1 >/dev/null 2>&1; }
sound() {
	[ "$(sqlite3 -readonly "$tmp/$1.db" 'PRAGMA integrity_check')" = ok ] &&
		"$1" tresse drift >"$tmp/drift" 2>&1 && return
	cat "$tmp/drift"
	return 1
}

place direct
tunnel 2
check 'the tunnel is up' passes
for ((round = 1; round <= rounds; round++)); do
	ends=(home gw)
	chance 2 && ends=(gw home)
	chance 3 && ends=("${ends[0]}")
	# Somebody changes something meanwhile, and may meet an engine that dies.
	if chance 2; then
		home timeout 20 tresse -q /links/home0/members/line2 set \
			"sockets=$((1 + RANDOM % 4))" >>"$tmp/changes" 2>&1 &
		changer=$!
		pause 50
	else
		changer=
	fi
	for n in "${ends[@]}"; do
		dies "$n"
		begins "$n"
		# One of four dies again while it starts.
		if chance 4; then
			pause 60
			dies "$n"
			begins "$n"
		fi
		pause 300
	done
	[ -z "$changer" ] || wait "$changer"
	began=$(uptime_ms)
	if ! wait_for 10 passes; then
		not_ok "round $round: ${ends[*]} died: it is back within 10 s"
		home tresse /links ls
		cat "$tmp/home.log" "$tmp/gw.log"
		break
	fi
	took=$(($(uptime_ms) - began))
	[ $took -le $longest ] || longest=$took
done
check "of $rounds deaths each was over within 10 s (the longest: $longest ms)" \
	[ $((round - 1)) = "$rounds" ]
for n in home gw; do
	check "$n: the store is sound, and so is what runs" sound $n
done
unplace
finish
