#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# A tree that a script of tc made is taken over as it stands, and given back as it
# was: under load, with filters, and whatever fails on the way.
. "$(dirname "$0")/lib.sh"
. "$root/tests/net/hitless.sh"

uplink
script() {
	cat <<-'END'
	tc qdisc add dev wan0 root handle 1: htb default 30 r2q 5
	tc class add dev wan0 parent 1: classid 1:1 htb rate 30mbit burst 20k overhead 26
	tc class add dev wan0 parent 1:1 classid 1:10 htb rate 17mbit prio 1 burst 20k overhead 26
	tc class add dev wan0 parent 1:1 classid 1:20 htb rate 2mbit ceil 3mbit quantum 3000 overhead 26 mpu 64
	tc class add dev wan0 parent 1:1 classid 1:30 htb rate 500kbit cburst 3k linklayer atm
	tc qdisc add dev wan0 parent 1:10 handle 10: pfifo limit 5000
	tc qdisc add dev wan0 parent 1:30 handle 30: bfifo limit 77777
	tc filter add dev wan0 parent 1: protocol ip pref 1 u32 match ip protocol 17 0xff match ip dport 9000 0xffff flowid 1:10
	tc filter add dev wan0 parent 1: protocol ip pref 1 u32 match ip protocol 6 0xff match ip sport 8000 0xfff8 flowid 1:20
	tc filter add dev wan0 parent 1: protocol ip pref 1 u32 match ip tos 0xb8 0xfc match ip dst 198.51.100.0/24 flowid 1:20
	tc filter add dev wan0 parent 1: protocol ipv6 pref 2 u32 match ip6 protocol 17 0xff match ip6 dport 9000 0xffff flowid 1:10
	tc filter add dev wan0 parent 1: protocol ipv6 pref 2 u32 match ip6 dst 2001:db8:7::/48 flowid 1:20
	END
}
run 0 'a script makes a tree' sh -e <(script)
everything >"$tmp/before"
tree wan0 >"$tmp/tree"

# ---- what it would be ----

run 0 'a dry run' tresse -n /classes import wan0 line
has 'shows what it would be' "$tmp/said" \
	'create line device=wan0 default=c30 r2q=5' \
	'create c10 rate=17mbit burst=20k prio=1 leaf="pfifo limit 5000" classid=1:10' \
	'create c20 rate=2mbit ceil=3mbit quantum=3000 mpu=64 classid=1:20' \
	'c10/match create u32-1 .*scope=packet proto=udp dport=9000 src=0.0.0.0/0' \
	'proto=tcp sport=8000-8007 src=0.0.0.0/0' \
	'dst=198.51.100.0/24 dscp=ef' 'dst=2001:db8:7::/48'
check 'and makes no class, queue or root' \
	test -z "$(grep -E '^[-+~!.] (root|class|leaf)' "$tmp/said")"
everything >"$tmp/after"
same 'nothing was changed' "$tmp/before" "$tmp/after"

# ---- under load ----

feed
check 'packets wait' wait_for 10 waits
sent() { class_count wan0 "$1" | cut -d' ' -f1; }
was=$(sent 1:10)
run 0 'it is imported' tresse /classes import wan0 line
check 'its counters go on' test "$(sent 1:10)" -gt "$was"
tree wan0 >"$tmp/after"
same 'it is the same tree' "$tmp/tree" "$tmp/after"
check 'without its filters' test -z "$(tc filter show dev wan0 | grep flowid)"
run 0 'nothing differs' tresse drift
run 1 'a second time: it is ours' tresse /classes import wan0 again
run 0 'it can be changed' tresse <<'END'
/classes/line/c1/c30 set rate=600kbit leaf="pfifo limit 9"
/classes/line/c1 delete c20
/classes/line/c1 create more rate=1mbit burst=15k
END
run 0 'and goes, with what waits in it' tresse /classes delete line
check 'still its counters went on' test "$(sent 1:10)" -gt "$was"
check 'all this while it was sending' kill -0 "$sender"
fed
all_came ''
everything >"$tmp/after"
same 'the host is as the script left it' "$tmp/before" "$tmp/after"

# ---- what cannot be taken over ----

# refused NAME WORDS... -- WHAT IT SAYS...: and leaves all as it is.
refused() {
	local name=$1 command=()
	shift

	while [ "$1" != -- ]; do
		command+=("$1")
		shift
	done
	everything >"$tmp/as-it-is"
	run 1 "$name: refused" tresse "${command[@]}"
	has "$name: says so" "$tmp/err" "${@:2}"
	everything >"$tmp/after"
	same "$name: nothing was changed" "$tmp/as-it-is" "$tmp/after"
}
tc filter add dev wan0 parent 1: protocol ip pref 3 \
	u32 match ip dport 22 0xffff flowid 1:20
tc filter add dev wan0 parent 1: protocol all pref 4 \
	bpf bytecode '1,6 0 0 65568' flowid 1:20
everything >"$tmp/filters"
refused 'filters that are no matches' /classes import wan0 -- \
	'u32 pref 3 .*without asking for tcp or udp; filters=keep .*filters=drop' \
	'bpf pref 4 .*not read'
run 0 'with filters=drop' tresse /classes import wan0 filters=drop
has 'they are named one by one' "$tmp/err" 'u32 pref 3 .*goes' \
	'bpf pref 4 .*goes'
run 0 'and come back' tresse clearconfig confirm=yes
everything >"$tmp/after"
same 'all of them' "$tmp/filters" "$tmp/after"
tc filter add dev wan0 parent 1:1 protocol ip pref 9 \
	u32 match ip dport 22 0xffff flowid 1:20
refused 'a filter of a class' /classes import wan0 filters=drop -- \
	'u32 pref 9 of 1:1 of wan0'
tc qdisc del dev wan0 root
tc qdisc add dev wan0 root handle 5: htb
refused 'another number' /classes import wan0 -- 'is 5:, and only .* 1:'
tc qdisc replace dev wan0 root handle 1: pfifo
refused 'no tree' /classes import wan0 -- 'no tree of HTB: its root .* pfifo'
run 1 'no such device' tresse /classes import nosuch
run 2 'not here' tresse /paths import wan0
run 1 'not in a candidate' tresse <<'END'
begin
/classes import wan0
END
tresse discard >/dev/null 2>&1
tc qdisc del dev wan0 root

# ---- what stays as it is ----

ip link add mir0 type veth peer name mir1
ip link set mir0 addrgenmode none up
ip link set mir1 addrgenmode none up
odd() {
	script
	cat <<-'END'
	tc class add dev wan0 parent 1:1 classid 1:40 htb rate 50mbit burst 100k
	tc qdisc add dev wan0 parent 1:20 handle 20: htb default 1
	tc class add dev wan0 parent 20: classid 20:1 htb rate 1mbit burst 20k
	tc qdisc add dev wan0 parent 20:1 handle 21: pfifo limit 77
	tc filter del dev wan0 parent 1: pref 2 protocol ipv6
	tc filter add dev wan0 parent 1: protocol ip pref 3 u32 match ip protocol 17 0xff match ip dport 25 0xffff flowid 1:10 action mirred egress mirror dev mir0
	tc filter add dev wan0 parent 1: protocol ip pref 4 u32 match ip protocol 17 0xff match ip dport 26 0xffff flowid 1:10
	END
}
# Without what the mirror counts.
filters() {
	tc filter show dev wan0
	tc filter show dev wan0 parent 1:1
}
sh -e <(odd) 2>/dev/null
refused 'a filter with an action' /classes import wan0 line -- \
	'u32 pref 3 .*cannot be taken over: .*; filters=keep leaves it'
refused 'nor can it be dropped' /classes import wan0 line filters=drop -- \
	'u32 pref 3 .*could not be put back'
tc filter add dev wan0 parent 1:1 protocol ip pref 9 u32 \
	match ip dport 22 0xffff flowid 1:20
everything >"$tmp/before"
filters >"$tmp/filters"
tree wan0 >"$tmp/tree"
run 0 'filters=keep takes over the tree' \
	tresse /classes import wan0 line filters=keep
has 'what stays is named' "$tmp/err" 'u32 pref 1 handle 0x80000800 .*stays' \
	'u32 pref 3 .*stays as it is, and decides before any match' \
	'pref 9 of 1:1 .*stays' '1:20 of wan0 has a qdisc htb 20:.*leaf=foreign' \
	'rates do not fit together.*lenient=yes' \
	'/classes/line/c1: .*promised .* together'
tree wan0 >"$tmp/after"
same 'it is the same tree' "$tmp/tree" "$tmp/after"
filters >"$tmp/after"
check 'the filters before the last that stays are there' \
	test "$(grep -c 'pref [123] .*flowid' "$tmp/after")" = \
	"$(grep -c 'pref [123] .*flowid' "$tmp/filters")"
check 'the one behind it is a match' \
	test "$(grep -c 'pref 4 .*flowid' "$tmp/after")" = 0
tresse /classes/line ls >"$tmp/out"
has 'of the tree' "$tmp/out" 'u32-1 .*26'
run 0 'a plan is empty' tresse plan
run 0 'drift finds nothing' tresse drift
has 'and lists what others have' "$tmp/said" \
	'[0-9]+ filters of others decide first: u32 pref 1'
run 0 'an export has what is of others' tresse export tc
has 'as commands' "$tmp/out" '^# of others on wan0' \
	'^tc qdisc add dev wan0 parent 1:20 handle 20: htb' \
	'^tc filter .* pref 3 .* action mirred egress mirror dev mir0' \
	'^tc filter .* parent 1:1 .* pref 9 '
check 'and is a script' sh -n "$tmp/out"
run 0 'a class is explained' tresse /classes/line/c1/c20 explain
has 'with whose queue it is' "$tmp/out" "somebody else's"

# They go on deciding, and so do matches behind them.
goes() { # NAME PORT CLASS
	local was

	was=$(class_count wan0 "$3" | cut -d' ' -f2)
	traffic send 5 "udp,to=192.0.2.1,dport=$2,size=100,count=20,rate=400000" \
		>/dev/null 2>&1
	check "$1" test $(($(class_count wan0 "$3" | cut -d' ' -f2) - was)) -ge 20
}
mirrored() { ip -s link show mir1 | awk '/RX:/ { getline; print $2 }'; }
goes 'a filter that stays leads on' 9000 1:10
was=$(mirrored)
goes 'one with an action, too' 25 1:10
check 'and acts' test $(($(mirrored) - was)) -ge 20
goes 'a match leads behind them' 26 1:10
goes 'what nobody claims goes to the default class' 4444 1:30

run 0 'classes can be changed' tresse <<'END'
/classes/line/c1/c10 set rate=16mbit
/classes/line/c1/c20 set ceil=4mbit
/classes/line/c1 create more rate=1mbit burst=15k
/classes/line/c1/more/match create x proto=udp dport=27
END
tc qdisc show dev wan0 >"$tmp/out"
has 'the queues of others stay' "$tmp/out" 'htb 20: parent 1:20' \
	'pfifo 21: parent 20:1 limit 77'
goes 'a new match leads' 27 "1:$(tc filter show dev wan0 >/dev/null
	tresse -j /classes/line/c1/more get classid | grep -o '1:[0-9a-f]*' |
		head -n 1 | cut -d: -f2)"
# A class that a filter of others names cannot go.
run 1 'a class that a filter names stays' tresse /classes/line/c1 delete c10
has 'it says so' "$tmp/err" 'class wan0 1:10 .*busy.*tc filter show dev wan0'
run 1 'a class with a queue of others does not move' tresse <<'END'
/classes/line create top rate=1mbit
/classes/line/c1 delete c20
/classes/line/top create c20 rate=1mbit classid=1:20 leaf=foreign
END
has 'it says why' "$tmp/err" 'queue, htb 20:, is somebody else'
tc qdisc show dev wan0 >"$tmp/out"
has 'and nothing of it is gone' "$tmp/out" 'htb 20: parent 1:20' \
	'pfifo 21: parent 20:1 limit 77'
run 1 'nftables does not go with them' tresse /classes/line set classifier=nft
has 'says why' "$tmp/err" 'filters=foreign: with classifier=nft'
run 1 'without lenient it is refused' tresse /classes/line set lenient=no
has 'with figures' "$tmp/err" 'rate 50mbit is over the 30mbit of c1'
run 0 'it goes' tresse /classes delete line
everything >"$tmp/after"
same 'and all is as the script left it' "$tmp/before" "$tmp/after"
tc qdisc del dev wan0 root
tc qdisc add dev wan0 root handle 1: htb
tc class add dev wan0 parent 1: classid 1:1 htb rate 1mbit burst 15k
tc filter add dev wan0 parent 1: protocol all pref 200 \
	bpf bytecode '1,6 0 0 65537' flowid 1:1
refused 'behind those of Tresse one cannot stay' \
	/classes import wan0 line filters=keep -- 'bpf pref 200 .*cannot stay' \
	'below that'
tc qdisc del dev wan0 root

# ---- whatever fails on the way ----

sh -e <(script)
everything >"$tmp/before"
tresse clearconfig confirm=yes >/dev/null 2>&1
store >"$tmp/store.before"
as_before() {
	everything >"$tmp/after"
	store >"$tmp/store.after"
	diff -u --label before --label after "$tmp/before" "$tmp/after" &&
		diff -u "$tmp/store.before" "$tmp/store.after" && return
	cat "$tmp/out"
	not_ok "$1: all is as it was"
	return 1
}
again() {
	tresse clearconfig confirm=yes >/dev/null 2>&1
	store >"$tmp/store.before"
}
if type -P strace >/dev/null; then
	traced() {
		strace -qq -e trace=sendmsg,sendto,sendmmsg -o "$tmp/calls" "$@"
	}
	import=(tresse /classes import wan0 line)
	run 0 'traced' traced "${import[@]}"
	calls=$(grep -cE 'send(msg|to|mmsg)\(' "$tmp/calls")
	again
	undone=0
	for ((n = 1; n <= calls; n++)); do
		if traced -e inject=sendmsg,sendto,sendmmsg:error=ENOBUFS:when=$n \
			"${import[@]}" >"$tmp/out" 2>&1; then
			again # it could do without that one
		elif as_before "message $n fails"; then
			undone=$((undone + 1))
		else
			again
		fi
	done
	check "a failure at each of $calls messages is undone ($undone)" \
		test "$undone" -ge 3
	undone=0 stands=0
	for ((n = 1; n <= calls; n++)); do
		traced -e inject=sendmsg,sendto,sendmmsg:signal=KILL:when=$n \
			"${import[@]}" >"$tmp/out" 2>&1
		run 0 "killed at message $n: the next start works" \
			tresse restoreconfig
		if tresse /classes/line pwd >/dev/null 2>&1; then
			stands=$((stands + 1))
			run 0 "killed at message $n: it stands" tresse drift
			again
		elif as_before "killed at message $n"; then
			undone=$((undone + 1))
		else
			again
		fi
	done
	check "a death at any message is undone ($undone), or stands ($stands)" \
		test $((undone + stands)) = "$calls"
else
	skip 'failures and deaths: no strace (make deps)'
fi
tc qdisc del dev wan0 root

# ---- there and back, with trees of all sorts ----

RANDOM=${SEED:-4711}
one_of() { shift $((RANDOM % $#)) && echo "$1"; }
# random_class PLACE NAME DEPTH RATE CEIL: a class of that rate at most, and
# perhaps some below it.
random_class() {
	local place=$1 name=$2 depth=$3 rate=$(($4 - RANDOM % ($4 / 3))) i below=0
	local ceil=$((rate + RANDOM * ($5 - rate) / 32768))

	[ "$depth" -lt 3 ] && below=$((RANDOM % 4))
	printf '%s create %s rate=%s ceil=%s' "$place" "$name" "$rate" "$ceil"
	[ $((RANDOM % 3)) = 0 ] && printf ' burst=%s' $((RANDOM % 60000 + 1600))
	[ $((RANDOM % 3)) = 0 ] && printf ' cburst=%s' $((RANDOM % 60000 + 1600))
	[ $((RANDOM % 3)) = 0 ] && printf ' overhead=%s' $((RANDOM % 60))
	[ $((RANDOM % 4)) = 0 ] && printf ' mpu=%s' $((RANDOM % 200))
	[ $((RANDOM % 4)) = 0 ] && printf ' linklayer=%s' "$(one_of atm ethernet)"
	if [ $below = 0 ]; then
		[ $((RANDOM % 2)) = 0 ] && printf ' prio=%s' $((RANDOM % 8))
		[ $((RANDOM % 2)) = 0 ] && printf ' quantum=%s' $((RANDOM + 1600))
		[ $((RANDOM % 2)) = 0 ] && printf ' leaf="%s"' "$(one_of \
			"pfifo limit $((RANDOM % 900 + 1))" pfifo "$fancy" \
			"bfifo limit $((RANDOM + 1600))" \
			"tbf rate 1mbit burst 5k limit $((RANDOM + 5000))")"
	fi
	echo
	for ((i = 0; i < below; i++)); do
		random_class "$place/$name" "$name$i" $((depth + 1)) \
			$((rate / below)) "$ceil"
	done
}
random_tree() {
	local i

	echo "/classes create u device=wan0 r2q=$((RANDOM % 40 + 1))"
	for ((i = 0; i <= RANDOM % 3; i++)); do
		random_class /classes/u "k$i" 0 $((RANDOM * 997 + 900000)) \
			40000000
	done
	echo "/classes/u create last rate=1mbit"
	[ $((RANDOM % 3)) = 0 ] || echo '/classes/u set default=last'
}
fancy='pfifo limit 3'
has_qdisc sfq && fancy='sfq perturb 10'
trees=0 objects=0 given=0 made=0
for _ in 1 2 3 4 5 6 7 8 9 10 11 12; do
	tresse clearconfig confirm=yes >/dev/null 2>&1
	random_tree >"$tmp/random"
	if ! tresse <"$tmp/random" >"$tmp/said" 2>&1; then
		cat "$tmp/random" "$tmp/said"
		not_ok 'a random tree is made'
		continue
	fi
	tresse export tc >"$tmp/out.sh" 2>/dev/null
	tree wan0 >"$tmp/tree"
	tresse clearconfig confirm=yes >/dev/null 2>&1
	sh -e "$tmp/out.sh" 2>/dev/null
	if tresse /classes import wan0 u >"$tmp/said" 2>&1; then
		tresse export tc >"$tmp/again.sh" 2>/dev/null
		tree wan0 >"$tmp/after"
		diff -u "$tmp/tree" "$tmp/after" && trees=$((trees + 1))
		objects=$((objects + $(wc -l <"$tmp/tree")))
		if grep -E '^[~+!-] (root|class|leaf)' "$tmp/said"; then
			not_ok 'an import changes nothing'
		fi
	else
		cat "$tmp/said"
	fi
	tresse clearconfig confirm=yes >/dev/null 2>&1
	tree wan0 >"$tmp/after"
	diff -u "$tmp/tree" "$tmp/after" && given=$((given + 1))
	tc qdisc del dev wan0 root
	# In other words, where several come to the same: so it is made of them.
	sh -e "$tmp/again.sh" 2>/dev/null
	tree wan0 >"$tmp/after"
	diff -u "$tmp/tree" "$tmp/after" && made=$((made + 1))
	tc qdisc del dev wan0 root
done
is "twelve random trees come back the same from tc ($objects objects)" \
	"$trees" 12
is 'and are given back the same' "$given" 12
is 'and what is exported of them then makes the same' "$made" 12
check 'there was something in them' test "$objects" -gt 60
finish
