#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# What is done beside (model/base/beside.h) may fail as anything else: each message
# of those threads that does not go out, each answer that is lost, each write to a
# full disk, each thread that cannot be had. The change is then made all the same,
# the long way, or refused with a sentence; and nothing is left of it.
. "$(dirname "$0")/lib.sh"

uplink
cat >"$tmp/first" <<'END'
/classes create u device=wan0 default=other
/classes/u create other rate=1mbit burst=15k
END
# So much that it is worth threads: probing, reading, writing ahead, looking early.
for ((i = 1; i <= 400; i++)); do
	echo "/classes/u create c$i rate=10kbit burst=15k"
	[ $((i % 20)) != 0 ] || echo "/classes/u/c$i/match create m proto=udp dport=$i"
done >"$tmp/second"
run 0 'the first policy is applied' tresse <"$tmp/first"
# Not all of /proc/sys each time: nothing here touches it.
all() {
	tree wan0
	tc filter show dev wan0 | sed 's/ id [0-9]* / /'
	nft -s list ruleset
	ip -o link show | cut -d: -f2
}
all >"$tmp/before"
store >"$tmp/store.before"
failing() { # WHAT:WHICH
	FAIL=$1 FAIL_COUNT=$tmp/count LD_PRELOAD=$build/fail.so \
		tresse <"$tmp/second"
}
again() {
	tresse clearconfig confirm=yes >/dev/null 2>&1
	tresse <"$tmp/first" >/dev/null 2>&1
	store >"$tmp/store.before"
}
run 0 'and the second' tresse <"$tmp/second"
all >"$tmp/applied"
again
all >"$tmp/after"
same 'and back' "$tmp/before" "$tmp/after"

# each WHAT LEAST: fails the first such call, the second, and so on; where there are
# many, some two dozen of them.
each() {
	local what=$1 calls n step status gone=0 stood=0 wrong=0 said=0

	run 0 "$what: counted" failing "$what:0"
	calls=$(cat "$tmp/count")
	check "$what: threads make such calls ($calls)" test "$calls" -ge "$2"
	again
	step=$((calls / 24 + 1))
	for ((n = 1; n <= calls; n += step)); do
		status=0
		failing "$what:$n" >"$tmp/out" 2>"$tmp/err" || status=$?
		all >"$tmp/after"
		store >"$tmp/store.after"
		if [ $status = 0 ] && cmp -s "$tmp/applied" "$tmp/after"; then
			stood=$((stood + 1))
			again
		elif [ $status = 1 ] && cmp -s "$tmp/before" "$tmp/after" &&
			cmp -s "$tmp/store.before" "$tmp/store.after"; then
			gone=$((gone + 1))
			grep -qE '^stdin: .*(cannot send to the kernel|no space left on its disk)' \
				"$tmp/err" && said=$((said + 1))
		else
			wrong=$((wrong + 1))
			echo "$what:$n ends with $status"
			head -n 5 "$tmp/err"
			diff "$tmp/before" "$tmp/after" | head -n 20
			diff "$tmp/store.before" "$tmp/store.after" | head -n 5
			again
		fi
	done
	is "$what: made all the same ($stood), or nothing is left ($gone)" \
		"$wrong" 0
	is "$what: each refusal says why" "$said" "$gone"
	last_gone=$gone last_stood=$stood
}
each send 2
check 'some were refused, or some went the long way' \
	test $((last_gone + last_stood)) -ge 2
each receive 2
each write 1
each thread 2
is 'without threads all is done' "$last_gone" 0
finish
