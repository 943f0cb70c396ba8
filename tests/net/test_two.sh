#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# Two administrators and more: idle shells hold nothing, readers never wait, who
# waits is told for whom. What their terminals show: tests/term/two.in.
. "$(dirname "$0")/lib.sh"

uplink
run 0 'there is something to look at' \
	tresse /paths create home device=wan0 gateway=192.0.2.1 up=10mbit

# Fifty shells at their prompts, each in a terminal of its own. Their input is a
# pipe that nobody writes to.
mkfifo "$tmp/silence"
sleep 600 >"$tmp/silence" &
started+=($!)
for ((n = 0; n < 50; n++)); do
	TERM=xterm script -qefc tresse "$tmp/shell$n" <"$tmp/silence" \
		>/dev/null 2>&1 &
	started+=($!)
done
at_prompt() {
	[ "$(grep -laE '/(.\[[0-9;?]*[a-zA-Z])*> ' "$tmp"/shell* | wc -l)" = 50 ]
}
if wait_for 60 at_prompt; then
	ok 'fifty shells are open'
else
	not_ok "fifty shells are open: $(grep -laE '/> ' "$tmp"/shell* | wc -l)"
fi

free() { [ ! -e "$TRESSE_STORE-lock" ] || flock -n "$TRESSE_STORE-lock" true; }
check 'and none of them holds the lock' free
cat >"$tmp/batch" <<'END'
/classes create u path=home default=rest
/classes/u create voice rate=1mbit
/classes/u create rest rate=9mbit
END
run 0 'a batch commits beside them' timeout 20 tresse -f "$tmp/batch"
check 'and did not wait for anybody' test -z "$(grep waiting "$tmp/err")"
run 0 'what reads does, too' timeout 20 tresse ls

# Somebody who takes five seconds over the first message to the kernel, with the
# lock in hand.
type -P strace >/dev/null || {
	skip 'who waits: no strace (make deps)'
	finish
}
start "$tmp/slow" strace -o /dev/null \
	-e inject=sendto:delay_enter=5000000:when=1 \
	tresse /classes/u/voice set rate=2mbit
held() { ! free; }
check 'somebody holds the lock' wait_for 10 held
holder=$(sed -n 's/^pid \([0-9]*\),.*/\1/p' "$TRESSE_STORE-lock")
is 'its file says which process' "$(cat "/proc/$holder/comm")" tresse
run 0 'a reader does not wait for it' timeout 2 tresse /classes ls
check 'and is not told to' test ! -s "$tmp/err"
run 0 'get does not' timeout 2 tresse /classes/u/voice get rate
has 'and sees what was there before' "$tmp/out" 'rate=1mbit'
run 0 'who writes waits, and gets there' \
	timeout 20 tresse /classes/u/rest set rate=8mbit
has 'is told for whom: pid, user, since when, doing what' "$tmp/err" \
	"waiting for pid $holder, root, since 20[0-9T:+-]*, set"
wait "$pid"
run 0 'both changes are there' tresse /classes/u ls
has 'the one' "$tmp/out" 'voice .*2mbit'
has 'and the other' "$tmp/out" 'rest .*8mbit'

# Ctrl-C ends the waiting, and changes nothing.
start "$tmp/slow" strace -o /dev/null \
	-e inject=sendto:delay_enter=5000000:when=1 \
	tresse /classes/u/voice set rate=1mbit
check 'somebody holds the lock again' wait_for 10 held
timeout -s INT 2 tresse /classes/u/rest set rate=7mbit >"$tmp/out" 2>"$tmp/err"
is 'Ctrl-C ends the waiting' $? 124
wait "$pid"
run 0 'which changed nothing' tresse /classes/u/rest get rate
has 'it is as it was' "$tmp/out" 'rate=8mbit'
finish
