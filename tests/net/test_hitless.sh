#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# Eighty changes of a class and its neighbours while 7,500 datagrams pass through
# its standing queue: every one of them arrives. So they do while the class gets
# another leaf, goes to another place in the tree, gets classes of its own and
# loses them again; with each classifier that this kernel has.
. "$(dirname "$0")/lib.sh"
. "$root/tests/net/hitless.sh"

uplink
run 0 'a tree is made' tresse <<'END'
/classes create u device=wan0 default=bulk
/classes/u create line rate=40mbit burst=60k
/classes/u/line create bulk rate=17mbit ceil=17mbit burst=20k leaf="pfifo limit 2000"
/classes/u/line create side rate=1mbit burst=15k leaf="pfifo limit 50"
/classes/u/line/side/match create far dst=203.0.113.0/24
/classes/u/line/bulk/match create test proto=udp dport=9000
END

feed
queue() { tc -s qdisc show dev wan0 parent "$1"; }
bulk=$(tresse /classes/u/line/bulk get classid | sed 's/classid=//; s/ .*//')
stands() { queue "$bulk" | grep -qE 'backlog [1-9][0-9]*[KM]?b'; }
check 'a queue stands' wait_for 10 stands

changes=0 amid=0
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
check "some of them while it was sending ($amid)" test "$amid" -ge 20
fed
all_came ''

# What the kernel can only make anew.
hitless nft 'pfifo limit 4000' 'bfifo limit 6000000'
if tresse --dry-run /classes/u set classifier=bpf >/dev/null 2>&1; then
	hitless bpf 'pfifo limit 4000' 'bfifo limit 6000000'
else
	skip 'classifier=bpf: this kernel has no bpf filter'
fi

if ip link add probe0 type ifb 2>/dev/null; then
	ip link del probe0
	(
		arriving
		hitless arriving 'pfifo limit 4000' 'bfifo limit 6000000'
		exit $((failures > 0))
	) || failures=$((failures + 1))
else
	skip 'what arrives: this kernel has no ifb'
fi

# What does cost packets is refused, with their number. The class takes 17 s for
# a hundred datagrams.
tresse clearconfig confirm=yes >/dev/null 2>&1
run 0 'a slow tree' tresse <<'END'
/classes create u device=wan0 default=slow
/classes/u create slow rate=64kbit burst=2k leaf="pfifo limit 200"
/classes/u create side rate=1mbit burst=15k
/classes/u/slow/match create test proto=udp dport=9000
END
# fill: a hundred datagrams, if they are not there.
fill() {
	traffic send 5 "udp,to=192.0.2.1,dport=9000,size=1400,count=100" >/dev/null
}
refused() {
	run 1 "$1: refused" "${@:3}"
	has "$1: in words that help" "$tmp/err" '/classes/u' \
		'[1-9][0-9]* packets wait in its queue' 'force=yes'
	tree wan0 >"$tmp/after"
	same "$1: nothing was changed" "$2" "$tmp/after"
}
tree wan0 >"$tmp/before"
fill
refused 'a tree goes' "$tmp/before" tresse /classes delete u
refused 'the default goes' "$tmp/before" tresse /classes/u set default=
echo '/classes delete u' >"$tmp/batch"
refused 'a batch' "$tmp/before" tresse <"$tmp/batch"
run 1 'a class whose queue does not run empty in time' tresse <<'END'
/classes/u set default=side
/classes/u delete slow
END
has 'says how many are left' "$tmp/err" 'class wan0 1:1 goes' \
	'after 10 s [1-9][0-9]* packets still wait' 'force=yes' \
	'everything is as it was before'
tree wan0 >"$tmp/after"
same 'and stands as it stood' "$tmp/before" "$tmp/after"
run 2 'force= has one word' tresse /classes delete u force=no
run 2 'and only by its name' tresse /classes delete u yes
fill
run 0 'with force the tree goes' tresse /classes delete u force=yes
has 'and it says what that costs' "$tmp/err" '[1-9][0-9]* packets now'
check 'it is gone' test -z "$(tc class show dev wan0)"
finish
