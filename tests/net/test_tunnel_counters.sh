#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
#
# What a line's counters say, against what the kernel counts on its devices: bytes
# in all, the mean and the maximum of the slices, loss; at both ends, with slices of
# another length and number, too.
. "$(dirname "$0")/lib.sh"
# shellcheck source=tests/net/tunnel.sh
. "$(dirname "$0")/tunnel.sh"

# wire NAMESPACE tx|rx: bytes of IP that its line has carried: each frame has 14
# bytes of Ethernet (and offloads are off, so that a frame is a frame).
wire() {
	ip netns exec "$1" sh -c "cd /sys/class/net/w1/statistics && cat ${2}_bytes ${2}_packets" |
		xargs | { read -r bytes packets && echo $((bytes - 14 * packets)); }
}
# told WAY NAME: of the member; of the server's peer
told() { figure home ".members[0].$1$2"; }
told_gw() { figure gw ".peers[0].$1$2"; }
# near NAME A B PERCENT
near() {
	check "$1 ($2, $3 on the wire)" [ $((($2 - $3) * ($2 - $3) * 10000)) -le \
		$(($3 * $3 * $4 * $4)) ]
}
# look N: what was told, and the wire before and after that; so however long it took,
# the truth is between these.
look() {
	home_a[$1]=$(wire home tx)
	home_t[$1]=$(told out .bytes)
	home_b[$1]=$(wire home tx)
	gw_a[$1]=$(wire gw rx)
	gw_t[$1]=$(told_gw in .bytes)
	gw_b[$1]=$(wire gw rx)
	at[$1]=${EPOCHREALTIME/./}
}
# between NAME TOLD LEAST MOST: with what is in hand of 1 %
between() {
	check "$1 ($2, $3 to $4 on the wire)" [ $(($2 * 100)) -ge $(($3 * 99)) -a \
		$(($2 * 100)) -le $(($4 * 101)) ]
}

place relayed
line '1 rate=50mbit queue=50ms delay=5ms'
tunnel 1
home tresse -q /links/home0 set slice=500ms slices=6
gw tresse -q /links/home0 set slice=500ms slices=6

# --- an even load ----------------------------------------------------------------------
ip netns exec home iperf3 -u -b 6M -l 1000 -c 10.77.0.1 -t 600 >/dev/null 2>&1 &
load=$!
flows() { [ "$(told out .rate.mean)" -gt 5000000 ]; }
check 'it flows' wait_for 20 flows
even() {
	look 0
	sleep 3
	look 1
	between 'bytes that were sent' $((home_t[1] - home_t[0])) \
		$((home_a[1] - home_b[0])) $((home_b[1] - home_a[0]))
	between 'bytes that came' $((gw_t[1] - gw_t[0])) \
		$((gw_a[1] - gw_b[0])) $((gw_b[1] - gw_a[0]))
	rate=$(((gw_b[1] - gw_b[0]) * 8000000 / (at[1] - at[0])))
	near 'the mean of the slices' "$(told out .rate.mean)" "$rate" 8
	near 'and at the other end' "$(told_gw in .rate.mean)" "$rate" 8
	is 'there are as many slices as were asked for' "$(told out .slices)" 6
	is 'nothing was lost' "$(figure gw '.peers[0].in["loss-ppm"].mean')" 0
}
undisturbed even
home tresse /links/home0/members/line1 get rate-out rate-out-max >"$tmp/shown"
has 'get shows it' "$tmp/shown" '^rate-out=[5-7][0-9.]*[mk]bit' '^rate-out-max=[5-9][0-9.]*[mk]bit'

# --- a loss --------------------------------------------------------------------------
line '1 loss=5'
lossy() { [ "$(figure gw '.peers[0].in["loss-ppm"].mean')" -gt 10000 ]; }
check 'a loss is seen where it arrives' wait_for 20 lossy
sleep 3
loss=$(figure gw '.peers[0].in["loss-ppm"].mean')
check "as much as there is ($loss of 50000 ppm)" [ "$loss" -gt 25000 -a "$loss" -lt 80000 ]
line '1 loss=0'

# --- a burst -----------------------------------------------------------------------------
kill "$load"
wait "$load" 2>/dev/null
calm() { [ "$(told out .rate.max)" -lt 1000000 ]; }
check 'the slices forget' wait_for 20 calm
burst() {
	wait_for 20 calm
	home iperf3 -u -b 20M -l 1000 -c 10.77.0.1 -t 1 >/dev/null
	mean=$(told out .rate.mean) max=$(told out .rate.max)
	check "of a burst the maximum is more than the mean ($max, $mean)" \
		[ "$max" -gt $((mean * 3 / 2)) ]
}
undisturbed burst

unplace
finish
