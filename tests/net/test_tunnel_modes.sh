#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
#
# Which line carries what: policies of a link, and what its members are told.
# Judged by the counters of the lines' own devices, at both ends.
# shellcheck disable=SC2034,SC2154 # counters are named by measure()
. "$(dirname "$0")/lib.sh"
# shellcheck source=tests/net/tunnel.sh
. "$(dirname "$0")/tunnel.sh"

# counters NAMESPACE: when, and packets and bytes sent by each line, at one look.
counters() {
	ip netns exec "$1" cat /proc/uptime \
		/sys/class/net/w{1,2}/statistics/tx_{packets,bytes} |
		awk 'NR == 1 { $0 = $1 * 1000 } { printf "%d ", $0 } END { print "" }'
}
look() { for n in home gw; do counters $n >"$tmp/$n.$1"; done; }
# between FROM TO [WORD]: what both ends have sent by each line between two looks,
# in packets (home1, home2, gw1, gw2) and in kbit/s (home1_kbit or _WORD and so on).
between() {
	local n i from to ms as=${3:-kbit} name

	figures=
	for n in home gw; do
		read -ra from <"$tmp/$n.$1"
		read -ra to <"$tmp/$n.$2"
		# At once after the first look: by nothing it cannot be divided, and bash
		# would go on at the next line of the script, without a verdict.
		ms=$((to[0] - from[0]))
		for i in 1 2; do
			printf -v $n$i %d $((to[2 * i - 1] - from[2 * i - 1]))
			name=$n${i}_$as
			printf -v "$name" %d \
				$(((to[2 * i] - from[2 * i]) * 8 / (ms ? ms : 1)))
			figures+="$n$i: $(($n$i)) packets, $((name)) kbit/s; "
		done
		figures+="$ms ms; "
	done
}
meanwhile() {
	look before
	"$@" >"$tmp/measured"
	look after
	between before after
}
# amid OPTION...: a flow of iperf3, all of it (home1, home1_all and so on), and the
# second behind its beginning (home1_kbit). It has a server of its own: one whose
# client was ended may go on sending.
port=5300
amid() {
	local begins server

	port=$((port + 1))
	look before
	# Not by home() and gw(): those would be shells, which hear nothing.
	ip netns exec gw iperf3 -s -1 -p "$port" >"$tmp/server" 2>&1 &
	server=$!
	wait_for 10 listens
	ip netns exec home iperf3 -c 10.77.0.1 -p "$port" -t 600 "$@" >"$tmp/measured" 2>&1 &
	flow=$!
	wait_for 10 flows
	look begun
	sleep 1
	look after
	stop "$flow"
	stop "$server"
	between begun after
	begins=$figures
	between before after all
	figures="$begins all of it: $figures"
}
listens() { ip netns exec gw ss -tlnH "sport = :$port" | grep -q .; }
flows() {
	look now
	between before now now
	[ $((home1 + home2 + gw1 + gw2)) -gt 150 ] || ! kill -0 "$flow"
}
tcp() { amid "$@"; }
udp() { amid -u -b "$1M" -l "$2" "${@:3}"; } # MBIT BYTES OPTIONS...
pings() { meanwhile home ping -q -c 20 -i 0.02 10.77.0.1; }
rest() { meanwhile sleep "$1"; }

# so EXPRESSION: of what was measured last
so() {
	(($1)) && return
	sed 's/^/  /' "$tmp/measured"
	echo "$figures"
	return 1
}
# once EXPRESSION MEASUREMENT...
once() { "${@:2}" && so "$1"; }
# that NAME EXPRESSION MEASUREMENT...
that() { check "$1" undisturbed once "${@:2}"; }

# fails LINE NAME NAME EXPRESSION: no ping is lost for it, and so is what is sent then.
fails() {
	wait_for 20 lines_up
	ping_start 0.01
	sleep 0.5
	line "$1 hole=1"
	rest 1.5
	ping_end
	line "$1 hole=0"
	is "$2" "$(ping_losses | cut -d' ' -f1)" 0
	check "$3" so "$4"
}
lines_up() {
	for i in 1 2; do
		home tresse "/links/home0/members/line$i" get state | grep -q '=up' || return 1
	done
}
member() {
	home tresse -q "/links/home0/members/line$1" set "${@:2}"
	sleep 0.3
}
# At home: the gateway is told, and does so too unless it has one of its own.
policy() {
	home tresse -q /links/home0 set "$@"
	wait_for 10 lines_up
	sleep 0.3
}

# The line that is used first is the slower one: the hard case.
place relayed
line '1 rate=20mbit queue=50ms delay=55ms'
line '2 rate=10mbit queue=50ms delay=5ms'
tunnel 2
check 'both lines are up' wait_for 10 lines_up

# --- at rest -------------------------------------------------------------------
pings >/dev/null
sleep 0.5
that 'lines with 100 ms of round trip come to rest' \
	'home1 + home2 + gw1 + gw2 <= 24' rest 2

line '1 rate=20mbit queue=50ms delay=25ms'

# --- priority --------------------------------------------------------------------
member 2 priority=1
that 'the lower priority carries all it can, though it is slower' \
	'home1_kbit > 2000 && home2_all < 100' udp 4 1200
that 'what comes back, too' 'gw1_kbit > 2000 && gw2_all < 100' udp 4 1200 -R
that 'small packets and what is said of them keep to it' \
	'home2 <= 10 && gw2 <= 10' pings
that 'the next one carries when it is full' \
	'home1_kbit > 8000 && home2_kbit > 2000' udp 25 1200

# --- metered ---------------------------------------------------------------------
member 2 priority=0 metered=yes
that 'a metered line carries nothing that another can' \
	'home1_kbit > 2000 && home2_all < 100 && gw2_all < 50' udp 4 1200
that 'nor copies of small packets' 'home2 <= 10 && gw2 <= 10' pings
that 'at rest it is silent' 'home2 <= 2 && gw2 <= 2' rest 1.5
that 'it carries what no other has room for' \
	'home1_kbit > 8000 && home2_kbit > 2000' udp 25 1200
member 1 priority=1
that 'that is less than any priority' \
	'home1_kbit > 2000 && home2_all * 6 < home1_all' udp 4 1200
member 1 priority=0

# --- standby ---------------------------------------------------------------------
line '1 rate=20mbit queue=50ms delay=10ms'
member 2 metered=no standby=yes
that 'a standby carries nothing while the other is full' \
	'home1_kbit > 4000 && home2 <= 20 && gw2 <= 20' tcp
that 'nor on the way back' 'gw1_kbit > 4000 && home2 <= 20 && gw2 <= 20' tcp -R
undisturbed fails 1 'it takes over without a lost ping' \
	'and carries then' 'home2 >= 80 && gw2 >= 80'
check 'the first comes back' wait_for 15 lines_up
that 'and the standby is quiet again' \
	'home1 >= 20 && home2 <= 10 && gw2 <= 10' pings
member 2 standby=no

# --- failover --------------------------------------------------------------------
policy policy=failover
sends() { gw tresse /links/home0/peers/home get policy | grep -q "=$1 "; }
check 'the gateway is told' wait_for 5 sends failover
that 'failover has one line' 'home1_kbit > 2000 && home2_all < 100' udp 4 1200
that 'the same on the way back' 'gw1_kbit > 2000 && gw2_all < 100' udp 4 1200 -R
member 2 weight=2
that 'the heaviest' 'home2_kbit > 2000 && home1_all < 300' udp 4 1200
that 'on the way back as well' 'gw2_kbit > 2000 && gw1_all < 300' udp 4 1200 -R
run 0 'the gateway has a policy of its own' gw tresse /links/home0 set policy=aggregate
check 'which comes first' wait_for 5 sends aggregate
that 'so both lines carry what comes back' 'gw1_kbit > 5000 && gw2_kbit > 2000' udp 25 1200 -R
that 'and one what goes out' 'home2_kbit > 2000 && home1_all < 300' udp 4 1200
run 0 'the gateway has none any more' gw tresse /links/home0 set policy=
check 'and does as it is told' wait_for 5 sends failover
member 2 weight=1 sockets=4
member 1 priority=1
check 'with all of its sockets' wait_for 10 lines_up
that 'one priority, and no other when that is full' \
	'home2_kbit > 3000 && home1_all < 100 && gw1 <= 20' udp 25 1200
undisturbed fails 2 'when it fails no ping is lost' \
	'the other carries' 'home1 >= 80 && gw1 >= 80'
member 1 priority=0
member 2 sockets=1

# --- twice -----------------------------------------------------------------------
policy policy=duplicate
that 'duplicate sends all of it by both' \
	'home1_kbit > 1200 && home2_kbit > 1200' udp 2 1200
that 'and all that comes back' 'gw1_kbit > 1200 && gw2_kbit > 1200' udp 2 1200 -R
policy policy=
for n in home gw; do $n tresse -q /links/home0 set duplicate=ef; done
that 'a class is sent by both' \
	'home1_kbit > 1200 && home2_kbit > 1200' udp 2 1200 -S 0xb8
that 'the rest is sent once' 'home1_kbit + home2_kbit < 3000 && home1_all + home2_all < 3000' udp 2 1200

# --- caps ------------------------------------------------------------------------
# A short round trip: an ack for every packet must not open the cap.
line '1 rate=100mbit queue=50ms delay=0ms'
home tresse -q /links/home0/members delete line2
member 1 up=2mbit down=3mbit
sleep 0.5
that 'up is kept' 'home1_kbit > 1200 && home1_kbit < 2400' udp 10 1200
that 'with small packets' 'home1_kbit > 1200 && home1_kbit < 2500' udp 10 100
sleep 0.5 # what still waits must not keep out who comes
that 'down is kept' 'gw1_kbit > 1800 && gw1_kbit < 3600' tcp -R
member 1 sockets=4
sleep 0.5
that 'by all sockets together' 'home1_kbit > 1200 && home1_kbit < 2400' tcp
that 'down as well' 'gw1_kbit > 1800 && gw1_kbit < 3600' tcp -R
member 1 up= down=
that 'and given up' 'home1_kbit > 5000' tcp

unplace
finish
