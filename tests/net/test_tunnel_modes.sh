#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
#
# Which line carries what: policies of a link, and what its members are told.
# Judged by the counters of the lines' own devices, at both ends.
# shellcheck disable=SC2034,SC2154 # counters are named by measure()
. "$(dirname "$0")/lib.sh"
# shellcheck source=tests/net/tunnel.sh
. "$(dirname "$0")/tunnel.sh"

(exec 3<>/dev/net/tun) 2>/dev/null || skip_all "/dev/net/tun may not be opened here"

counter() { ip netns exec "$1" cat "/sys/class/net/w$2/statistics/tx_$3"; }
counters() {
	for n in home gw; do
		for i in 1 2; do echo "$(counter $n $i packets) $(counter $n $i bytes)"; done
	done
}
# measure COMMAND...: what both ends sent meanwhile by each line, in packets
# (home1, home2, gw1, gw2) and in kbit/s (home1_kbit and so on).
measure() {
	local from now ms name before

	mapfile -t before < <(counters)
	from=$(uptime_ms)
	"$@" >"$tmp/measured" 2>&1
	ms=$(($(uptime_ms) - from))
	mapfile -t now < <(counters)
	from=0
	for name in home1 home2 gw1 gw2; do
		printf -v $name %d $((${now[from]% *} - ${before[from]% *}))
		printf -v ${name}_kbit %d \
			$(((${now[from]#* } - ${before[from]#* }) * 8 / ms))
		from=$((from + 1))
	done
	figures="home $home1_kbit/$home2_kbit kbit/s $home1/$home2 packets, gw $gw1_kbit/$gw2_kbit kbit/s $gw1/$gw2 packets, $ms ms"
}
# that NAME EXPRESSION: of what was measured
that() { if (($2)); then ok "$1"; else sed 's/^/  /' "$tmp/measured"; echo "$figures"; not_ok "$1"; fi; }

tcp() { home iperf3 -c 10.77.0.1 -t 1 "$@"; }
udp() { # MBIT BYTES OPTIONS...
	home iperf3 -u -c 10.77.0.1 -b "$1M" -l "$2" -t 1 "${@:3}"
}
pings() { home ping -q -c 20 -i 0.02 10.77.0.1; }
lines_up() {
	for i in 1 2; do
		home tresse "/links/home0/members/line$i" get state | grep -q '=up' || return 1
	done
}
member() {
	home tresse -q "/links/home0/members/line$1" set "${@:2}"
	sleep 0.3
}
policy() {
	for n in home gw; do $n tresse -q /links/home0 set "$@"; done
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
measure sleep 2
that 'lines with 100 ms of round trip come to rest' 'home1 + home2 + gw1 + gw2 <= 24'

line '1 rate=20mbit queue=50ms delay=25ms'

# --- priority --------------------------------------------------------------------
member 2 priority=1
measure udp 4 1200
that 'the lower priority carries all it can, though it is slower' \
	'home1_kbit > 2000 && home2_kbit < 100'
measure udp 4 1200 -R
that 'what comes back, too' 'gw1_kbit > 2000 && gw2_kbit < 100'
measure pings
that 'small packets and what is said of them keep to it' 'home2 <= 10 && gw2 <= 10'
measure udp 25 1200
that 'the next one carries when it is full' \
	'home1_kbit > 8000 && home2_kbit > 2000'

# --- metered ---------------------------------------------------------------------
member 2 priority=0 metered=yes
measure udp 4 1200
that 'a metered line carries nothing that another can' \
	'home1_kbit > 2000 && home2_kbit < 100 && gw2_kbit < 50'
measure pings
that 'nor copies of small packets' 'home2 <= 10 && gw2 <= 10'
measure sleep 1.5
that 'at rest it is silent' 'home2 <= 2 && gw2 <= 2'
measure udp 25 1200
that 'it carries what no other has room for' 'home1_kbit > 8000 && home2_kbit > 2000'
member 1 priority=1
measure udp 4 1200
that 'that is less than any priority' 'home1_kbit > 2000 && home2_kbit * 6 < home1_kbit'
member 1 priority=0

# --- standby ---------------------------------------------------------------------
line '1 rate=20mbit queue=50ms delay=10ms'
member 2 metered=no standby=yes
measure tcp
that 'a standby carries nothing while the other is full' \
	'home1_kbit > 4000 && home2 <= 20 && gw2 <= 20'
measure tcp -R
that 'nor on the way back' 'gw1_kbit > 4000 && home2 <= 20 && gw2 <= 20'
ping_start 0.01
sleep 0.5
line '1 hole=1'
measure sleep 1.5
ping_end
line '1 hole=0'
is 'it takes over without a lost ping' "$(ping_losses | cut -d' ' -f1)" 0
that 'and carries then' 'home2 >= 80 && gw2 >= 80'
check 'the first comes back' wait_for 15 lines_up
measure pings
that 'and the standby is quiet again' 'home1 >= 20 && home2 <= 10 && gw2 <= 10'
member 2 standby=no

# --- failover --------------------------------------------------------------------
policy policy=failover
measure udp 4 1200
that 'failover has one line' 'home1_kbit > 2000 && home2_kbit < 100'
member 2 weight=2
measure udp 4 1200
that 'the heaviest' 'home2_kbit > 2000 && home1_kbit < 300'
member 2 weight=1 sockets=4
member 1 priority=1
check 'with all of its sockets' wait_for 10 lines_up
measure udp 25 1200
that 'one priority, and no other when that is full' \
	'home2_kbit > 3000 && home1_kbit < 100 && gw1 <= 20'
ping_start 0.01
sleep 0.5
line '2 hole=1'
measure sleep 1.5
ping_end
line '2 hole=0'
is 'when it fails no ping is lost' "$(ping_losses | cut -d' ' -f1)" 0
that 'the other carries' 'home1 >= 80 && gw1 >= 80'
member 1 priority=0
member 2 sockets=1

# --- twice -----------------------------------------------------------------------
policy policy=duplicate
measure udp 2 1200
that 'duplicate sends all of it by both' 'home1_kbit > 1200 && home2_kbit > 1200'
policy policy=aggregate duplicate=ef
measure udp 2 1200 -S 0xb8
that 'a class is sent by both' 'home1_kbit > 1200 && home2_kbit > 1200'
measure udp 2 1200
that 'the rest is sent once' 'home1_kbit + home2_kbit < 3000'

# --- caps ------------------------------------------------------------------------
# A short round trip: an ack for every packet must not open the cap.
line '1 rate=100mbit queue=50ms delay=0ms'
home tresse -q /links/home0/members delete line2
member 1 up=2mbit down=3mbit
sleep 0.5
measure udp 10 1200
that 'up is kept' 'home1_kbit > 1200 && home1_kbit < 2400'
measure udp 10 100
that 'with small packets' 'home1_kbit > 1200 && home1_kbit < 2500'
sleep 0.5 # what still waits must not keep out who comes
measure tcp -R
that 'down is kept' 'gw1_kbit > 1800 && gw1_kbit < 3600'
member 1 sockets=4
sleep 0.5
measure tcp
that 'by all sockets together' 'home1_kbit > 1200 && home1_kbit < 2400'
measure tcp -R
that 'down as well' 'gw1_kbit > 1800 && gw1_kbit < 3600'
member 1 up= down=
measure tcp
that 'and given up' 'home1_kbit > 5000'

unplace
finish
