#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
#
# A server takes no more from a client than up= says: what is on its way when it
# is set is dropped, then the client knows and sends no more. Whoever stops
# sending has nothing of the limit from then on.
# shellcheck disable=SC2154 # pid_gw, pid_home come by eval
. "$(dirname "$0")/lib.sh"
# shellcheck source=tests/net/tunnel.sh
. "$(dirname "$0")/tunnel.sh"

policed() { gw tresse /links/home0/peers/home get policed | sed 's/policed=//; s/ .*//'; }
# kbit/s of payload that arrive: [iperf3 OPTION...]. A server that is not done with
# the one before is asked again.
received_of() {
	for _ in 1 2 3 4 5 6 7 8; do
		home iperf3 -c 10.77.0.1 -J "$@" >"$tmp/iperf" 2>/dev/null &&
			jq '.end.sum_received.bits_per_second / 1000 | floor' "$tmp/iperf" && return
		sleep 1
	done
}
# between NAME GOT LEAST MOST
between() {
	[ "${2:-0}" -ge "$3" ] && [ "${2:-0}" -le "$4" ] && ok "$1 ($2)" && return
	not_ok "$1: ${2:-none}, not $3 to $4"
}
# has_kbit LEAST MOST [iperf3 OPTION...]
has_kbit() {
	local kbit

	kbit=$(received_of "${@:3}")
	echo "# ${kbit:-no} kbit/s"
	[ "${kbit:-0}" -ge "$1" ] && [ "${kbit:-0}" -le "$2" ]
}

place relayed
line '1 rate=50mbit queue=50ms delay=10ms'
tunnel 1
run 0 'a limit is set' gw tresse /links/home0/peers/home set up=10mbit
sleep 0.5
check 'TCP has it' undisturbed has_kbit 7000 10500 -t 8
between 'and loses next to nothing for it' "$(policed)" 0 20
run 0 'the limit is lifted' gw tresse /links/home0/peers/home set up=
check 'TCP has the line again' undisturbed has_kbit 15000 50000 -t 4

# Not by home(): that would be a shell, which hears nothing.
ip netns exec home iperf3 -c 10.77.0.1 -u -b 40M -l 1200 -t 600 >/dev/null 2>&1 &
flow=$!
sleep 3
before=$(policed)
run 0 'one is set amid traffic' gw tresse /links/home0/peers/home set up=2mbit
sleep 1.5
dropped=$(policed)
between 'what was on its way is over it, and dropped' $((dropped - before)) 10 1000
sleep 1.5
check 'while it goes on' kill -0 "$flow"
between 'from then on the client keeps to it' "$(($(policed) - dropped))" 0 20
stop "$flow"
# What waits of it would take ten seconds and more at that rate.
check 'TCP behind it has the limit, and no old packets beside it' \
	undisturbed has_kbit 1400 2050 -t 8
unplace
finish
