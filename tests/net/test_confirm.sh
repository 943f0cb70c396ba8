#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# A commit with confirm= undoes itself unless it is confirmed, whatever dies
# meanwhile; and what two people change at the same time.
. "$(dirname "$0")/lib.sh"

type -P sqlite3 >/dev/null || skip_all 'no sqlite3 (make deps)'
uplink
cat >"$tmp/first" <<'END'
/paths create adsl0 device=wan0 gateway=192.0.2.1 source=192.0.2.2/24
/classes create uplink path=adsl0 default=other
/classes/uplink create voice rate=1mbit burst=15k leaf="pfifo limit 30"
/classes/uplink create bulk rate=1mbit burst=15k
/classes/uplink create other rate=1mbit burst=15k
/classes/uplink/voice/match create sip proto=udp dport=5060
END
# Something of everything: routes, classes, marks; made, changed, deleted.
cat >"$tmp/second" <<'END'
begin
/paths/adsl0 set gateway=192.0.2.7
/classes/uplink/voice set rate=2mbit leaf="bfifo limit 30000"
/classes/uplink/voice/match/sip set dport=5061
/classes/uplink delete bulk
/classes/uplink create web rate=3mbit burst=15k
END
second() {
	{
		cat "$tmp/second"
		echo "$1"
	} | tresse
}

now() { everything >"$tmp/after"; }
is_before() { now && cmp -s "$tmp/before" "$tmp/after"; }
is_second() { now && cmp -s "$tmp/applied" "$tmp/after"; }
watchers() { pgrep -f -- --confirm-watch; }
trials() { sqlite3 -readonly -cmd '.timeout 5000' "$TRESSE_STORE" \
		'SELECT count(*) FROM trial'; }
# back NAME: within a while the host is as before, and nothing waits.
back() {
	wait_for 20 is_before
	same "$1: tc, nft and routes are as before" "$tmp/before" "$tmp/after"
	is "$1: nothing waits any more" "$(trials)" 0
}
# go_back: to the first policy by hand.
go_back() {
	tresse undo >/dev/null 2>&1
	check 'and back' is_before
}

run 0 'the first policy is applied' tresse <"$tmp/first"
everything >"$tmp/before"

run 0 'a commit waits for its confirmation' second 'commit confirm=6s'
has 'it says until when' "$tmp/said" 'undone at .*confirm'
everything >"$tmp/applied"
check 'meanwhile it is applied' test "$(trials)" = 1
check 'and it is another state' \
	sh -c "! cmp -s '$tmp/before' '$tmp/applied'"
run 0 'status tells of it' tresse status
has 'with the seconds that are left' "$tmp/said" 'on trial.*in [1-6] s'
back 'nobody confirms'
tresse history 1 >"$tmp/out"
has 'history says why' "$tmp/out" 'tresse.*not confirmed in 6s'
run 3 'it is too late to confirm' tresse confirm

run 0 'once more' second 'commit confirm=6s reason="by hand"'
run 0 'somebody confirms' tresse confirm
sleep 6.5
check 'what is confirmed stays' is_second
is 'nothing waits' "$(trials)" 0
tresse history 1 >"$tmp/out"
has 'history has the reason' "$tmp/out" 'by hand'
go_back

# --- the shell dies ---------------------------------------------------------
mkfifo "$tmp/typed"
exec 9<>"$tmp/typed"
script -qefc tresse "$tmp/script" <&9 >"$tmp/screen" 2>&1 &
started+=("$!")
cat "$tmp/second" >&9
echo 'commit confirm=8s' >&9
check 'a shell commits' wait_for 10 is_second
shell=$(pgrep -x tresse | head -n 1)
kill -9 "$shell"
exec 9>&-
check 'the shell is dead' wait_for 5 sh -c "! kill -0 $shell 2>/dev/null"
check 'what it committed runs' is_second
back 'a shell that was killed'

# --- so does one with a candidate -------------------------------------------
exec 9<>"$tmp/typed"
script -qefc tresse "$tmp/script" <&9 >"$tmp/screen" 2>&1 &
started+=("$!")
printf 'begin\n/classes/uplink/voice set rate=900kbit\n' >&9
kept() {
	sqlite3 -readonly -cmd '.timeout 5000' "$TRESSE_STORE" \
		'SELECT text FROM candidate' |
		grep -q 'voice set rate=900kbit'
}
check 'a candidate is kept at once' wait_for 10 kept
run 3 'it belongs to its session' tresse commit
shell=$(pgrep -x tresse | head -n 1)
kill -9 "$shell"
exec 9>&-
check 'the shell is dead' wait_for 5 sh -c "! kill -0 $shell 2>/dev/null"
printf 'begin\ndiff\n' >"$tmp/resume"
run 0 'the next session takes it up' tresse <"$tmp/resume"
has 'as it was' "$tmp/said" 'voice rate: 1mbit -> 900kbit'
run 0 'and may discard it' tresse discard
check 'nothing was changed' is_before

# --- the watcher dies -------------------------------------------------------
run 0 'a commit waits' second 'commit confirm=4s'
# shellcheck disable=SC2046
kill -9 $(watchers)
sleep 4.5
check 'without a watcher it still runs' is_second
run 0 'a reader works' tresse ls
has 'and is told' "$tmp/said" 'not confirmed in time'
run 0 'the next start undoes it' tresse restoreconfig
back 'the watcher was killed'

run 0 'a commit waits' second 'commit confirm=4s'
# shellcheck disable=SC2046
kill -9 $(watchers)
sleep 4.2
run 0 'so does any change' tresse /paths/adsl0 set description=later
has 'that says so' "$tmp/said" 'was not confirmed in time; it was undone'
run 0 'the change is made' tresse /paths/adsl0 get description
has 'after it' "$tmp/said" later
tresse undo >/dev/null 2>&1
check 'the change is undone alone' is_before

# --- a reboot ---------------------------------------------------------------
run 0 'a commit waits for an hour' second 'commit confirm=1h'
# shellcheck disable=SC2046
kill -9 $(watchers)
sqlite3 -cmd '.timeout 10000' "$TRESSE_STORE" "UPDATE trial SET boot = 'of yesterday'"
tc qdisc del dev wan0 root
run 0 'the service starts after the boot' tresse restoreconfig
back 'the machine was rebooted'

# --- a commit that fails ----------------------------------------------------
if type -P strace >/dev/null; then
	{
		cat "$tmp/second"
		echo 'commit confirm=1h'
	} >"$tmp/batch"
	strace -qq -e trace=sendmsg,sendto,sendmmsg -o "$tmp/calls" \
		-e inject=sendmsg,sendto,sendmmsg:error=ENOBUFS:when=9 \
		tresse <"$tmp/batch" >"$tmp/out" 2>&1
	back 'a commit that failed'
	is 'there is no watcher' "$(watchers)" ''
	strace -qq -e trace=sendmsg,sendto,sendmmsg -o "$tmp/calls" \
		-e inject=sendmsg,sendto,sendmmsg:signal=KILL:when=9 \
		tresse <"$tmp/batch" >"$tmp/out" 2>&1
	run 0 'a commit that was killed' tresse restoreconfig
	back 'a commit that was killed'
	tresse discard >/dev/null 2>&1
else
	skip 'a commit that fails: no strace (make deps)'
fi

# --- a second commit in the window ------------------------------------------
run 0 'a commit waits' second 'commit confirm=6s'
run 5 'nobody else changes anything' tresse /paths/adsl0 set description=x
has 'and is told who waits' "$tmp/said" 'revision .* root'
printf 'begin\n/paths/adsl0 set description=x\ncommit confirm=14s\n' >"$tmp/join"
run 0 'unless they join' tresse <"$tmp/join"
sleep 6.3
is 'the time begins anew' "$(trials)" 1
back 'both'

run 0 'a commit waits' second 'commit confirm=1h'
run 0 'undo ends it at once' tresse undo
back 'undo'
run 0 'a change is free again' tresse /paths/adsl0 set description=x
tresse undo >/dev/null 2>&1

# --- two at once ------------------------------------------------------------
# candidate LINE: gathered, and left over by a session that is gone.
candidate() {
	printf 'begin\n%s\n' "$1" | tresse >/dev/null 2>&1
}
candidate '/classes/uplink/voice set rate=900kbit'
run 0 'somebody else changes another thing' \
	tresse /classes/uplink/bulk set rate=800kbit
run 0 'the candidate is merged' tresse commit
has 'which is said' "$tmp/said" 'Others changed'
tresse /classes/uplink/bulk get rate >"$tmp/out"
tresse /classes/uplink/voice get rate >>"$tmp/out"
has 'both are there' "$tmp/out" 800kbit 900kbit

candidate '/classes/uplink/voice set rate=700kbit'
run 0 'somebody else changes the same' \
	tresse /classes/uplink/voice set rate=600kbit
everything >"$tmp/before"
store >"$tmp/store.before"
run 6 'the candidate clashes' tresse commit
has 'path, values and author are told' "$tmp/said" \
	'/classes/uplink/voice: rate: yours 700kbit, theirs 600kbit \(root'
check 'nothing was done' is_before
run 0 'unless it is to overrule them' tresse commit clashes=mine
tresse /classes/uplink/voice get rate >"$tmp/out"
has 'which it does' "$tmp/out" 700kbit

candidate '/classes/uplink/voice set rate=710kbit'
tresse /classes/uplink/voice set rate=600kbit >/dev/null 2>&1
run 6 'the next one clashes again' tresse commit
run 0 'the candidate is still there' tresse discard
has 'with its change' "$tmp/said" '1 change'

tresse diff kernel >"$tmp/out" 2>&1
has 'store and host agree in the end' "$tmp/out" 'No difference'
finish
