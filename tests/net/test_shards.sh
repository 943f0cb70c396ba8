#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# Thousands of classes, dealt out to HTBs of their own: packets find their class,
# rates, ceils and lending hold as in one HTB, and nobody need know.
. "$(dirname "$0")/lib.sh"

type -P strace >/dev/null || skip_all 'no strace (make deps)'
uplink
start "$tmp/sink" ip netns exec far traffic sink 600 udp:9000
wait_for 5 grep -q ready "$tmp/sink"

# policy CLASSES: below `all` 4 kbit/s each; their minors are 1000 and up.
policy() {
	echo '/classes create u device=wan0 default=rest'
	echo '/classes/u create line rate=20mbit burst=60k cburst=60k'
	echo '/classes/u/line create rest rate=100kbit ceil=20mbit burst=15k'
	echo '/classes/u/line create own rate=4mbit ceil=20mbit burst=15k'
	echo '/classes/u/line create all rate=15mbit ceil=20mbit burst=60k cburst=60k'
	for ((i = 1; i <= $1; i++)); do
		printf '/classes/u/line/all create c%d classid=1:%x mark=%d' \
			"$i" $((4096 + i)) "$i"
		echo ' rate=4kbit ceil=20mbit burst=4k leaf="pfifo limit 50"'
	done
}
# id CLASS: its number for tc, whatever HTB it is in.
id() {
	tc class show dev wan0 |
		awk -v minor="$(printf %x $((4096 + $1)))" '
			split($3, id, ":") && id[2] == minor { print $3 }'
}
htbs() { tc qdisc show dev wan0 | grep -c '^qdisc htb'; }

# ---- across the line ----

everything >"$tmp/nothing"
policy 1990 >"$tmp/few"
run 0 '1,994 classes are made' tresse <"$tmp/few"
is 'in one HTB' "$(htbs)" 1
everything >"$tmp/flat"

# Ten more, while a class is sending less than its queue takes.
run 0 'a class gets a rate' tresse /classes/u/line/all/c7 set rate=4mbit
start "$tmp/arrived" ip netns exec far traffic sink 600 udp:9001
arrivals=$pid
wait_for 5 grep -q ready "$tmp/arrived"
start "$tmp/sent" traffic send 600 \
	"udp,to=192.0.2.1,dport=9001,size=500,rate=3000000,mark=7"
sender=$pid
for ((i = 1991; i <= 2010; i++)); do
	printf '/classes/u/line/all create c%d classid=1:%x mark=%d' "$i" \
		$((4096 + i)) "$i"
	echo ' rate=4kbit ceil=20mbit burst=4k leaf="pfifo limit 50"'
done >"$tmp/more"
run 0 'twenty more are made' tresse <"$tmp/more"
has 'it says that it deals them out' "$tmp/err" '/classes/u/line/all: .*shards='
is 'to five HTBs and the first' "$(htbs)" 6
check 'while it is sending' kill -0 "$sender"
stop "$sender"
empty() { ! tc -s qdisc show dev wan0 | grep -q 'backlog [1-9]'; }
wait_for 10 empty
sleep 0.2
stop "$arrivals"
datagrams() { awk '$1 == "udp" { print $3 }' "$1"; }
check 'which was something' test "$(datagrams "$tmp/sent")" -gt 0
is 'not a datagram was lost' "$(datagrams "$tmp/arrived")" "$(datagrams "$tmp/sent")"
run 0 'undo' tresse undo
is 'puts them back into one' "$(htbs)" 1
run 0 'undo once more' tresse undo
everything >"$tmp/after"
same 'and all is as it was' "$tmp/flat" "$tmp/after"
run 0 'all goes' tresse /classes delete u
everything >"$tmp/after"
same 'and leaves nothing behind' "$tmp/nothing" "$tmp/after"

# ---- packets find their class ----

policy 2500 >"$tmp/many"
run 0 '2,504 classes are made at once' tresse <"$tmp/many"
is 'in five HTBs and the first' "$(htbs)" 6
flows=() wanted=''
for i in 1 2 3 4 5 499 500 501 1234 2499 2500; do
	flows+=("udp,to=192.0.2.1,dport=9000,size=300,rate=400000,count=$((i % 7 + 1)),mark=$i")
	wanted+="$i $((i % 7 + 1))"$'\n'
done
traffic send 20 "${flows[@]}" >"$tmp/out"
traffic send 5 "udp,to=192.0.2.1,dport=9000,size=300,count=9" >"$tmp/out"
got=''
for i in 1 2 3 4 5 499 500 501 1234 2499 2500; do
	got+="$i $(class_count wan0 "$(id "$i")" | cut -d' ' -f2)"$'\n'
done
is 'each has just the packets of its mark' "$got" "$wanted"
is 'no packet passes by the classes of a shard' \
	"$(tc -s qdisc show dev wan0 |
		awk '/^qdisc htb/ { s += $(NF - 2) } END { print s + 0 }')" 0
tresse explain /classes/u/line/all/c3 >"$tmp/out" 2>&1
has 'explain has the number that tc shows' "$tmp/out" "^shard +$(id 3) in tc"
tresse /classes/u/line/rest get packets >"$tmp/out"
has 'what nobody claims is in the default class' "$tmp/out" 'packets=9\b'
tresse /classes/u/line/all/c1234 get packets >"$tmp/out"
has 'our own counters know them' "$tmp/out" 'packets=3\b'

# ---- one of thousands is changed ----

# pages COMMAND...: of the store that it reads.
pages() {
	strace -f -qq -e trace=pread64 -o "$tmp/calls" "$@" >"$tmp/out" 2>&1
	grep -c ", 4096, " "$tmp/calls"
}
c=/classes/u/line/all/c77
whole=$(pages tresse ls "$c")
for change in ceil=9mbit rate=8kbit prio=3 'rate=5kbit prio=2'; do
	# shellcheck disable=SC2086 # these are words
	few=$(pages tresse $c set $change)
	check "$change reads what it takes of the store: $few of $whole pages" \
		test $((few * 3)) -lt "$whole"
	run 0 'all agrees, the shards too' tresse drift
done
run 0 'the only one before all others' tresse $c set prio=0
run 0 'that is of the whole' tresse /classes/u/line/all/c78 set prio=1
run 0 'all agrees still' tresse drift
run 1 'a rate that those above cannot promise' tresse $c set rate=6mbit
cp "$tmp/said" "$tmp/alone"
has 'is refused' "$tmp/alone" \
	'/classes/u/line/all: the classes below are promised 15996kbit together'
echo "$c set rate=6mbit" >"$tmp/line"
run 1 'a batch of it, for which all are read' tresse <"$tmp/line"
same 'is refused in the same words' \
	<(grep -o 'the classes below .*' "$tmp/alone") \
	<(grep -o 'the classes below .*' "$tmp/said")
run 0 'it is as it was' tresse drift
for ((i = 0; i < 6; i++)); do
	run 0 'and back' tresse undo
done
run 0 'to the beginning' tresse drift

# ---- rates, ceils, lending ----

# sends CLASS BITS FLOW...: in two seconds of these flows the class sends so many
# bit/s, within PERCENT of it.
sends() {
	local class=$1 wanted=$2 percent=$3 rate

	start "$tmp/send" traffic send 60 "${@:4}"
	sleep 1.5
	rate=$(class_rate wan0 "$class" 2)
	stop "$pid"
	echo "# $class sends $rate bit/s, wanted $wanted"
	[ $((rate * 100)) -ge $((wanted * (100 - percent))) ] &&
		[ $((rate * 100)) -le $((wanted * (100 + percent))) ]
}
flood() {
	echo "udp,to=192.0.2.1,dport=9000,size=1000,rate=$2,mark=$1"
}
run 0 'a ceil of its own' tresse /classes/u/line/all/c10 set ceil=3mbit
check 'a class borrows up to its ceil, 3 Mbit/s' \
	undisturbed sends "$(id 10)" 3000000 8 "$(flood 10 8000000)"

own_mark=$(tresse /classes/u/line/own get mark | sed 's/mark=//; s/ .*//')
own_id=$(tresse /classes/u/line/own get classid | sed 's/classid=//; s/ .*//')
# c$a and c$b are in one shard, c$c and c$d each in another.
a=21 b='' c='' d=''
shard_of() { id "$1" | cut -d: -f1; }
for ((i = 22; i < 60; i++)); do
	if [ "$(shard_of $i)" = "$(shard_of $a)" ]; then
		: "${b:=$i}"
	elif [ -z "$c" ]; then
		c=$i
	elif [ "$(shard_of $i)" != "$(shard_of "$c")" ]; then
		: "${d:=$i}"
	fi
done
echo "# c$a $(id $a), c$b $(id "$b"), c$c $(id "$c"), c$d $(id "$d")"
five=("$(flood $a 9000000)" "$(flood "$b" 9000000)" "$(flood "$c" 9000000)"
	"$(flood "$d" 9000000)" "$(flood "$own_mark" 9000000)")
check 'together they send what the line has, 20 Mbit/s' \
	undisturbed sends 1:1 20000000 4 "${five[@]}"
# bytes: of all of them, at one look.
bytes() {
	tc -s class show dev wan0 | awk -v ids="$*" '
		/^class/ { id = $3 }
		$1 == "Sent" { sent[id] = $2 }
		END { n = split(ids, of); for (i = 1; i <= n; i++) print sent[of[i]] }'
}
shared() {
	local of from time rates
	of=("$(id "$a")" "$(id "$b")" "$(id "$c")" "$(id "$d")" "$own_id" 1:1)

	start "$tmp/send" traffic send 60 "${five[@]}"
	sleep 2
	from=${EPOCHREALTIME/./}
	bytes "${of[@]}" >"$tmp/a"
	sleep 4
	time=$((${EPOCHREALTIME/./} - from))
	bytes "${of[@]}" >"$tmp/b"
	stop "$pid"
	mapfile -t rates < <(paste "$tmp/a" "$tmp/b" |
		awk -v us="$time" '{ printf "%d\n", ($2 - $1) * 8e6 / us }')
	echo "# both of one, of two others, own, line: ${rates[*]}"
	check 'a class outside keeps its rate, 4 Mbit/s' test "${rates[4]}" -ge 3700000
	check 'two of one shard share alike' test \
		$((rates[0] * 10)) -ge $((rates[1] * 8)) -a \
		$((rates[1] * 10)) -ge $((rates[0] * 8))
	check 'two shards share alike' test \
		$((rates[2] * 10)) -ge $((rates[3] * 8)) -a \
		$((rates[3] * 10)) -ge $((rates[2] * 8))
	check 'what is left over goes to the shards first' test \
		$(((rates[0] + rates[1]) * 10)) -ge $((rates[2] * 8))
}
undisturbed shared

# A rate is kept against all that the others want, in its shard and out of it.
run 0 'a rate of its own' tresse "/classes/u/line/all/c$b" set rate=4mbit
# 1,042 bytes on the wire for 1,000 of data.
check 'a class keeps its rate' \
	undisturbed sends "$(id "$b")" $((3800000 * 1042 / 1000)) 8 \
	"$(flood $a 9000000)" "$(flood "$b" 3800000)" \
	"$(flood "$c" 9000000)" "$(flood "$d" 9000000)" "$(flood 61 9000000)"

# ---- all else ----

tresse /classes/u/line/all/c10 set ceil=20mbit >"$tmp/out" 2>&1
tresse "/classes/u/line/all/c$b" set rate=4kbit >"$tmp/out" 2>&1
run 0 'the same again' tresse <"$tmp/many"
has 'is nothing to do' "$tmp/said" 'Nothing to change'
run 0 'no drift' tresse drift
has 'none is told' "$tmp/said" 'agrees with the store'

tc filter del dev wan0 parent 1: pref 100
tc class change dev wan0 classid "$(id 33)" parent "$(id 33 | cut -d: -f1):" \
	htb rate 9kbit
tc qdisc del dev wan0 parent "$(id 34)"
run 1 'others change what is ours' tresse drift
has 'it is told' "$tmp/said" '\+ sorter wan0' 'c33' 'leaf wan0.*pfifo limit 50'
run 0 'and mended' tresse repair
run 0 'then' tresse drift
has 'all agrees again' "$tmp/said" 'agrees with the store'
hook=$(id 33 | cut -d: -f1)
tc qdisc del dev wan0 parent "1:ff0$hook"
run 1 'a shard is taken away with all in it' tresse drift
run 0 'and made again' tresse repair
run 0 'so that' tresse drift
has 'all agrees once more' "$tmp/said" 'agrees with the store'
traffic send 5 "udp,to=192.0.2.1,dport=9000,size=300,count=5,mark=33" >"$tmp/out"
is 'and packets find it' "$(class_count wan0 "$(id 33)" | cut -d' ' -f2)" 5

tree wan0 >"$tmp/before"
run 0 'a class is deleted' tresse /classes/u/line/all delete c40
is 'it alone' "$(tc class show dev wan0 | wc -l)" \
	"$(($(grep -c '^class' "$tmp/before") - 1))"
run 0 'undo brings it back' tresse undo
tree wan0 >"$tmp/after"
same 'as it was' "$tmp/before" "$tmp/after"

run 0 'tc commands' tresse export tc
has 'with the shards' "$tmp/out" "parent 1:ff0$hook handle $hook: htb" \
	'flow map key priority'
run 0 'one HTB, by order' tresse /classes/u/line/all set shards=none
is 'is one' "$(htbs)" 1
run 0 'auto' tresse /classes/u/line/all set shards=auto
is 'deals them out again' "$(htbs)" 6
run 0 'numbers may be given' tresse /classes/u/line/all set shards=9-13
run 1 'but not twice' tresse /classes/u set shards=13
has 'and it says whose they are' "$tmp/said" \
	'shards: 13 is one of /classes/u; each number is one HTB'
run 1 'nor 1' tresse /classes/u set shards=1
# What the units may do is enough to put it there after a boot, or when it drifts.
# as_unit FILE COMMAND...
as_unit() {
	local caps

	caps=$(sed -n 's/^CapabilityBoundingSet=//p' "$root/debian/$1" | tr 'A-Z ' 'a-z,' |
		sed 's/cap_/+/g')
	shift
	setpriv --bounding-set="-all,$caps" --inh-caps=-all --no-new-privs "$@"
}
is 'there are HTBs' "$(htbs)" 6
tree wan0 >"$tmp/before"
for unit in tresse.service tresse.tresse-follow.service; do
	tc qdisc del dev wan0 root
	run 0 "$unit: puts it back" as_unit $unit tresse restoreconfig
	tree wan0 >"$tmp/after"
	same "$unit: as it was" "$tmp/before" "$tmp/after"
	run 0 "$unit: so that" tresse drift
	has "$unit: all agrees" "$tmp/said" 'agrees with the store'
done
run 0 'all goes' tresse /classes delete u
everything >"$tmp/after"
same 'and leaves nothing behind' "$tmp/nothing" "$tmp/after"
finish
