#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# In the middle of a change its device goes, comes back as another one, or gets
# another name: the change is undone, whole, and nobody has to help.
. "$(dirname "$0")/lib.sh"

type -P strace >/dev/null || skip_all 'no strace (make deps)'
uplink
cat >"$tmp/first" <<'END'
/paths create adsl0 device=wan0 gateway=192.0.2.1 source=192.0.2.2/24
/classes create uplink path=adsl0 default=other
/classes/uplink create voice rate=1mbit burst=15k leaf="pfifo limit 30"
/classes/uplink create other rate=1mbit burst=15k
END
cat >"$tmp/second" <<'END'
/classes/uplink/voice set rate=2mbit leaf="bfifo limit 30000"
/paths create lte0 device=lan0 gateway=198.51.100.1 source=198.51.100.2/24
/classes create second path=lte0 default=a
/classes/second create a rate=3mbit burst=15k
/classes/second create b rate=1mbit burst=15k leaf="pfifo limit 9"
/classes/second/a/match create m proto=udp dport=77
END
plug() {
	ip link add lan0 type veth peer name lan1
	ip link set lan0 addrgenmode none up
	ip link set lan1 addrgenmode none up
	ip addr add 198.51.100.2/24 dev lan0
}
gone() { ip link del lan0; }
renamed() {
	ip link set lan0 down
	ip link set lan0 name lan7
	ip link set lan7 up
}
# As a PPP session does that comes back: the same name, another number.
anew() {
	gone
	plug
}
# again: everything as at the beginning, but for numbers of devices.
again() {
	ip link del lan7 2>/dev/null
	ip link del lan0 2>/dev/null
	tresse restoreconfig "$tmp/first" force=yes >"$tmp/out" 2>&1 ||
		{ cat "$tmp/out"; not_ok 'back to the first policy'; }
	plug
	store >"$tmp/store"
}
plug
run 0 'the first policy is applied' tresse <"$tmp/first"
traced() { strace -qq -e trace=sendmsg,sendto,sendmmsg -o "$tmp/calls" "$@"; }
run 0 'the second one is applied' traced tresse <"$tmp/second"
calls=$(grep -cE 'send(msg|to|mmsg)\(' "$tmp/calls")
again

# amid HOW MESSAGE: it happens while the program stands still at that message.
amid() {
	local how=$1 n=$2 status=0 child tracer

	traced -e inject=sendmsg,sendto,sendmmsg:signal=STOP:when="$n" \
		tresse <"$tmp/second" >"$tmp/out" 2>&1 &
	tracer=$!
	stands() {
		child=$(pgrep -o -x tresse) || ! kill -0 "$tracer" 2>/dev/null || return
		[ -z "$child" ] || grep -qs '^State:.[Tt]' "/proc/$child/status"
	}
	stopped() { stands && sleep 0.05 && stands; }
	wait_for 20 stopped || not_ok "$how at message $n: it stands still"
	$how
	[ -z "$child" ] || kill -CONT "$child"
	wait "$tracer" || status=$?
	case $status in
	0) ;;
	1)
		undone=$((undone + 1))
		store >"$tmp/store.after"
		cmp -s "$tmp/store" "$tmp/store.after" ||
			not_ok "$how at message $n: the store is as it was"
		! { ip rule; ip route show table all; tc class show dev wan0
			nft list ruleset; } |
			grep -E '198.51.100.1|lookup 20001|2Mbit|second' ||
			not_ok "$how at message $n: nothing of it is left"
		;;
	*)
		cat "$tmp/out"
		not_ok "$how at message $n: exit status $status"
		;;
	esac
	if ! { tresse restoreconfig && tresse drift; } >"$tmp/out" 2>&1; then
		cat "$tmp/out"
		not_ok "$how at message $n: store and host agree"
	fi
	again
}
for how in renamed gone anew; do
	undone=0
	for ((n = 2; n <= calls; n += 4)); do
		amid $how $n
	done
	check "$how at each fourth of $calls messages is undone ($undone) or stands" \
		test $undone -ge 3
done
finish
