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
for monitor in tc ip nft; do
	start "$tmp/$monitor.events" $monitor monitor
done
# They are listening when they tell of what we do to lo.
listening() {
	ip link set lo mtu 65535
	ip link set lo mtu 65536
	tc qdisc replace dev lo root pfifo
	tc qdisc del dev lo root
	nft add table inet probe
	nft delete table inet probe
	for monitor in tc ip nft; do
		[ -s "$tmp/$monitor.events" ] || return
	done
}
check 'the monitors see what somebody else does' wait_for 5 listening
sleep 0.3
for monitor in tc ip nft; do
	cp "$tmp/$monitor.events" "$tmp/$monitor.expected"
done
everything >"$tmp/state.before"
store >"$tmp/store.before"
run 0 'a second run succeeds' tresse <"$policy"
has 'it says that nothing had to change' "$tmp/said" \
	'nothing to change'
everything >"$tmp/state.after"
same 'it changes nothing on the host' "$tmp/state.before" "$tmp/state.after"
store >"$tmp/store.after"
same 'it changes nothing in the store' "$tmp/store.before" "$tmp/store.after"
sleep 0.2
for monitor in tc ip nft; do
	same "$monitor monitor saw nothing of it" "$tmp/$monitor.expected" \
		"$tmp/$monitor.events"
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
