#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# A change of a class's own settings is one message: nothing else is read,
# repaired or overwritten, and yet it is rehearsed, read back and undone like any
# other. What comes of many of them is what comes of all at once.
. "$(dirname "$0")/lib.sh"

type -P strace >/dev/null || skip_all 'no strace (make deps)'
uplink
{
	echo '/paths create adsl0 device=wan0 gateway=192.0.2.1 source=192.0.2.2/24'
	echo '/classes create u path=adsl0 default=c1'
	echo '/classes/u create all rate=1gbit burst=100k'
	for ((i = 1; i <= 30; i++)); do
		echo "/classes/u/all create c$i rate=1mbit burst=15k"
		((i % 3)) || echo "/classes/u/all/c$i set leaf=\"pfifo limit 9\""
		echo "/classes/u/all/c$i/match create m proto=udp dport=$((i + 99))"
	done
} >"$tmp/policy"
run 0 'the policy is applied' tresse <"$tmp/policy"

# ours COMMAND...: its messages to this kernel, not those of the rehearsal.
ours() {
	strace -qq -e trace=sendmsg,sendto,sendmmsg -o "$tmp/calls" "$@"
}
sent() { grep -cE "$1" "$tmp/calls"; }

tree wan0 >"$tmp/before"
run 0 'a ceil is set' ours tresse /classes/u/all/c7 set ceil=3mbit
is 'by one message that changes something' \
	"$(sent 'RTM_(NEW|DEL)|NFT_MSG_(NEW|DEL)')" 1
is 'no class is dumped' "$(sent 'GETTCLASS.*DUMP')" 0
is 'nor a queue' "$(sent 'GETQDISC.*DUMP')" 0
is 'nor a rule' "$(sent NFT_MSG)" 0
tree wan0 | diff "$tmp/before" - | grep '^>' >"$tmp/changed"
is 'one class is another' "$(grep -c . "$tmp/changed")" 1
has 'it is that one' "$tmp/changed" 'class htb 1:8 .* ceil 3Mbit'
run 0 'all agrees' tresse drift
run 0 'the queue is changed in place' \
	ours tresse /classes/u/all/c9 set 'leaf=pfifo limit 77'
is 'by one message too' "$(sent 'RTM_(NEW|DEL)|NFT_MSG_(NEW|DEL)')" 1
run 0 'words are no message' ours tresse /classes/u/all/c9 set description=x
is 'none at all' "$(sent 'RTM_(NEW|DEL)|NFT_MSG_(NEW|DEL)')" 0
run 0 'all agrees again' tresse drift
strace -qq -e trace=sendmsg,sendto -o "$tmp/calls" tresse repair >/dev/null 2>&1
is 'the seal went along: no rule has to be read' "$(sent NFT_MSG_GETRULE)" 0

# What is wrong elsewhere stays wrong, and is told.
tc class change dev wan0 classid 1:b htb rate 5mbit ceil 5mbit
nft add rule inet tresse conn_u counter
run 0 'a change beside drift' ours tresse /classes/u/all/c7 set ceil=4mbit
is 'is one message' "$(sent 'RTM_(NEW|DEL)|NFT_MSG_(NEW|DEL)')" 1
run 1 'the drift is still told' tresse drift
has 'of the class' "$tmp/out" '/classes/u/all/c10: differs' 'rate 5mbit'
has 'and of the rule' "$tmp/out" foreign
has 'and nothing else' "$tmp/out" '2 differences'
check 'the class is as somebody left it' \
	sh -c 'tc class show dev wan0 | grep "1:b " | grep -q "rate 5Mbit"'
run 0 'repair mends it' tresse repair
run 0 'nothing is left' tresse drift
# ...and what is wrong in the very place is overwritten.
tc class change dev wan0 classid 1:8 htb rate 6mbit ceil 6mbit
run 0 'a change of the drifted class' tresse /classes/u/all/c7 set prio=1
run 0 'puts all of it right' tresse drift

# What cannot be done in place is for the whole.
run 0 'another sort of queue' tresse /classes/u/all/c9 set leaf=bfifo
run 0 'is there' tresse drift
tc class del dev wan0 classid 1:8 2>/dev/null
run 0 'a class that somebody deleted' tresse /classes/u/all/c7 set prio=2
run 0 'is made again' tresse drift
tc qdisc del dev wan0 root
run 0 'a tree that somebody deleted' tresse /classes/u/all/c7 set prio=3
run 0 'is made again, too' tresse drift

# What must not be is refused in the same words.
run 1 'a sum over the rate above' tresse /classes/u/all/c7 set rate=990mbit
has 'says so' "$tmp/said" '/classes/u/all: the classes below are promised'
run 1 'a ceil under the rate' tresse /classes/u/all/c7 set ceil=8kbit
has 'says so, too' "$tmp/said" 'is under rate'
run 0 'nothing came of it' tresse drift
run 0 'a dry run' tresse --dry-run /classes/u/all/c7 set prio=4
run 0 'changes nothing' tresse drift
run 0 'undo goes back' tresse undo
run 0 'as it was read' tresse drift

# A failure or a death at any message: of a change of one class alone, and of one
# that its sum with the others comes into.
# at_each SETTING VALUE OTHER
at_each() {
	local failed=0 whole=0 sound=0 calls n status follow

	run 0 "$1=$2" tresse /classes/u/all/c7 set "$1=$2"
	everything >"$tmp/before"
	run 0 "$1=$3" ours tresse /classes/u/all/c7 set "$1=$3"
	calls=$(sent 'send')
	everything >"$tmp/applied"
	run 0 "and $1=$2 again" tresse /classes/u/all/c7 set "$1=$2"
	# ...and at those of the rehearsal, which are more: each process and
	# each thread is counted for itself.
	for ((n = 1; n <= calls + 30; n++)); do
		[ "$n" -le "$calls" ] && follow='' || follow=-f
		store >"$tmp/store.before"
		ours $follow -e inject=sendmsg,sendto,sendmmsg:error=ENOBUFS:when=$n \
			tresse /classes/u/all/c7 set "$1=$3" >"$tmp/out" 2>&1
		status=$?
		everything >"$tmp/after"
		if [ $status = 0 ] && cmp -s "$tmp/after" "$tmp/applied"; then
			whole=$((whole + 1))
			tresse /classes/u/all/c7 set "$1=$2" >/dev/null 2>&1
		elif cmp -s "$tmp/after" "$tmp/before" &&
			cmp -s "$tmp/store.before" <(store); then
			failed=$((failed + 1))
		else
			cat "$tmp/out"
			diff "$tmp/before" "$tmp/after"
			not_ok "$1, message $n: neither done nor undone ($status)"
		fi
	done
	check "$1: a failure at each message: $failed undone, $whole done" \
		test $((failed + whole)) = $((calls + 30)) -a "$failed" -ge 10
	for ((n = 1; n <= calls; n++)); do
		ours -e inject=sendmsg,sendto,sendmmsg:signal=KILL:when=$n \
			tresse /classes/u/all/c7 set "$1=$3" >"$tmp/out" 2>&1
		tresse /classes/u/all/c8 set description="$1 $n" >/dev/null 2>&1
		tresse drift >"$tmp/out" 2>&1 && sound=$((sound + 1))
	done
	is "$1: a death at each of them: the next change finds it" \
		"$sound" "$calls"
}
at_each ceil 3mbit 5mbit
at_each rate 1mbit 2mbit

# Many of them, one by one, and the sum of them on another host at once.
RANDOM=7
for ((i = 0; i < 150; i++)); do
	c=/classes/u/all/c$((RANDOM % 30 + 1))
	case $((RANDOM % 6)) in
	0) echo "$c set rate=$((RANDOM % 9000 + 64))kbit ceil=auto" ;;
	1) echo "$c set ceil=$((RANDOM % 90 + 10))mbit" ;;
	2) echo "$c set burst=$((RANDOM % 30 + 5))k" ;;
	3) echo "$c set prio=$((RANDOM % 8))" ;;
	4) echo "$c set quantum=$((RANDOM % 50000 + 1514))" ;;
	5) echo "$c set leaf=\"pfifo limit $((RANDOM % 90 + 5))\"" ;;
	esac
done >"$tmp/changes"
# Without what is not chosen: numbers that the kernel gave to queues, and the
# root's default, which stays what it was born with.
numbered() {
	tree wan0 | sed 's/ leaf [89a-f][0-9a-f]*:/ leaf/; s/ default 0x[0-9a-f]*//
		s/^\(qdisc [a-z]*\) [89a-f][0-9a-f]*:/\1/' | sort
}
# sums WHAT: all of them, and then what is saved, restored from nothing.
sums() {
	tresse --each --keep-going <"$tmp/changes" >"$tmp/out" 2>&1
	run 0 "$1: after 150 changes all agrees" tresse drift
	numbered >"$tmp/one.by.one"
	run 0 "$1: it is saved" tresse saveconfig "$tmp/saved"
	run 0 "$1: cleared" tresse clearconfig confirm=yes
	run 0 "$1: and restored at once" tresse restoreconfig "$tmp/saved"
	numbered >"$tmp/at.once"
	same "$1: one by one comes to the same as at once" "$tmp/at.once" \
		"$tmp/one.by.one"
}
sums 'in one HTB'

# In shards a class has a part in what its shard may do.
run 0 'the classes are dealt out' tresse /classes/u/all set shards=2-4
if tc qdisc show dev wan0 | grep -q 'htb 2:'; then
	run 0 'a ceil in a shard' ours tresse /classes/u/all/c7 set ceil=3mbit
	is 'is one message, too' "$(sent 'RTM_(NEW|DEL)|NFT_MSG_(NEW|DEL)')" 1
	run 0 'a rate in a shard' ours tresse /classes/u/all/c7 set rate=2500kbit
	is 'goes along with what its shard may do' \
		"$(sent 'RTM_(NEW|DEL)|NFT_MSG_(NEW|DEL)')" 1
	run 0 'and all agrees' tresse drift
	alone=0
	for ((i = 0; i < 20; i++)); do
		tresse "/classes/u/all/c$((RANDOM % 30 + 1))" set \
			"rate=$((RANDOM % 900 + 64))kbit" ceil=auto \
			"prio=$((RANDOM % 8))" >"$tmp/out" 2>&1 &&
			tresse drift >"$tmp/out" 2>&1 && alone=$((alone + 1))
	done
	is 'after each of twenty rates and prios all agrees' "$alone" 20
	sums 'in shards'
else
	skip 'shards: this kernel takes no program that leads into them'
fi

# However packets find their class, and whichever way they go.
# by NAME SETTING...: a tree with these settings.
by() {
	local name=$1 class setting
	shift

	{
		echo "/classes create d device=wan0 default=rest $*"
		echo '/classes/d create line rate=5mbit burst=16k'
		for class in rest web voice; do
			echo "/classes/d/line create $class rate=1mbit ceil=5mbit"
		done
	} >"$tmp/policy"
	if ! tresse <"$tmp/policy" >"$tmp/out" 2>&1 &&
		grep -q 'this kernel has no' "$tmp/out"; then
		skip "$name: $(grep -o 'this kernel has no [^;]*' "$tmp/out")"
		return
	fi
	for setting in rate=900kbit prio=2 ceil=4mbit; do
		run 0 "$name: $setting" \
			ours tresse /classes/d/line/web set $setting
		is "$name: by one message" \
			"$(sent 'RTM_(NEW|DEL)|NFT_MSG_(NEW|DEL)')" 1
		is "$name: and no class is dumped" "$(sent 'GETTCLASS.*DUMP')" 0
	done
	run 0 "$name: all agrees" tresse drift
	run 1 "$name: too much" tresse /classes/d/line/web set rate=4mbit
	has "$name: is refused" "$tmp/said" \
		'/classes/d/line: the classes below are promised 6mbit together'
	run 0 "$name: it goes" tresse /classes delete d
}
run 0 'the tree goes' tresse clearconfig confirm=yes
by 'nft' classifier=nft
by 'fw' classifier=fw
by 'bpf' classifier=bpf
by 'what arrives' direction=down

# What is said of all at the top together is said of one that was read alone.
run 0 'a line of 10 Mbit/s' tresse <<END
/paths create adsl0 device=wan0 gateway=192.0.2.1 source=192.0.2.2/24 up=10mbit
/classes create u path=adsl0 default=c1
/classes/u create c1 rate=1mbit
/classes/u create c2 rate=1mbit ceil=15mbit
END
run 0 'one of two goes over it' tresse /classes/u/c2 set ceil=16mbit
is 'the other keeps it' "$(grep -c warning "$tmp/said")" 0
run 0 'the other does, too' tresse /classes/u/c1 set ceil=12mbit
has 'that is told' "$tmp/said" \
	'/classes/u: every class at the top may send 12mbit or more'
finish
