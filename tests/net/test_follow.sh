#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# Who follows hears of every change at once, knows since when and by whom, and
# does what drift= says: tells, puts back, takes over, keeps silent.
. "$(dirname "$0")/lib.sh"

uplink
ip link add lan0 type veth peer name lan1
ip link set lan0 up
cat >"$tmp/policy" <<'END'
/paths create adsl0 device=wan0 gateway=192.0.2.1 source=192.0.2.2/24
/classes create uplink path=adsl0 default=other
/classes/uplink create voice rate=1mbit mark=10 leaf="pfifo limit 30"
/classes/uplink create bulk rate=1mbit mark=20
/classes/uplink create other rate=5mbit mark=30
/classes/uplink/voice/match create sip proto=udp dport=5060
/classes/uplink/bulk/match create web proto=tcp dport=80
END
run 0 'the policy is applied' tresse <"$tmp/policy"
id() { tresse "/classes/uplink/$1" get classid | sed 's/classid=\([^ ]*\).*/\1/'; }
voice=$(id voice) bulk=$(id bulk)
rate() {
	tc class show dev wan0 classid "$1" | grep -o 'rate [^ ]*' | cut -d' ' -f2
}
change() {
	tc class change dev wan0 parent 1: classid "$1" htb "${@:2}"
}
heard() { grep -qE -- "$1" "$tmp/log" 2>/dev/null; }
# times WORDS: how often it was told.
times() { grep -cE -- "$1" "$tmp/log"; }

# --- who does not follow does not know ---------------------------------------
change "$bulk" rate 3mbit
run 1 'a difference nobody followed' tresse drift
has 'has no time, and drift says why' "$tmp/out" \
	'since +unknown \(nobody follows'
run 3 'in a store that is not there nothing can be followed' \
	tresse --store "$tmp/none.db" follow
run 2 'there is no dry run of it' tresse -n follow
check 'who may not change the network may not follow' sh -c \
	"! setpriv --bounding-set=-net_admin --inh-caps=-net_admin \
		tresse follow 2>'$tmp/err'"
has 'and is told which right is missing' "$tmp/err" CAP_NET_ADMIN

# --- report -------------------------------------------------------------------
start "$tmp/log" tresse follow
follower=$pid
check 'what was there before is told at once' wait_for 5 heard "bulk: differs"
run 0 'status says that somebody follows' tresse -j status
is 'for programs' "$(jq .followed "$tmp/out")" true
run 5 'a second one is refused' tresse follow
has 'and told who follows' "$tmp/err" "process $follower follows"
run 1 'drift knows' tresse drift
has 'that it was there before' "$tmp/out" 'since +before [0-9:]+ \([0-9]+ s\)'
run 0 'repair by hand' tresse repair
check 'is heard, too' wait_for 5 heard 'bulk: agrees'

change "$bulk" rate 4mbit
check 'a change is heard' wait_for 5 heard 'rate 4mbit -> 1mbit.*by .*process'
ip rule del from 192.0.2.2
check 'a rule that goes' wait_for 5 heard '/paths/adsl0: differs: \+ rule'
nft delete element inet tresse class_uplink '{ 10 }'
check 'an element that goes, and who took it: nft says so itself' \
	wait_for 5 heard 'voice: differs: \+ nft class_uplink.*by nft'
tc class add dev wan0 parent 1: classid 1:77 htb rate 2mbit
check 'a class of a stranger' wait_for 5 heard '^[0-9:]+ differs: - class wan0 1:77'
run 1 'drift has them all' tresse -j drift
is 'with a time each, and who did it' "$(jq -r '.followed,
	(.differences | length), (.differences | all(.since_us > 0 and
	has("by") and .policy == "report"))' "$tmp/out" | tr '\n' ' ')" 'true 4 true '
since=$(jq -r '.differences[] | select(.path == "/classes/uplink/bulk").since_us' \
	"$tmp/out")
check 'which is now' test "$((${EPOCHREALTIME/./} - since))" -lt 60000000

# The same place once more: it differs since it began to.
change "$bulk" rate 5mbit
check 'another value is told' wait_for 5 heard 'rate 5mbit -> 1mbit'
tresse -j drift >"$tmp/out" 2>/dev/null
is 'but no new beginning' "$(jq -r '.differences[] |
	select(.path == "/classes/uplink/bulk").since_us' "$tmp/out")" "$since"

# Strangers' things elsewhere are no news, and cost no look.
lines=$(wc -l <"$tmp/log")
tc qdisc add dev lan0 root handle 7: htb default 1
ip route add 203.0.113.0/24 dev lan0
nft 'add table inet theirs; add chain inet theirs c'
ip link set lan0 down
run 0 'repair' tresse repair
check 'all agrees again' wait_for 5 heard '^[0-9:]+ agrees: tc class wan0 1:77'
is 'what others have elsewhere is no news' \
	"$(tail -n +"$((lines + 1))" "$tmp/log" | grep -vc ' agrees: ')" 0

# A change by Tresse itself is none either, also while it is under way.
lines=$(wc -l <"$tmp/log")
run 0 'a change of our own' tresse /classes/uplink/bulk set rate=2mbit
run 0 'and another one' tresse /classes/uplink create more rate=1mbit
sleep 0.5
is 'is no news' "$(wc -l <"$tmp/log")" "$lines"

# --- repair -------------------------------------------------------------------
run 0 'bulk is to be put back' tresse /classes/uplink/bulk set drift=repair
is_rate() { [ "$(rate "$1")" = "$2" ]; }
changed() { [ "$(times 'bulk: repaired')" = "$1" ]; }
change "$bulk" rate 3mbit
change "$voice" rate 3mbit
check 'it is, without anybody' wait_for 5 is_rate "$bulk" 2Mbit
check 'and told' wait_for 5 heard 'bulk: repaired: .*rate 3mbit -> 2mbit'
is 'the class beside it, which is not to be, stays as it was found' \
	"$(rate "$voice")" 3Mbit
for n in 2 3; do
	change "$bulk" rate 3mbit
	check "once more ($n)" wait_for 5 changed "$n"
done
change "$bulk" rate 3mbit
check 'a fourth time within the minute it is left' wait_for 5 heard \
	'bulk: left: put back 3 times'
change "$bulk" rate 7mbit
sleep 0.5
is 'and stays left, whatever comes' "$(rate "$bulk")" 7Mbit
is 'it was put back three times' "$(times 'bulk: repaired')" 3
run 1 'drift says so' tresse drift /classes/uplink/bulk
has 'with the reason' "$tmp/out" 'policy +repair' 'note +no longer put back'
run 0 'by hand it goes' tresse repair
is 'as ever' "$(rate "$bulk")" 2Mbit

# --- adopt --------------------------------------------------------------------
run 0 'voice is to be taken over' tresse /classes/uplink/voice set drift=adopt
change "$voice" rate 2mbit ceil 3mbit burst 20k prio 1
check 'what somebody sets becomes a setting' wait_for 5 heard \
	'voice: adopted: rate=2mbit ceil=3mbit burst=20k prio=1'
tc qdisc change dev wan0 parent "$voice" pfifo limit 77
check 'the queue, too' wait_for 5 heard 'voice: adopted: leaf=pfifo limit 77'
run 0 'in the store' tresse /classes/uplink/voice get rate ceil burst prio leaf
has 'as if it had been typed' "$tmp/out" 'rate=2mbit' 'ceil=3mbit' \
	'burst=20k' 'prio=1' 'leaf=pfifo limit 77'
run 0 'as a revision' tresse history 1
has 'that says why' "$tmp/out" 'tresse +adopted: leaf=pfifo limit 77'
run 0 'after which all agrees' tresse drift
run 0 'and undo takes it back' tresse undo
is 'in the kernel, too' "$(tc qdisc show dev wan0 | grep -o 'limit [0-9]*')" \
	'limit 30'
nft delete element inet tresse class_uplink '{ 10 }'
check 'what no setting can say is left' wait_for 5 heard \
	'voice: left: .*cannot be taken over'
run 1 'and remains a difference' tresse drift
has 'with the reason' "$tmp/out" 'policy +adopt' 'note .*cannot be taken over'
run 0 'repair mends it' tresse repair

# --- ignore -------------------------------------------------------------------
last() { tail -n 1 "$tmp/log" | grep -q "$1"; }
check 'voice agrees' wait_for 5 last 'voice: agrees: mark element'
run 0 'the whole tree is to be ignored' tresse -c \
	'/classes/uplink set drift=ignore' -c '/classes/uplink/bulk set drift=auto'
lines=$(wc -l <"$tmp/log")
change "$bulk" rate 9mbit
sleep 0.5
is 'nothing is told' "$(wc -l <"$tmp/log")" "$lines"
run 0 'drift counts no difference' tresse drift
has 'but says that something is ignored' "$tmp/out" '1 more where drift=ignore'
run 0 'repair by hand mends it all the same' tresse repair
is 'which it does' "$(rate "$bulk")" 2Mbit
run 0 'no more of that' tresse /classes/uplink set drift=repair

# --- what goes and comes ------------------------------------------------------
stop "$follower"
start "$tmp/log" tresse follow
follower=$pid
agrees() { tresse drift >"$tmp/out" 2>&1; }
run 0 'everything is to be put back' tresse -c '/system set drift=repair' \
	-c '/classes/uplink/voice set drift=auto'
ip link set wan0 down
check 'the routes go with the carrier' test -z "$(ip route show table 20000)"
ip link set wan0 up
check 'and are put back with it' wait_for 5 agrees
tc qdisc del dev wan0 root
tree_is_back() { [ "$(tc class show dev wan0 2>/dev/null | grep -c htb)" = 4 ]; }
check 'a whole tree that somebody took away is made again' \
	wait_for 5 heard 'uplink/more: repaired: \+ class'
check 'and all agrees' wait_for 5 agrees

# A device that goes, and comes back bare, as ppp0 does with each session.
ip link del wan0
check 'a device that is gone is no difference' wait_for 5 agrees
ip link add wan0 numtxqueues 1 numrxqueues 1 txqlen 1000 type veth peer name \
	wan0 netns far
ip addr add 192.0.2.2/24 dev wan0
ip link set wan0 up
far ip link set wan0 up
check 'and gets its classes when it comes back' wait_for 5 tree_is_back
check 'and its routes' wait_for 5 agrees
{ ip route show table 20000 && tc qdisc show dev wan0; } >"$tmp/back"
has 'both by that name' "$tmp/back" \
	'default via 192.0.2.1 dev wan0' 'qdisc htb 1: root'

# --- a storm ------------------------------------------------------------------
cat >"$tmp/storm" <<END
class change dev wan0 parent 1: classid $voice htb rate 2mbit ceil 3mbit burst 20k prio 1
END
for ((i = 0; i < 12; i++)); do cat "$tmp/storm" "$tmp/storm"; done >"$tmp/more"
for ((i = 0; i < 400; i++)); do cat "$tmp/more"; done >"$tmp/storm"
ticks() { awk '{ print $14 + $15 }' "/proc/$follower/stat"; }
from=$(ticks)
began=${EPOCHREALTIME/./}
tc -batch "$tmp/storm"
change "$bulk" rate 9mbit
check 'after a storm of 9,600 events the last change is found' \
	wait_for 10 heard 'rate 9mbit -> 2mbit'
took=$((${EPOCHREALTIME/./} - began)) used=$((($(ticks) - from) * 10000))
echo "the storm took $took us, and following it $used us of a processor"
check 'it is still there' kill -0 "$follower"

# --- the end ------------------------------------------------------------------
tresse repair >/dev/null 2>&1
kill "$follower"
wait "$follower"
run 0 'who stops leaves no difference' tresse drift
run 0 'and status says that nobody follows' tresse status
has 'and how' "$tmp/out" 'followed +by nobody \(follow\)'
change "$voice" rate 7mbit
run 1 'and what comes after' tresse drift
has 'has no time again' "$tmp/out" 'since +unknown \(nobody follows'
printf 'tresse drift 1\n\0\xff\nrubbish\t\t' >"$TRESSE_STORE-drift"
run 1 'rubbish in the place of its memory' tresse drift
has 'is no memory' "$tmp/out" 'since +unknown'
rm "$TRESSE_STORE-drift"
ln -s /etc/passwd "$TRESSE_STORE-drift"
start "$tmp/log" tresse follow
check 'who follows anew begins anew' wait_for 5 heard 'voice: differs'
check 'a link in its place is replaced, and not followed' wait_for 5 \
	test ! -L "$TRESSE_STORE-drift" -a -s "$TRESSE_STORE-drift"
finish
