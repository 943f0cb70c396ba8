#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# A saturated class sends its rate, within 1 %: L2 bytes, by the class counter.
. "$(dirname "$0")/lib.sh"

uplink
start "$tmp/sink" far traffic sink 600 udp:9000
wait_for 5 grep -q ready "$tmp/sink"

# within PER_10000 BITS SIZE: what it sends, of datagrams of that SIZE, is.
within() {
	local measured off

	start "$tmp/send" traffic send 60 \
		"udp,to=192.0.2.1,dport=9000,size=$3,rate=$(($2 * 5 / 4))"
	sleep 2
	measured=$(class_rate wan0 "$(only_class)" 5)
	stop "$pid"
	off=$(((measured - $2) * 10000 / $2))
	echo "# $measured bit/s, off by $off / 10000"
	[ "${off#-}" -le "$1" ]
}
# accurate RATE BITS SIZE: saturates a class with datagrams of SIZE bytes. Small
# ones where the rate is low, since a packet is the grain of what is counted. Half
# a second of them may wait: so long the sender may be kept from sending.
accurate() {
	local limit=$(($2 / $3 / 16 + 50))

	tresse >"$tmp/out" 2>&1 <<-END || cat "$tmp/out"
	/classes create uplink device=wan0 default=all
	/classes/uplink create all rate=$1 ceil=$1 leaf="pfifo limit $limit"
	END
	check "a class of $1 sends it within 1 %" undisturbed within 100 "$2" "$3"
	tresse /classes delete uplink force=yes >/dev/null
}

only_class() {
	tc class show dev wan0 | awk '/^class htb/ { print $3; exit }'
}

accurate 200kbit 200000 300
accurate 1mbit 1000000 600
accurate 50mbit 50000000 1400
finish
