#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# A kernel that does not answer, at whatever place: the change is undone, or it is
# said that it could not be; and nobody waits for ever.
. "$(dirname "$0")/lib.sh"

type -P strace >/dev/null || skip_all 'no strace (make deps)'
uplink
cat >"$tmp/first" <<'END'
/system set deadline=300ms
/paths create adsl0 device=wan0 gateway=192.0.2.1 source=192.0.2.2/24
/classes create uplink path=adsl0 default=other
/classes/uplink create voice rate=1mbit burst=15k leaf="pfifo limit 30"
/classes/uplink create bulk rate=1mbit burst=15k
/classes/uplink create other rate=1mbit burst=15k
/classes/uplink/voice/match create sip proto=udp dport=5060
END
cat >"$tmp/second" <<'END'
/paths/adsl0 set gateway=192.0.2.7
/classes/uplink/voice set rate=2mbit leaf="bfifo limit 30000"
/classes/uplink/voice/match/sip set dport=5061
/classes/uplink delete bulk
/classes/uplink create web rate=3mbit burst=15k
END
run 0 'the first policy is applied' tresse <"$tmp/first"
run 1 'a deadline of nothing is refused' tresse /system set deadline=1ms
everything >"$tmp/before"
store >"$tmp/store.before"
as_before() {
	everything >"$tmp/after"
	diff -u --label before --label after "$tmp/before" "$tmp/after" &&
		store >"$tmp/store.after" &&
		diff -u --label before --label after "$tmp/store.before" \
			"$tmp/store.after"
}
back() {
	tresse clearconfig confirm=yes >/dev/null 2>&1
	tresse <"$tmp/first" >/dev/null 2>&1
	store >"$tmp/store.before"
}

# Only the program itself, not what it rehearses in a child.
traced() { strace -qq -o "$tmp/calls" "$@"; }
run 0 'the second policy is applied' traced -e trace=recvmsg,sendto tresse \
	<"$tmp/second"
calls=$(grep -c '^recvmsg(' "$tmp/calls")
sends=$(grep -c '^sendto(' "$tmp/calls")
back
check 'and taken back' as_before

# --- each answer in turn comes too late: it is thrown away --------------------
undone=0
for ((n = 1; n <= calls; n++)); do
	status=0
	traced -e trace=recvmsg -e inject=recvmsg:error=EAGAIN:when=$n \
		tresse <"$tmp/second" >"$tmp/out" 2>&1 || status=$?
	if [ $status = 0 ]; then
		back # it could do without that one
		continue
	fi
	if [ $status = 1 ] && as_before; then
		undone=$((undone + 1))
		grep -q 'did not answer within 0.3 s' "$tmp/out" ||
			not_ok "answer $n is late: it is said"
	else
		cat "$tmp/out"
		not_ok "answer $n is late: all is as before (got $status)"
		back
	fi
done
check "an answer that comes too late, at each of $calls, is undone ($undone)" \
	test "$undone" -ge 5

# --- a message that never reaches the kernel is never answered ----------------
undone=0
for ((n = 1; n <= sends; n++)); do
	status=0
	timeout 60 strace -qq -o "$tmp/calls" -e trace=sendto \
		-e inject=sendto:retval=1:when=$n \
		tresse <"$tmp/second" >"$tmp/out" 2>&1 || status=$?
	if [ $status = 0 ]; then
		back
		continue
	fi
	if [ $status = 1 ] && as_before; then
		undone=$((undone + 1))
	else
		cat "$tmp/out"
		not_ok "silence after message $n: all is as before (got $status)"
		back
	fi
done
check "silence after each of $sends messages is undone ($undone)" \
	test "$undone" -ge 5

# --- nor does it answer when it is to be undone -------------------------------
degraded=0
for ((n = 3; n <= calls; n += 4)); do
	status=0
	traced -e trace=recvmsg -e inject=recvmsg:error=EAGAIN:when=$n+ \
		tresse <"$tmp/second" >"$tmp/out" 2>&1 || status=$?
	case $status in
	7)
		degraded=$((degraded + 1))
		grep -q 'could not be put back.*did not answer' "$tmp/out" ||
			not_ok "silence from answer $n on: it is said"
		;;
	0 | 1) ;;
	*) not_ok "silence from answer $n on: exit status $status" ;;
	esac
	tresse restoreconfig >"$tmp/out" 2>&1 ||
		not_ok "silence from answer $n on: the next start works"
	[ $status != 0 ] || back
	as_before || not_ok "silence from answer $n on: the next start undoes it"
done
check "silence that lasts is exit status 7 ($degraded), and undone by the next start" \
	test "$degraded" -ge 2

# --- Ctrl-C and SIGTERM while it waits ----------------------------------------
run 0 'a longer deadline' tresse /system set deadline=2s
store >"$tmp/store.before"
ps -ef >/dev/null
for signal in INT TERM; do
	: >"$tmp/calls"
	# Two thirds on, the change is under way, and its steps are done.
	strace -qq -o "$tmp/calls" -e trace=sendto \
		-e inject=sendto:retval=1:when=$((sends * 2 / 3)) \
		tresse <"$tmp/second" >"$tmp/out" 2>&1 &
	tracer=$!
	check "SIG$signal: it waits for an answer" wait_for 10 \
		grep -q INJECTED "$tmp/calls"
	child=$(pgrep -P "$tracer")
	kill -s $signal "$child"
	wait "$tracer" 2>/dev/null
	check "SIG$signal: it was undone first" as_before
done
run 0 'store and host agree' tresse drift
finish
