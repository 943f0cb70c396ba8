# shellcheck shell=bash
# SPDX-License-Identifier: GPL-3.0-or-later
#
# hitless.sh - changes of a class while datagrams pass through its standing
# queue. Whoever sources it may say how fast: shape, the words of the class, and
# send, more than that in bit/s of datagrams; and in how many flows, for a queue
# that gives each of them little room. `arriving` turns it round: what comes from
# far is shaped here, on the ifb.
#
#   feed; ...; fed; all_came NAME

datagrams=7500 # at least
flows=1
shape='rate=17mbit ceil=17mbit burst=20k'
send=40000000
chunk=1000 low=500 # so many at a time, as soon as no more than low wait
sender=
device=wan0 to=192.0.2.1 here=() there=(ip netns exec far)
arriving() {
	device=tr-wan0 to=192.0.2.2 here=(ip netns exec far) there=()
}
waits() { tc -s qdisc show dev "$device" | grep -qE 'backlog [1-9][0-9]*[KM]?b'; }
# missed: those that the socket over there had no room for, so far.
missed() {
	"${there[@]}" cat /proc/net/snmp | awk '$1 == "Udp:" {
		for (i = 2; i <= NF; i++)
			if (name[i] == "RcvbufErrors") print $i
			else name[i] = $i }'
}
# arrived: datagrams that came since missed_before, also those: that the machine
# had other things to do is no fault of ours.
arrived() {
	local late=$(($(missed) - missed_before))

	[ $late = 0 ] || echo "# the receiver had no room for $late" >&2
	echo $(($(sum "$tmp/sink") + late))
}
sum() { awk '$1 == "udp" { all += $3 } END { print all + 0 }' "$1"; }
# flow: the words for traffic of each; a chunk together.
flow() {
	local i

	for ((i = 0; i < flows; i++)); do
		echo "udp,to=$to,dport=9000,sport=$((20000 + i)),size=1400," \
			"rate=$((send / flows)),count=$((chunk / flows))"
	done | tr -d ' '
}
# waiting: packets, in all queues.
waiting() {
	tc -s qdisc show dev "$device" | awk '
		$1 == "backlog" && $3 + 0 > most { most = $3 + 0 }
		END { print most + 0 }'
}

# feed: to a sink over there, until `fed`: datagrams, a chunk whenever few are left
# waiting, so that some always wait, however busy the machine is.
feed() {
	rm -f "$tmp"/send.* "$tmp/enough"
	start "$tmp/sink" "${there[@]}" traffic sink 900 udp:9000
	wait_for 20 grep -q ready "$tmp/sink"
	sink=$pid missed_before=$(missed)
	mapfile -t words < <(flow)
	start "$tmp/feeds" feeds
	sender=$pid
}
feeds() {
	local sent

	for ((sent = 0; sent < datagrams || !enough; sent += chunk)); do
		while [ "$(waiting)" -gt "$low" ]; do sleep 0.1; done
		"${here[@]}" traffic send 300 "${words[@]}" >"$tmp/send.$sent"
		[ -e "$tmp/enough" ] && enough=1
	done
}
enough=0
empty() { ! waits; }
fed() {
	: >"$tmp/enough"
	wait "$sender"
	wait_for 100 empty
	sleep 0.2
	stop "$sink"
}
# all_came NAME: what was sent, whole, and arrived.
all_came() {
	local sent chunks

	sent=$(cat "$tmp"/send.* | sum /dev/stdin)
	chunks=("$tmp"/send.*)
	is "$1every datagram was sent" "$sent" \
		$((${#chunks[@]} * (chunk / flows * flows)))
	is "$1every datagram arrived" "$(arrived)" "$sent"
}

changes=0 amid=0
# change WORDS...: one more, that must not fail; amid counts those that were made
# while packets waited.
change() {
	if tresse "$@" >"$tmp/out" 2>&1; then
		changes=$((changes + 1))
		! waits || amid=$((amid + 1))
	else
		cat "$tmp/out"
		not_ok "change: $*"
	fi
}

# moved FROM TO LEAF CLASSID: the class goes to another place in the tree, in one
# batch.
moved() {
	cat <<-END
	/classes/u set default=side
	$1 delete bulk
	$2 create bulk $shape leaf="$3" classid=$4
	$2/bulk/match create test proto=udp dport=9000
	/classes/u set default=bulk
	END
}
# split PLACE LEAF, joined PLACE LEAF: it gets a class below it that has the
# traffic, and loses it again.
split() {
	cat <<-END
	/classes/u set default=side
	$1/bulk/match delete test
	$1/bulk set leaf=
	$1/bulk create inner $shape leaf="$2"
	$1/bulk/inner/match create test proto=udp dport=9000
	/classes/u set default=inner
	END
}
joined() {
	cat <<-END
	/classes/u set default=side
	$1/bulk delete inner
	$1/bulk set leaf="$2"
	$1/bulk/match create test proto=udp dport=9000
	/classes/u set default=bulk
	END
}
lines=/classes/u/line
# hitless CLASSIFIER A B: with two leaves to go to and fro between.
hitless() {
	local how=classifier=$1 a=$2 b=$3 name="$1, $2 and $3"

	[ "$1" != arriving ] || how=direction=down

	tresse clearconfig confirm=yes >/dev/null 2>&1
	run 0 "$name: a tree" tresse <<-END
	/classes create u device=wan0 default=bulk $how
	/classes/u create line rate=40mbit burst=60k
	$lines create bulk $shape leaf="$a"
	$lines create side rate=1mbit burst=15k
	$lines/bulk/match create test proto=udp dport=9000
	END
	feed
	check "$name: packets wait" wait_for 10 waits
	changes=0 amid=0
	for _ in 1 2 3; do
		change $lines/bulk set leaf="$b"
		change $lines/bulk set leaf=
		change $lines/bulk set leaf="$a" quantum=3000
		change $lines/bulk set classid=1:77
		moved $lines /classes/u "$b" 1:2 >"$tmp/batch"
		change <"$tmp/batch"
		moved /classes/u $lines "$a" 1:2 >"$tmp/batch"
		change <"$tmp/batch"
		split $lines "$a" >"$tmp/batch"
		change <"$tmp/batch"
		joined $lines "$a" >"$tmp/batch"
		change <"$tmp/batch"
	done
	is "$name: twenty-four changes were made" "$changes" 24
	check "$name: amid traffic ($amid)" test "$amid" -ge 8
	fed
	all_came "$name: "
	check "$name: nothing of the way stays behind" \
		test -z "$(tc class show dev "$device" | grep 1:ff)"
}
