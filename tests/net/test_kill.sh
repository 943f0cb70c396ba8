#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# Killed (-9) at random moments of a change, back and forth between two policies:
# the next start finds a sound store and brings kernel and store together, on one
# of the two, never between. TRESSE_KILLS=1000 for a long run.
. "$(dirname "$0")/lib.sh"

kills=${TRESSE_KILLS:-40} classes=90
uplink
policy() { # policy RATE NAME
	echo "/paths create adsl0 device=wan0 gateway=192.0.2.1 source=192.0.2.2/24"
	echo "/classes create uplink path=adsl0 default=$2"
	for ((i = 1; i <= classes; i++)); do
		echo "/classes/uplink create c$i rate=$1 burst=15k leaf=\"pfifo limit $i\""
		echo "/classes/uplink/c$i/match create m proto=udp dport=$i"
	done
	echo "/classes/uplink create $2 rate=$1 burst=15k"
}
policy 1mbit one >"$tmp/one"
policy 2mbit two >"$tmp/two"

for name in one two; do
	run 0 "policy $name is applied" tresse restoreconfig "$tmp/$name"
	everything >"$tmp/$name.kernel"
	tresse saveconfig - >"$tmp/$name.store"
done

# How long a change takes, in microseconds: the kills fall within that.
from=${EPOCHREALTIME/./}
tresse restoreconfig "$tmp/one" >/dev/null 2>&1
length=$((${EPOCHREALTIME/./} - from))

# agrees: kernel and store say the same policy, and the store is sound.
agrees() {
	local name

	[ "$(sqlite3 "$TRESSE_STORE" 'pragma quick_check')" = ok ] || return
	everything >"$tmp/kernel"
	tresse saveconfig - >"$tmp/store"
	for name in one two; do
		cmp -s "$tmp/$name.kernel" "$tmp/kernel" &&
			cmp -s "$tmp/$name.store" "$tmp/store" && return
	done
	return 1
}

bad=0 cut=0 next=two
for ((round = 0; round < kills; round++)); do
	tresse restoreconfig "$tmp/$next" >/dev/null 2>&1 &
	pid=$!
	wait=$((RANDOM * length / 32768))
	sleep "$(printf '0.%06d' $wait)"
	kill -9 $pid 2>/dev/null && cut=$((cut + 1))
	wait $pid 2>/dev/null
	if ! tresse restoreconfig >"$tmp/out" 2>&1 || ! agrees; then
		bad=$((bad + 1))
		cat "$tmp/out"
	fi
	[ $next = one ] && next=two || next=one
done
echo "# $kills rounds, $cut of them cut off within ${length} us"
is "after each of $kills kills kernel and store agree" $bad 0
check 'some of them fell into a change' test $cut -ge $((kills / 10))
finish
