#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
#
# A class that goes on two lines at once: what has its DSCP survives the loss of
# a line without losing one.
. "$(dirname "$0")/lib.sh"
# shellcheck source=tests/net/tunnel.sh
. "$(dirname "$0")/tunnel.sh"

up() { home tresse /links/home0/members/line"$1" get state | grep -q '=up'; }
get() { home tresse "/links/home0/members/$1" get "$2" | sed 's/[^=]*=//; s/ .*//'; }

# Of both kinds of pings while one line after the other falls into a hole.
holes() {
	local pid_ef pid_be

	ip netns exec home ping -i 0.01 -Q 0xb8 10.77.0.1 >"$tmp/ef" 2>&1 &
	pid_ef=$!
	ip netns exec home ping -i 0.01 10.77.0.1 >"$tmp/be" 2>&1 &
	pid_be=$!
	sleep 1
	line '1 hole=1'
	sleep 1.5
	line '1 hole=0'
	wait_for 20 up 1
	line '2 hole=1'
	sleep 1.5
	line '2 hole=0'
	sleep 0.5
	kill -INT "$pid_ef" "$pid_be"
	wait "$pid_ef" "$pid_be"
}
# Those that came later than 60 ms: the line was silent, they were sent again.
late() { awk -F'time=' 'NF > 1 && $2 + 0 > 60 { n++ } END { print n + 0 }' "$tmp/$1"; }
# Of those before the last that came: one was under way when it ended.
lost() {
	awk -F'icmp_seq=' 'NF > 1 { if (!seen[$2 + 0]++) n++; if ($2 + 0 > last) last = $2 + 0 }
		END { print last - n }' "$tmp/$1"
}

place relayed
line '1 rate=50mbit queue=50ms delay=5ms'
line '2 rate=20mbit queue=50ms delay=8ms'
tunnel 2
for n in home gw; do
	# Small packets are not doubled here: only the class is.
	run 0 "$n: a class is doubled" $n tresse /links/home0 set double=0 duplicate=ef
	agrees "$n: the running system agrees" "$n"
done
check 'both lines are up' wait_for 15 up 1
check 'the second as well' wait_for 15 up 2
run 1 'a class that is none is refused' home tresse /links/home0 set duplicate=64
has 'and told what there is' "$tmp/err" duplicate 'at most 63'

copies() { echo $(($(get line1 doubled) + $(get line2 doubled))); }
# A line that was never used has room for a few only: the first ones show it.
home ping -q -c 50 -i 0.01 -Q 0xb8 10.77.0.1 >/dev/null
before=$(copies)
home ping -q -c 100 -i 0.01 -Q 0xb8 10.77.0.1 >/dev/null
copied() { [ $(($(copies) - before)) -ge 100 ]; }
check 'its copies are counted, each of them' wait_for 2 copied

holes
check 'many were sent' [ "$(grep -c icmp_seq "$tmp/ef")" -ge 200 ]
is 'two holes cost the class nothing' "$(lost ef)" 0
echo "# later than 60 ms or lost: $(late ef) of the class, $(($(lost be) + $(late be))) of the rest"

run 0 'the class is as the others again' home tresse /links/home0 set duplicate=
before=$(copies)
home ping -q -c 100 -i 0.01 -Q 0xb8 10.77.0.1 >/dev/null
check 'and no copies are sent' [ \
	$(($(copies) - before)) -le 20 ]

unplace
finish
