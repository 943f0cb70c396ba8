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

start "$tmp/sink" ip netns exec far traffic sink 60 udp:9000
wait_for 5 grep -q ready "$tmp/sink"
sink=$pid missed_before=$(missed)
mapfile -t words < <(flow)
start "$tmp/send" traffic send 30 "${words[@]}"
sender=$pid
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
wait_for 30 over
nothing() { ! waits; }
wait_for 30 nothing
sleep 0.2
stop "$sink"
is 'every datagram was sent' "$(sum "$tmp/send")" $datagrams
is 'every datagram arrived' "$(arrived)" $datagrams
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
	'u32 pref 3 .*without asking for tcp or udp; filters=drop' \
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
tc qdisc add dev wan0 parent 1:20 handle 20: htb
refused 'a queue that is none' /classes import wan0 filters=drop -- \
	'1:20 of wan0 has a qdisc htb 20:'
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
