#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# What others change behind our back is named, and mended with nothing else
# touched.
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
run 0 'all agrees' tresse drift
has 'and it says so' "$tmp/out" 'agrees with the store\.'

# Strangers, elsewhere.
tc qdisc add dev lan0 root handle 7: htb default 1
tc class add dev lan0 parent 7: classid 7:1 htb rate 1mbit
ip rule add pref 77 from 198.51.100.7 lookup 77
ip route add 203.0.113.0/24 via 192.0.2.1 table 77
nft 'add table inet theirs; add chain inet theirs c; ' \
	'add rule inet theirs c counter'
strangers() {
	tree lan0
	ip rule show pref 77
	ip route show table 77
	nft list table inet theirs
}
strangers >"$tmp/strangers"
run 0 'what others have elsewhere is no drift' tresse drift

# Some traffic, for counters that stand.
ping -c 3 -i 0.2 -q 192.0.2.1 >/dev/null
other() { class_count wan0 "$other"; }
id() { tresse "/classes/uplink/$1" get classid | sed 's/classid=\([^ ]*\).*/\1/'; }
voice=$(id voice) bulk=$(id bulk) other=$(id other)
counted=$(other)
check "something was counted ($counted)" test "${counted%% *}" -gt 100

parent=$(tc class show dev wan0 | awk -v id="$bulk" '$3 == id { print $4 == "root" ? "1:" : $5 }')
tc class change dev wan0 parent "$parent" classid "$bulk" htb rate 3mbit
nft delete element inet tresse class_uplink '{ 10 }'
ip rule del from 192.0.2.2

run 1 'drift is exit status 1' tresse drift
cp "$tmp/out" "$tmp/drift"
is 'it names three things' "$(grep -c '^  repair' "$tmp/drift")" 3
has 'the class' "$tmp/drift" '^/classes/uplink/bulk: differs' \
	"repair +~ class wan0 $bulk rate 3mbit -> 1mbit"
has 'the element' "$tmp/drift" '^/classes/uplink/voice: is missing' \
	"wanted +nft class_uplink: 10 : $voice" 'found +nothing'
has 'the rule' "$tmp/drift" '^/paths/adsl0: is missing' \
	'wanted +rule .*from 192.0.2.2 lookup 20000'
has 'and what to do' "$tmp/drift" '3 differences; to mend it: repair'
run 1 'of one branch' tresse drift /classes/uplink/bulk
is 'that branch only' "$(grep -c '^  repair' "$tmp/out")" 1
run 0 'another one agrees' tresse drift /classes/uplink/other
run 1 'for programs' tresse -j drift
is 'as a document' "$(jq -r '.agrees, .whole, (.differences | map(.drift +
	" " + .path) | sort[])' "$tmp/out" | tr '\n' ' ')" \
	'false true differs /classes/uplink/bulk missing /classes/uplink/voice missing /paths/adsl0 '
run 0 'a dry repair' tresse -n repair
run 1 'mends nothing' tresse drift

before=$(other)
run 0 'repair' tresse repair
has 'takes three steps' "$tmp/err" '3 steps applied and read back'
run 0 'a second drift is clean' tresse drift
after=$(other)
check "the other class went on counting ($before, $after)" \
	test "${after%% *}" -ge "${before%% *}"
is 'the rate is back' "$(tc class show dev wan0 classid "$bulk" |
	grep -o 'rate [^ ]*')" 'rate 1Mbit'
strangers >"$tmp/after"
same 'strangers were not touched' "$tmp/strangers" "$tmp/after"

# A stranger within.
tc class add dev wan0 parent 1: classid 1:77 htb rate 2mbit
run 1 'a class of somebody else in our tree' tresse drift
has 'is called foreign' "$tmp/out" "foreign, in a place of Tresse's" \
	'found +class wan0 1:77' 'wanted +nothing'
run 0 'repair takes it out' tresse repair
run 0 'and all agrees' tresse drift
tc qdisc del dev wan0 root
run 1 'the whole tree is gone' tresse drift
has 'and named' "$tmp/out" '^/classes/uplink: is missing' 'wanted +root wan0'
run 0 'repair makes it again' tresse repair
run 0 'and all agrees again' tresse drift

# A candidate is no drift, and not what a repair applies.
tresse >"$tmp/out" 2>&1 <<'END'
begin
/classes/uplink/voice set ceil=2mbit
drift
END
is 'drift beside a candidate' "$?" 0
has 'is of what is stored' "$tmp/out" 'agrees with the store\.'
run 1 'repair waits for the candidate' tresse <<'END'
begin
/classes/uplink/voice set ceil=2mbit
repair
END
tresse <<'END' >/dev/null 2>&1
begin
discard
END

# Without privileges: a namespace's rights, but for its network.
lame() { setpriv --bounding-set=-net_admin --inh-caps=-net_admin "$@"; }
chmod 644 "$TRESSE_STORE"* 2>/dev/null
tc class change dev wan0 parent "$parent" classid "$bulk" htb rate 3mbit
run 1 'without rights it still sees the class' lame tresse drift
has 'and says what it cannot see' "$tmp/said" 'as far as it can be read' \
	'note: mark: '
run 4 'but does not mend it' lame tresse repair
run 0 'who may, does' tresse repair
finish
