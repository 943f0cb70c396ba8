#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# stats measures what tc counts; watch repeats it, in a terminal (that tmux
# plays) and elsewhere.
. "$(dirname "$0")/lib.sh"
# shellcheck source=terminal.sh
. "$root/tests/net/terminal.sh"

uplink
cat >"$tmp/policy" <<'END'
/paths create adsl0 device=wan0 gateway=192.0.2.1 source=192.0.2.2/24
/classes create uplink path=adsl0 default=other
/classes/uplink create site rate=3mbit
/classes/uplink/site create voice rate=1mbit mark=10 leaf="pfifo limit 30"
/classes/uplink/site create bulk rate=1mbit mark=20
/classes/uplink create other rate=400kbit mark=30 leaf="pfifo limit 10"
/classes/uplink/site/voice/match create sip proto=udp dport=5060
END
run 0 'the policy is applied' tresse <"$tmp/policy"

# More than the class may send: 98 bytes, 1,000 times a second.
far sh -c 'echo 0 >/proc/sys/net/ipv4/icmp_ratelimit' 2>/dev/null
start "$tmp/sink" far traffic sink 600 udp:9000
start "$tmp/send" traffic send 600 \
	udp,to=192.0.2.1,dport=9000,size=56,rate=448000
sleep 0.5
of() { jq -r ".classes[] | select(.path == \"/classes/uplink/$1\").$2" "$tmp/out"; }
measured() {
	local rate pace wait

	run 0 'stats' tresse -j stats interval=1500ms
	rate=$(of other rate)
	check "measures the class's rate ($rate)" \
		test "$rate" -ge 380000 -a "$rate" -le 420000
	pace=$(of other packets_per_s)
	check "its packets ($pace)" test "$pace" -ge 480 -a "$pace" -le 540
	check 'its drops' test "$(of other drops)" -gt 100
	check 'what waits' test "$(of other queued)" -ge 5 -a \
		"$(of other backlog)" -ge 490
	wait=$(of other wait_us)
	check "and how long ($wait us)" test "$wait" -ge 9000 -a "$wait" -le 22000
}
undisturbed measured
is 'nothing else' "$(of site/voice rate) $(of site/voice drops)" '0 0'
run 0 'as a table' tresse stats interval=200ms
has 'of classes, as a tree' "$tmp/out" '^CLASS +RATE +PKT/S +DROPS' \
	'^  site' '^    voice +0 ' '^  other +[34]..\..kbit'
has 'and of matches' "$tmp/out" '^MATCH +RATE' 'voice/match/sip'
run 0 'of one branch' tresse stats /classes/uplink/site interval=100ms
check 'no more' bash -c "! grep -q other '$tmp/out'"
run 2 'an interval has a unit' tresse stats interval=1

run 0 'watch elsewhere' tresse watch stats interval=100ms count=3
is 'prints a block each time' "$(grep -c '^CLASS' "$tmp/out")" 3
run 0 'watch for programs' tresse -j watch ls /classes 1 interval=100ms count=4
is 'a document a line' "$(jq -c .tree.path "$tmp/out" | wc -l)" 4
run 2 'what writes is not repeated' tresse watch /classes/uplink/other set rate=1mbit
run 2 'nor what is not there' tresse watch nonsense
paces() {
	local from=${EPOCHREALTIME/./} took

	tresse watch pwd count=6 interval=200ms >/dev/null
	took=$(((${EPOCHREALTIME/./} - from) / 1000))
	check "six looks are five intervals ($took ms)" \
		test "$took" -ge 1000 -a "$took" -le 1400
}
undisturbed paces
tresse watch stats interval=100ms 2>/dev/null | head -5 >/dev/null
ok 'who stops reading ends it'

if ! type -P tmux >/dev/null; then
	skip 'no tmux (make deps)'
	finish
fi
terminal 90 20
wait_for 10 shows 'done'
type_in "stty -g >$tmp/modes; echo above" Enter
expect 'something stands there' '^above'
type_in 'tresse watch interval=200ms' Enter
expect 'watch draws' '^..:..:..  every 200ms: stats'
expect 'the table' '^  other '
clock() { screen | grep -o '^..:..:..'; }
first=$(clock)
moved() { [ "$(clock)" != "$first" ]; }
check 'and draws again' wait_for 5 moved
is 'in place' "$(screen | grep -c '^CLASS')" 1
expect 'below what was there' '^above'
mux resize-window -t t -x 44 -y 12
narrow() { screen | grep '^CLASS' | grep -vq TOKENS; }
check 'a narrow window shows fewer columns' wait_for 5 narrow
is 'drawn once' "$(screen | grep -c '^CLASS')" 1
mux resize-window -t t -x 90 -y 8
expect 'a low one cuts the end' '^\.\.\. [0-9]+ more lines'
mux resize-window -t t -x 90 -y 20
type_in C-c
expect 'Ctrl-C ends it' '^done ?$'
type_in "echo \"status \$?\"; stty -g | cmp $tmp/modes - && echo \"as before\"" Enter
expect 'with status 0' '^status 0$'
expect 'and the terminal is as it was' '^as before$'
type_in C-l
type_in 'tresse' Enter
expect 'in the shell' '^/> ?$'
type_in 'watch ls /classes' Enter
expect 'it draws the tree' 'o- other '
type_in C-c
expect 'and Ctrl-C leaves the prompt' '^/> ?$'
mux kill-server
finish
