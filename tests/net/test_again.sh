#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# The same once more: nothing is written, nothing is even planned, and yet
# nothing that somebody else changed stays unseen.
. "$(dirname "$0")/lib.sh"

type -P strace >/dev/null || skip_all 'no strace (make deps)'
uplink
cat >"$tmp/policy" <<'END'
/paths create adsl0 device=wan0 gateway=192.0.2.1 source=192.0.2.2/24
/classes create uplink path=adsl0 default=other
/classes/uplink create voice rate=1mbit burst=15k leaf="pfifo limit 30"
/classes/uplink create other rate=1mbit burst=15k
/classes/uplink/voice/match create sip proto=udp dport=5060
END

# What the program asks the kernel to change; looking is not counted.
again() {
	strace -qq -e trace=sendmsg,sendto,sendmmsg -o "$tmp/calls" \
		tresse <"$tmp/policy" >"$tmp/said" 2>&1 || return
	! grep -E 'RTM_(NEW|DEL|SET)|NFT_MSG_(NEW|DEL)' "$tmp/calls"
}
# Rules are not read where nftables counts no transaction since.
looks_at_rules() { grep -q NFT_MSG_GETRULE "$tmp/calls"; }
agrees() {
	has "$1" "$tmp/said" 'store and running system already say so'
}

run 0 'the policy is applied' tresse <"$tmp/policy"
everything >"$tmp/before"
store >"$tmp/store.before"
check 'the same again sends nothing that changes' again
agrees 'and says so'
check 'it need not read the rules' sh -c "! grep -q NFT_MSG_GETRULE '$tmp/calls'"
everything >"$tmp/after"
same 'all is as it was' "$tmp/before" "$tmp/after"
store >"$tmp/store.after"
same 'the store too' "$tmp/store.before" "$tmp/store.after"

# mended WHAT COMMAND...: somebody else does that, and the batch puts it right.
mended() {
	local what=$1
	shift

	"$@"
	everything >"$tmp/after"
	check "$what: it is another system now" \
		sh -c "! cmp -s '$tmp/before' '$tmp/after'"
	run 1 "$what: drift tells" tresse drift
	run 0 "$what: the batch again" tresse <"$tmp/policy"
	everything | sed 's/ handle [0-9]*//' >"$tmp/after"
	sed 's/ handle [0-9]*//' "$tmp/before" >"$tmp/expected"
	same "$what: it is put right" "$tmp/expected" "$tmp/after"
	check "$what: and then there is nothing to do" again
}
mended 'a class' tc class change dev wan0 classid 1:2 htb rate 7mbit ceil 7mbit
mended 'a queue' tc qdisc change dev wan0 parent 1:1 handle 101: pfifo limit 31
mended 'a rule too many' nft add rule inet tresse conn_uplink counter
mended 'an element' nft delete element inet tresse class_uplink '{ 2 }'
mended 'a route' ip route flush table 20000
mended 'a rule of routing' ip rule del table 20000

# A large batch is looked at while it is being read (model/early.h).
cp "$tmp/policy" "$tmp/small"
awk 'BEGIN { while (n++ < 900) print "# one of many lines" }' >>"$tmp/policy"
check 'a large batch again sends nothing that changes' again
agrees 'a large batch says so, too'
check 'nor reads the rules' sh -c "! grep -q NFT_MSG_GETRULE '$tmp/calls'"
check 'nor the classes, where the lines are run' \
	sh -c "! grep -q RTM_GETTCLASS '$tmp/calls'"
strace -f -qq -e trace=sendmsg,sendto -o "$tmp/calls" \
	tresse <"$tmp/policy" >"$tmp/said" 2>&1
check 'but somebody does' grep -q RTM_GETTCLASS "$tmp/calls"
mended 'large, a class' \
	tc class change dev wan0 classid 1:2 htb rate 7mbit ceil 7mbit
mended 'large, a queue' \
	tc qdisc change dev wan0 parent 1:1 handle 101: pfifo limit 31
mended 'large, a rule too many' nft add rule inet tresse conn_uplink counter
mended 'large, a route' ip route flush table 20000
{
	echo '/classes/uplink/voice set rate=3mbit'
	grep '^#' "$tmp/policy"
} >"$tmp/larger"
run 0 'a large batch that changes something' tresse <"$tmp/larger"
check 'is applied' sh -c 'tc class show dev wan0 | grep "1:1 " | grep -q 3Mbit'
run 1 'what is so no longer' tresse <"$tmp/policy"
has 'is told, by line' "$tmp/said" 'stdin:3: .*rate'
run 0 'undo' tresse undo
cp "$tmp/small" "$tmp/policy"

# ls tells from the seal that nothing differs, and otherwise what does.
rules_read() {
	strace -qq -e trace=sendmsg,sendto -o "$tmp/calls" tresse ls >"$tmp/out"
	grep -c NFT_MSG_GETRULE "$tmp/calls"
}
is 'ls reads the rules for their counters alone' "$(rules_read)" 1
check 'and tells of no error' sh -c "! grep -q ERROR '$tmp/out'"
tc class change dev wan0 classid 1:2 htb rate 7mbit ceil 7mbit
is 'where a class differs it compares them too' "$(rules_read)" 2
has 'and tells which' "$tmp/out" 'o- other .*ERROR.*rate 7mbit'
run 0 'it is mended' tresse repair

# What is not ours costs one more look, and no more.
nft add table inet other
check 'another table: nothing is changed' again
check 'another table: all is looked at' looks_at_rules
check 'another table: only once' again
check 'another table: and not again' sh -c "! grep -q NFT_MSG_GETRULE '$tmp/calls'"
ip addr add 192.0.2.77/32 dev wan0
check 'another address: nothing is changed' again
check 'another address: all is looked at' looks_at_rules
ip addr del 192.0.2.77/32 dev wan0

rm -f "$TRESSE_STORE-seal"
check 'without a seal: nothing is changed' again
check 'without a seal: all is looked at' looks_at_rules
echo 'nothing' >"$TRESSE_STORE-seal"
check 'a seal that is none: nothing is changed' again
check 'a seal that is none: all is looked at' looks_at_rules
check 'it is sealed again' again
check 'and need not read the rules' sh -c "! grep -q NFT_MSG_GETRULE '$tmp/calls'"

# What a hand did to the store is a change too.
sqlite3 -cmd '.timeout 10000' "$TRESSE_STORE" "update setting set value = '2mbit' where value = '1mbit'"
run 0 'a store that was edited by hand is applied' tresse repair
check 'its rates are the new ones' \
	sh -c 'tc class show dev wan0 | grep -q "rate 2Mbit"'
finish
