#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# Eighty changes of a class and its neighbours while 7,500 datagrams pass through
# its standing queue: every one of them arrives.
. "$(dirname "$0")/lib.sh"

datagrams=7500
uplink
run 0 'a tree is made' tresse <<'END'
/classes create u device=wan0 default=bulk
/classes/u create line rate=40mbit burst=60k
/classes/u/line create bulk rate=17mbit ceil=17mbit burst=20k leaf="pfifo limit 2000"
/classes/u/line create side rate=1mbit burst=15k leaf="pfifo limit 50"
/classes/u/line/side/match create far dst=203.0.113.0/24
/classes/u/line/bulk/match create test proto=udp dport=9000
END

# Not through far(): its process would be a shell, and get our signal.
start "$tmp/sink" ip netns exec far traffic sink 60 udp:9000
wait_for 5 grep -q ready "$tmp/sink"
sink=$pid
# A little more than the class sends, so that its queue stands and grows.
start "$tmp/send" traffic send 30 \
	"udp,to=192.0.2.1,dport=9000,size=1400,rate=18500000,count=$datagrams"
sender=$pid
queue() { tc -s qdisc show dev wan0 parent "$1"; }
bulk=$(tresse /classes/u/line/bulk get classid | sed 's/classid=//; s/ .*//')
stands() { queue "$bulk" | grep -qE 'backlog [1-9][0-9]*[KM]?b'; }
check 'a queue stands' wait_for 10 stands

changes=0
# change WORDS...: one more, that must not fail.
change() {
	if tresse "$@" >"$tmp/out" 2>&1; then
		changes=$((changes + 1))
	else
		cat "$tmp/out"
		not_ok "change: $*"
	fi
}
for round in 1 2 3 4 5 6 7 8 9 10; do
	change /classes/u/line/bulk set rate=$((17 + round % 2))mbit \
		ceil=$((18 + round % 2))mbit
	change /classes/u/line/bulk set burst=$((20 + round))k prio=$((round % 8))
	change /classes/u/line/bulk set quantum=$((3000 + round)) \
		description="round $round"
	change /classes/u/line/bulk set leaf="pfifo limit $((2000 + round))"
	change /classes/u/line create "new$round" rate=100kbit burst=15k
	change /classes/u/line/side/match/far set dst=203.0.113.$round
	change /classes/u/line delete "new$round"
	# The queue that stands is the default class's own, and stays it.
	[ $((round % 2)) = 1 ] && other=side || other=bulk
	change /classes/u set default="$other" r2q=$((10 + round))
done
is 'eighty changes were made' "$changes" 80
check 'some of them while it was sending' stands
over() { ! kill -0 "$sender" 2>/dev/null; }
wait_for 30 over
drained() { ! stands; }
wait_for 30 drained
sleep 0.2
stop "$sink"
is 'every datagram was sent' "$(awk '{ print $3 }' "$tmp/send")" $datagrams
is 'every datagram arrived' \
	"$(awk '$1 == "udp" { print $3 }' "$tmp/sink")" $datagrams
finish
