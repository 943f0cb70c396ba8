#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# Where an undoing goes on failing, nothing else is changed; and there is a way
# out that says what it does.
. "$(dirname "$0")/lib.sh"

type -P strace >/dev/null || skip_all 'no strace (make deps)'
uplink
run 3 'where nothing waits to be undone' tresse give-up confirm=yes
has 'nothing can be given up' "$tmp/err" 'nothing to give up'
cat >"$tmp/first" <<'END'
/paths create adsl0 device=wan0 gateway=192.0.2.1 source=192.0.2.2/24
/classes create uplink path=adsl0 default=other
/classes/uplink create other rate=1mbit burst=15k
/classes/uplink create voice rate=1mbit burst=15k
/classes/uplink/voice/match create sip proto=udp dport=5060
END
run 0 'the first policy is applied' tresse <"$tmp/first"

# Somebody holds our table, and the kernel lets nobody else near it
# (NFT_TABLE_F_OWNER): no way to mend that but by ending that process.
mkfifo "$tmp/words"
hold() {
	exec 9<>"$tmp/words"
	nft -i <"$tmp/words" >"$tmp/holder" 2>&1 &
	holder=$!
	started+=("$holder")
	printf 'delete table inet tresse\nadd table inet tresse { flags owner; }\n' >&9
	wait_for 5 owned
}
owned() { nft list tables 2>/dev/null | grep -q tresse &&
	! nft list table inet tresse 2>&1 | grep -q 'chain\|Error'; }
release() {
	exec 9>&-
	stop "$holder"
}
on_trial() {
	tresse -c begin -c "/classes/uplink/other set rate=$1" \
		-c '/classes/uplink/voice/match/sip set dport=5061' \
		-c 'commit confirm=4s' >"$tmp/out" 2>&1
	# shellcheck disable=SC2046
	kill $(pgrep -f -- --confirm-watch)
}
rate() { tc class show dev wan0 | grep -c "rate $1 "; }

# --- a commit that nobody confirms, and cannot be undone ----------------------
run 0 'a commit waits for its confirmation' tresse -c begin \
	-c '/classes/uplink/other set rate=3mbit' -c 'commit confirm=1h'
run 1 'it cannot be given up before its time' tresse give-up confirm=yes
has 'and that is said' "$tmp/err" 'still waits'
tresse undo >/dev/null 2>&1
on_trial 2mbit
if ! hold; then
	release
	skip 'a table that another process holds: not with this nft'
	finish
fi
sleep 4
run 1 'what cannot be undone stands in the way of every change' \
	tresse /classes/uplink/voice set prio=1
has 'the way out is told' "$tmp/err" 'was not confirmed in time and could not be undone' \
	'Operation not permitted' 'help give-up'
run 1 'alone it says what it would do' tresse give-up
has 'about which revision, of whom' "$tmp/err" 'revision [0-9]+ of root' \
	'give-up confirm=yes'
is 'and does nothing' "$(rate 2Mbit)" 1
run 7 'it is given up, and that all is not well is no secret' \
	tresse give-up confirm=yes
has 'with the reason and what remains' "$tmp/err" 'gave up undoing revision' \
	'what runs stays' 'differs from the store in [0-9]+ places'
is 'the revision that was not confirmed runs on' "$(rate 2Mbit)" 1
run 0 'and is what the store says' tresse /classes/uplink/other get rate
has 'as if it had been confirmed' "$tmp/out" 'rate=2mbit'
run 1 'drift shows what is left' tresse drift
has 'each by its path' "$tmp/out" '^/classes/uplink: is missing'
run 3 'nothing is left to give up' tresse give-up confirm=yes
release
run 0 'once the cause is gone, changes are possible' \
	tresse /classes/uplink/voice set prio=1
run 0 'and the rest can be mended' tresse repair
run 0 'so that all agrees' tresse drift
tresse /classes/uplink/voice/match/sip set dport=5060 >/dev/null 2>&1

# --- a change that was cut off, and cannot be undone --------------------------
traced() {
	strace -qq -e trace=sendmsg,sendto,sendmmsg -o "$tmp/calls" "$@"
}
for ((n = 1; n < 60; n++)); do
	traced -e inject=sendmsg,sendto,sendmmsg:signal=KILL:when=$n \
		tresse /classes/uplink create more rate=3mbit >"$tmp/out" 2>&1
	[ "$(rate 3Mbit)" = 0 ] || break
	tresse restoreconfig >"$tmp/out" 2>&1
done 2>/dev/null
is 'a change dies in the middle' "$(rate 3Mbit)" 1
check 'and somebody holds the table' hold
run 7 'what it left cannot be undone' tresse /classes/uplink/voice set prio=2
has 'which is said' "$tmp/err" 'was cut off earlier and could not be undone' \
	'help give-up'
run 1 'nothing is given up unasked' tresse give-up
has 'and what it is, is told' "$tmp/err" 'a change that was cut off'
run 7 'it is given up' tresse give-up confirm=yes
has 'and said' "$tmp/err" 'gave up undoing a change that was cut off' \
	'differs from the store'
run 1 'drift still knows it all' tresse drift
release
run 0 'repair mends it' tresse repair
is 'what was cut off is gone' "$(rate 3Mbit)" 0
run 0 'and all agrees' tresse drift

# --- and where it can be undone after all -------------------------------------
everything >"$tmp/before"
on_trial 5mbit
sleep 4.2
run 0 'giving up tries first' tresse give-up confirm=yes
has 'and then gives up nothing' "$tmp/said" 'it could be undone'
everything >"$tmp/after"
same 'everything is as before' "$tmp/before" "$tmp/after"
finish
