#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# The example policy on a device: it is the magazine's tree, a second run sends
# nothing, and taking it away leaves the host as it was.
. "$(dirname "$0")/lib.sh"
# shellcheck source=magazine.sh
. "$root/tests/net/magazine.sh"

policy=$root/man/examples/adsl.tresse
queue=(pfifo limit 127)
! has_qdisc sfq || queue=(sfq perturb 10)

uplink
everything >"$tmp/before"

run 0 'adsl.tresse is applied' tresse <"$policy"
cp "$tmp/err" "$tmp/err.first"

# The same by hand, on a device of the same name elsewhere.
ip netns add paper
ip -n paper link add wan0 txqlen 1000 numtxqueues 1 numrxqueues 1 \
	type veth peer name other
ip -n paper link set wan0 up
export -f magazine_tree tree
ip netns exec paper bash -c 'magazine_tree wan0 "$@"' - "${queue[@]}"
ip netns exec paper bash -c 'tree wan0' |
	without_inner_linklayer >"$tmp/paper"
tree wan0 | without_inner_linklayer >"$tmp/ours"
same "the tree is the one that the magazine's tc commands make" \
	"$tmp/paper" "$tmp/ours"
check 'the example has eleven classes and eight queues' \
	test "$(grep -c '^class htb' "$tmp/ours") $(grep -c '^qdisc' \
		"$tmp/ours")" = '11 9'
tc -d class show dev wan0 >"$tmp/classes"
has 'the branches count cells as well' "$tmp/classes" \
	'^class htb 1:1 .*linklayer atm' '^class htb 1:40 .*linklayer atm'

# Again: nothing changes, and nothing is sent.
everything >"$tmp/state.before"
store >"$tmp/store.before"
for monitor in tc ip nft; do
	start "$tmp/$monitor.events" $monitor monitor
done
# mark N: something that each of them tells; and shown N: they have.
mark() {
	ip link set lo mtu $((65000 + $1))
	tc qdisc replace dev lo root pfifo limit $((65000 + $1))
	nft add table inet mark$((65000 + $1))
}
shown() {
	local monitor

	for monitor in tc ip nft; do
		grep -q $((65000 + $1)) "$tmp/$monitor.events" || return
	done
}
listening() {
	mark 1
	shown 1 && return
	nft delete table inet mark65001
	ip link set lo mtu 65536
	tc qdisc del dev lo root
	return 1
}
# between N M: what they told from that mark to that one, without its numbers.
between() {
	sed -n "/$((65000 + $2))/,/$((65000 + $3))/p" "$tmp/$1.events" |
		sed 's/[0-9a-f]*[0-9][0-9a-f]*/N/g'
}
check 'the monitors see what somebody else does' wait_for 5 listening
for n in 2 3 4; do mark $n; done
check 'one after the other' wait_for 5 shown 4
mark 5
run 0 'a second run succeeds' tresse <"$policy"
has 'it says that nothing had to change' "$tmp/said" \
	'nothing to change'
mark 6
check 'they see what comes after it' wait_for 5 shown 6
for n in 1 2 3 4 5 6; do nft delete table inet mark$((65000 + n)); done
ip link set lo mtu 65536
tc qdisc del dev lo root
everything >"$tmp/state.after"
same 'it changes nothing on the host' "$tmp/state.before" "$tmp/state.after"
store >"$tmp/store.after"
same 'it changes nothing in the store' "$tmp/store.before" "$tmp/store.after"
for monitor in tc ip nft; do
	between $monitor 3 4 >"$tmp/$monitor.expected"
	between $monitor 5 6 >"$tmp/$monitor.between"
	same "$monitor monitor saw nothing of it" "$tmp/$monitor.expected" \
		"$tmp/$monitor.between"
done

if type -P strace >/dev/null; then
	strace -qq -e trace=sendmsg,sendto,sendmmsg,write -o "$tmp/calls" \
		tresse <"$policy" >/dev/null 2>&1
	grep -E 'RTM_(NEW|DEL|SET)|NFT_MSG_(NEW|DEL)|NFNL_MSG_BATCH' \
		"$tmp/calls" >"$tmp/writes"
	is 'no netlink message of it is a write' "$(cat "$tmp/writes")" ''
	check 'it did look, by netlink' grep -q RTM_GET "$tmp/calls"
else
	skip 'no netlink message of it is a write: no strace'
fi

run 0 '/classes delete uplink' tresse /classes delete uplink
run 0 '/paths delete adsl0' tresse /paths delete adsl0
ip netns del paper
everything >"$tmp/after"
same 'the host is as it was found' "$tmp/before" "$tmp/after"
finish
