#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# A commit that measurement confirms, or undoes: commit confirm= until-healthy.
. "$(dirname "$0")/lib.sh"

uplink
# Here neighbours are asked for.
forget() {
	ip neigh del 192.0.2.1 dev wan0
	ip -6 neigh del 2001:db8::1 dev wan0
}
forget
# A second gateway, and a line that leads to none.
far ip addr add 192.0.2.7/24 dev wan0
ip link add lte0 type veth peer name lte1
ip link set lte0 addrgenmode none up
ip link set lte1 addrgenmode none up
ip addr add 198.51.100.2/24 dev lte0
tresse <<'END' >"$tmp/out" 2>&1
/paths create adsl0 device=wan0 gateway=192.0.2.1 source=192.0.2.2/24 gateway6=none
/paths create lte device=lte0 gateway=198.51.100.1 source=198.51.100.2/24 gateway6=none
/classes create uplink path=adsl0 default=other
/classes/uplink create voice rate=1mbit burst=15k leaf="pfifo limit 5"
/classes/uplink create other rate=1mbit burst=15k
/classes/uplink/voice/match create sip proto=udp dport=5060
END
has 'a policy is applied' "$tmp/out" 'created'
# What everybody who is logged in is told, as wall(1) would.
wall=$tmp/wall
if [ -e /usr/bin/wall ]; then
	# shellcheck disable=SC2016 # it is the script's own
	printf '#!/bin/sh\necho "$1" >>%s\n' "$wall" >"$tmp/wall.sh"
	chmod 755 "$tmp/wall.sh"
	mount --bind "$tmp/wall.sh" /usr/bin/wall
fi
: >"$wall"
told() {
	if [ -e /usr/bin/wall ]; then
		check "$1" wait_for 3 grep -q "$2" "$wall"
	else
		skip "$1: no wall (make deps)"
	fi
}

now() { everything | sort >"$tmp/after"; }
is_before() { now && cmp -s "$tmp/before" "$tmp/after"; }
# back NAME: within a while the host is as before.
back() {
	wait_for 5 is_before
	same "$1" "$tmp/before" "$tmp/after"
}
watchers() { pgrep -f -- --confirm-watch; }
gone() { ! watchers >/dev/null; }
waits() { tresse -j status | grep -q '"on_trial"'; }
ended() { ! waits; }
# trial CHANGE COMMIT: gathered and committed.
trial() {
	printf 'begin\n%s\ncommit %s\n' "$1" "$2" | tresse
}
seconds() { echo $(((${EPOCHREALTIME/./} - from) / 1000000)); }
history_has() {
	local name=$1
	shift
	tresse history 1 >"$tmp/history"
	has "$name" "$tmp/history" "$@"
}
now
cp "$tmp/after" "$tmp/before"

# --- what cannot be ---------------------------------------------------------
run 2 'it needs a time' trial '/paths/adsl0 set description=x' until-healthy
has 'and says so' "$tmp/said" 'confirm=60s until-healthy'
run 2 'and more of it than it has to be well' \
	trial '/paths/adsl0 set description=x' 'confirm=5s until-healthy=5s'
run 2 'twice is once too much' \
	trial '/paths/adsl0 set description=x' \
	'confirm=5s until-healthy until-healthy=2s'
run 2 'a limit needs what it is for' \
	trial '/paths/adsl0 set description=x' 'confirm=5s loss=1%'
run 1 'nothing to measure: refused at once' \
	trial '/system set deadline=9s' 'confirm=20s until-healthy=2s'
has 'it says what could be' "$tmp/said" 'can be measured' 'gateways'
check 'nothing waits' ended
check 'and nothing was changed' is_before
tresse discard >/dev/null 2>&1

run 1 'what goes cannot be measured' \
	trial '/paths delete lte' 'confirm=20s until-healthy=2s'
has 'and says so' "$tmp/said" 'can be measured after it'
tresse discard >/dev/null 2>&1

# --- a good change ----------------------------------------------------------
from=${EPOCHREALTIME/./}
run 0 'a good change is committed' \
	trial '/classes/uplink/voice set rate=2mbit' \
	'confirm=30s until-healthy=3s reason="more voice"'
has 'it says what it waits for' "$tmp/said" 'is well for long enough'
tresse -j status >"$tmp/out"
has 'status shows that it waits' "$tmp/out" '"on_trial"'
check 'it is confirmed by itself' wait_for 15 ended
check 'long before its time' test "$(seconds)" -lt 15
check 'but not before it was well for so long' test "$(seconds)" -ge 3
history_has 'history says by what' 'more voice; confirmed by measurement: well for' \
	'gateway 192.0.2.1: answered in [0-9.]+ ms' 'device wan0: up'
tresse -j history 1 >"$tmp/out"
has 'also to programs' "$tmp/out" '"confirmed":"confirmed by measurement'
told 'everybody is told' 'is confirmed by measurement'
tresse /classes/uplink/voice get rate >"$tmp/out"
has 'what was committed stays' "$tmp/out" 2mbit
run 3 'nothing is left to confirm' tresse confirm
check 'the watcher has gone' wait_for 5 gone
tresse undo >/dev/null 2>&1
back 'and back'

# --- another gateway --------------------------------------------------------
run 0 'another gateway that answers' \
	trial '/paths/adsl0 set gateway=192.0.2.7' 'confirm=30s until-healthy=2s'
check 'is confirmed' wait_for 15 ended
history_has 'it was the new one that was asked' 'gateway 192.0.2.7: answered'
tresse undo >/dev/null 2>&1
back 'and back'

run 0 'a gateway that nobody has' \
	trial '/paths/adsl0 set gateway=192.0.2.99' 'confirm=5s until-healthy=2s'
check 'is not confirmed' wait_for 15 ended
back 'but undone'
history_has 'history names it, with figures' 'not healthy in 5s' \
	'/paths/adsl0 gateway 192.0.2.99: no answer in 1s'
told 'so is everybody' 'undone, not healthy: .*192.0.2.99: no answer'

# --- what is cut meanwhile --------------------------------------------------
run 0 'a change, and then the gateway goes' \
	trial '/classes/uplink/voice set rate=2mbit' \
	'confirm=12s until-healthy=8s'
far ip addr del 192.0.2.1/24 dev wan0
check 'status tells what is ill' wait_for 4 sh -c \
	"tresse status | grep -q 'not healthy.*no answer in 1s'"
check 'it is undone' wait_for 25 ended
back 'as it was'
history_has 'for the gateway, which had answered' \
	'gateway 192.0.2.1: no answer in 1s' 'before: answered in'
far ip addr add 192.0.2.1/24 dev wan0

# --- a gateway that comes and goes ------------------------------------------
flap() {
	while :; do
		sleep 1.5
		far ip addr del 192.0.2.1/24 dev wan0
		sleep 1.5
		far ip addr add 192.0.2.1/24 dev wan0
	done
}
run 0 'a gateway that comes and goes' \
	trial '/classes/uplink/voice set rate=2mbit' \
	'confirm=10s until-healthy=4s'
flap &
flapping=$!
started+=("$flapping")
check 'does not count as well' wait_for 20 ended
kill "$flapping"
wait "$flapping" 2>/dev/null
far ip addr add 192.0.2.1/24 dev wan0 2>/dev/null
back 'it is undone'
history_has 'history says so' 'not healthy in 10s' 'no answer in 1s'

# --- a carrier that goes and comes between two readings ---------------------
run 0 'a carrier that is lost for a moment' \
	trial '/classes/uplink/voice set rate=2mbit' \
	'confirm=12s until-healthy=6s'
sleep 1.3
far sh -c 'ip link set wan0 down; ip link set wan0 up'
check 'is seen' wait_for 20 ended
back 'it is undone'
history_has 'with how often' 'carrier lost 1 time in'

# --- what was ill before ----------------------------------------------------
run 1 'a line that is dead already tells nothing' \
	sh -c 'ip link set lte1 down; printf "begin\n/paths/lte set metric=300\ncommit confirm=20s until-healthy\n" | tresse'
has 'and it says what was ill' "$tmp/said" 'lte.*no carrier' 'confirm=60s'
tresse discard >/dev/null 2>&1
ip link set lte1 up
run 0 'of a line whose gateway is dead the rest is measured' \
	trial '/paths/lte set metric=300' 'confirm=20s until-healthy=2s'
has 'the gateway is listed' "$tmp/said" \
	'/paths/lte gateway 198.51.100.1: no answer in 1s: is so before'
check 'and is not waited for' wait_for 10 ended
history_has 'it is confirmed' 'confirmed by measurement: .*/paths/lte device lte0: up'
tresse undo >/dev/null 2>&1
back 'and back'

# --- a class that lets nothing through --------------------------------------
knows '' 192.0.2.1 02:00:00:00:00:01
start "$tmp/voice" "$build/traffic" send 600 \
	udp,to=192.0.2.1,dport=5060,size=200,rate=200000
voice=$(tresse -j /classes/uplink/voice get classid | grep -o '1:[0-9a-f]*' |
	head -n 1)
sent() { class_count wan0 "$voice" | { read -r _ n && [ "${n:-0}" -gt 20 ]; }; }
if wait_for 5 sent; then
	run 0 'a class with next to no rate' \
		trial '/classes/uplink/voice set rate=8bit burst=200 cburst=200' \
		'confirm=8s until-healthy=3s'
	check 'is undone' wait_for 20 ended
	history_has 'for what it dropped' '/classes/uplink/voice packets:' \
		'dropped' 'before: 0 of [0-9]+ packets dropped'
else
	cat "$tmp/voice"
	not_ok 'there is traffic to be dropped'
fi
knows far 192.0.2.2 02:00:00:00:00:02
stop "$pid"
forget 2>/dev/null

# --- what dies --------------------------------------------------------------
mkfifo "$tmp/typed"
exec 9<>"$tmp/typed"
script -qefc tresse "$tmp/script" <&9 >"$tmp/screen" 2>&1 &
started+=("$!")
printf 'begin\n/classes/uplink/voice set rate=3mbit\ncommit confirm=40s until-healthy=3s\n' >&9
check 'a shell commits' wait_for 10 waits
kill -9 "$(pgrep -x tresse | head -n 1)"
exec 9>&-
check 'it is killed, and the commit confirmed all the same' wait_for 15 ended
history_has 'by measurement' 'confirmed by measurement'
tresse undo >/dev/null 2>&1

run 0 'a commit' trial '/classes/uplink/voice set rate=3mbit' \
	'confirm=4s until-healthy=3s'
# shellcheck disable=SC2046
kill -9 $(watchers)
sleep 4.2
check 'whose watcher is killed still waits' waits
run 0 'the next start undoes it' tresse restoreconfig
check 'as ever' ended

# --- who makes it -----------------------------------------------------------
ip route add default via 192.0.2.1 dev wan0
cut='/paths/adsl0 set gateway=192.0.2.7'
export SSH_CONNECTION='203.0.113.9 50022 192.0.2.2 22'
run 1 'measurement does not confirm what cuts off who made it' \
	trial "$cut" 'confirm=20s until-healthy=2s'
has 'it is refused' "$tmp/said" 'you are logged in from 203.0.113.9'
unset SSH_CONNECTION
tresse discard >/dev/null 2>&1
finish
