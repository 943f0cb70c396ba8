#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# A change that fails at any place is undone, and one that is cut off there is
# undone at the next start. strace makes it fail: the first message to the kernel
# does not go out, then only the second, and so on.
. "$(dirname "$0")/lib.sh"

type -P strace >/dev/null || skip_all 'no strace (make deps)'
uplink
cat >"$tmp/first" <<'END'
/paths create adsl0 device=wan0 gateway=192.0.2.1 source=192.0.2.2/24
/classes create uplink path=adsl0 default=other
/classes/uplink create voice rate=1mbit burst=15k leaf="pfifo limit 30"
/classes/uplink create bulk rate=1mbit burst=15k
/classes/uplink create other rate=1mbit burst=15k
/classes/uplink create mail rate=1mbit burst=15k classid=1:25
/classes/uplink/mail/match create smtp proto=tcp dport=25
/classes/uplink/voice/match create sip proto=udp dport=5060
END
# Something of everything: added, changed, replaced, deleted.
cat >"$tmp/second" <<'END'
/paths/adsl0 set gateway=192.0.2.7
/paths create lte0 device=lo gateway=onlink source=none
/classes/uplink/voice set rate=2mbit leaf="bfifo limit 30000"
/classes/uplink/voice/match/sip set dport=5061
/classes/uplink delete bulk
/classes/uplink create web rate=3mbit burst=15k
/classes/uplink/web create site rate=1mbit burst=15k leaf="pfifo limit 9"
/classes/uplink/web/site/match create marked mark=41
/classes/uplink delete mail
/classes/uplink set shards=2-3
/classes/uplink/web create mail rate=1mbit burst=15k classid=1:25
/classes/uplink/web/mail/match create smtp proto=tcp dport=25
END
# What arrives, where this kernel has ifbs.
if ip link add probe0 type ifb 2>/dev/null; then
	ip link del probe0
	cat >>"$tmp/first" <<-'END'
	/classes create down device=wan0 direction=down default=rest
	/classes/down create rest rate=1mbit burst=15k
	/classes/down/rest/match create all proto=udp
	END
	cat >>"$tmp/second" <<-'END'
	/classes/down/rest/match/all set proto=tcp
	/classes/down create more rate=1mbit burst=15k
	/classes create arriving device=lo direction=down default=rest
	/classes/arriving create rest rate=1mbit burst=15k
	/classes/arriving/rest/match create all proto=udp
	END
fi
run 0 'the first policy is applied' tresse <"$tmp/first"
everything >"$tmp/before"
store >"$tmp/store.before"

# Of the program itself: what it rehearses elsewhere, in a child, does not count.
traced() {
	strace -qq -e trace=sendmsg,sendto,sendmmsg -o "$tmp/calls" "$@"
}
# How many there are, in a run that succeeds, which is then taken back.
run 0 'the second policy is applied' traced tresse <"$tmp/second"
everything >"$tmp/applied"
calls=$(grep -cE 'send(msg|to|mmsg)\(' "$tmp/calls")
check 'it takes some messages' test "$calls" -ge 5
tresse clearconfig confirm=yes >/dev/null 2>&1
tresse <"$tmp/first" >/dev/null 2>&1
everything >"$tmp/after"
same 'and can be taken back' "$tmp/before" "$tmp/after"
store >"$tmp/store.before"

# as_before WHAT
as_before() {
	everything >"$tmp/after"
	if ! diff -u --label before --label after "$tmp/before" "$tmp/after"; then
		not_ok "$1: the host is as it was"
		return 1
	fi
	store >"$tmp/store.after"
	diff -u --label before --label after "$tmp/store.before" \
		"$tmp/store.after" && return
	not_ok "$1: the store is as it was"
	return 1
}
again() {
	tresse clearconfig confirm=yes >/dev/null 2>&1
	tresse <"$tmp/first" >/dev/null 2>&1
	store >"$tmp/store.before"
}

# Messages that do not go out.
undone_at_each() {
	local n status undone=0

	for ((n = 1; n <= calls; n++)); do
		status=0
		traced -e inject=sendmsg,sendto,sendmmsg:error=ENOBUFS:when=$n \
			tresse <"$tmp/second" >"$tmp/out" 2>&1 || status=$?
		if [ $status = 0 ]; then
			# It could do without that one.
			again
			continue
		fi
		if [ $status != 1 ]; then
			cat "$tmp/out"
			not_ok "message $n fails: exit status 1 (got $status)"
		fi
		if as_before "message $n fails"; then
			undone=$((undone + 1))
		else
			again
		fi
	done
	check "a failure at each of $calls messages is undone ($undone)" \
		test "$undone" -ge 5
}
undone_at_each

# The process dies instead. Once it is in the store, the change stands.
undone=0 stands=0
for ((n = 1; n <= calls; n++)); do
	traced -e inject=sendmsg,sendto,sendmmsg:signal=KILL:when=$n \
		tresse <"$tmp/second" >"$tmp/out" 2>&1
	# Whoever writes next finds it, and puts it right.
	run 0 "killed at message $n: the next start works" tresse restoreconfig
	everything >"$tmp/after"
	if cmp -s "$tmp/after" "$tmp/applied"; then
		stands=$((stands + 1))
		run 0 "killed at message $n: store and host agree" \
			tresse restoreconfig
		has "killed at message $n: nothing is left to do" "$tmp/said" \
			'nothing to change'
		again
	elif as_before "killed at message $n"; then
		undone=$((undone + 1))
	else
		again
	fi
done
check "a death at any message is undone ($undone), or stands ($stands)" \
	test $((undone + stands)) = "$calls" -a "$undone" -ge 5
# So many steps that the store is written while the kernel is busy.
for ((i = 1; i <= 120; i++)); do
	echo "/classes/uplink create many$i rate=10kbit burst=15k leaf=\"pfifo limit $i\""
done >"$tmp/second"
again
everything >"$tmp/before"
run 0 '120 classes more' traced tresse <"$tmp/second"
calls=$(grep -cE 'send(msg|to|mmsg)\(' "$tmp/calls")
again
undone_at_each
finish
