#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# A saturated class sends its rate, within 1 %: L2 bytes, by the class counter.
. "$(dirname "$0")/lib.sh"

uplink
start "$tmp/sink" far traffic sink 600 udp:9000
wait_for 5 grep -q ready "$tmp/sink"

# accurate RATE BITS SIZE: saturates a class with datagrams of SIZE bytes. Small
# ones where the rate is low, since a packet is the grain of what is counted.
accurate() {
	local rate=$1 bits=$2 size=$3 best='' measured off try

	tresse >"$tmp/out" 2>&1 <<-END || cat "$tmp/out"
	/classes create uplink device=wan0 default=all
	/classes/uplink create all rate=$rate ceil=$rate leaf="pfifo limit 50"
	END
	# Another test on a busy machine may cost a timer tick: best of three.
	for try in 1 2 3; do
		start "$tmp/send" traffic send 60 \
			"udp,to=192.0.2.1,dport=9000,size=$size,rate=$((bits * 5 / 4))"
		sleep 1
		measured=$(class_rate wan0 "$(only_class)" 5)
		stop "$pid"
		off=$(((measured - bits) * 10000 / bits))
		[ -n "$best" ] && [ "${best#-}" -le "${off#-}" ] || best=$off
		echo "# $rate, try $try: $measured bit/s, off by $off / 10000"
		[ "${best#-}" -gt 100 ] || break
	done
	check "a class of $rate sends it within 1 %" test "${best#-}" -le 100
	tresse /classes delete uplink force=yes >/dev/null
}

only_class() {
	tc class show dev wan0 | awk '/^class htb/ { print $3; exit }'
}

accurate 200kbit 200000 300
accurate 1mbit 1000000 600
accurate 50mbit 50000000 1400
finish
