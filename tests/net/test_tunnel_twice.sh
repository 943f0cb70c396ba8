#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
#
# A server's first duplicate-mark, with several threads: nothing is interrupted, nobody
# is called anew, and what has the mark goes twice whichever thread has the client. So
# with one thread, and with frames.
# shellcheck disable=SC2154 # tmp is lib.sh's, pid_gw comes by eval
. "$(dirname "$0")/lib.sh"
# shellcheck source=tests/net/tunnel.sh
. "$(dirname "$0")/tunnel.sh"

(exec 3<>/dev/net/tun) 2>/dev/null || skip_all "/dev/net/tun may not be opened here"
[ "$TRESSE_TEST_SPACE" = root ] || skip_all 'a user namespace of its own may load no eBPF'
type jq perl iperf3 >/dev/null || skip_all 'jq, perl or iperf3 is missing (make deps)'

get() { "$1" tresse "$2" get "$3" | sed 's/[^=]*=//; s/ .*//'; }
of_home() { figure gw ".peers[] | select(.name == \"home\") | $1"; }
marked() { get gw /links/home0 marked; }
copies() { of_home '[.lanes[].doubled] | add'; }
up() { [ "$(get home /links/home0/members/line1 state)$(get home /links/home0/members/line2 state)" = upup ]; }
# Answers of that length have the mark, of others not.
marking() {
	gw nft -f - <<-'END'
		table ip marks {
			chain out {
				type filter hook output priority mangle
				oifname tun0 icmp type echo-reply ip length 728 meta mark set 0x15
			}
		}
	END
}
twice() { # that many pings of that size: all of them, or none
	local marked_before copies_before

	marked_before=$(marked) copies_before=$(copies)
	home ping -q -i 0.02 -c 50 -s "$1" 10.77.0.1 >/dev/null || return 1
	went() {
		echo "# $(($(marked) - marked_before)) marked, $(($(copies) - copies_before)) copies"
		[ $(($(marked) - marked_before)) = "$2" ] &&
			{ [ "$2" = 0 ] || [ $(($(copies) - copies_before)) -ge "$2" ]; }
	}
	wait_for 5 went "$1" "$2"
}
# A tunnel whose second peer is home: the first one is the first thread's.
tunnel_with() { # SETTING...
	gw tresse -q /links create home0 role=server device=tun0 local=10.77.0.1/24 \
		listen=5000 double=0 "$@"
	home tresse -q /links create home0 role=client device=tun0 local=10.77.0.2/24 \
		peer=10.200.0.1:5000 peer-key="$(key_of gw)" double=0 "${@:2}" 2>/dev/null
	gw tresse -q /links/home0/peers create absent address=10.77.0.9 \
		key=hSDwCYkwp1R0i33ctD73Wg2/Og0mOBr066SpjqqbTmo=
	gw tresse -q /links/home0/peers create home key="$(key_of home)" address=10.77.0.2
	for i in 1 2; do home tresse -q /links/home0/members create "line$i"; done
	wait_for 20 up
}
lost() { ping_losses | cut -d' ' -f1; }
in_place() { # NAME THREADS
	local age

	age=$(of_home '.["up-us"]')
	ping_start 0.01
	wait_for 10 grep -q 'icmp_seq=20 ' "$tmp/ping"
	run 0 "$1: a mark" gw tresse /links/home0 set duplicate-mark=0x10/0xf0
	sleep 0.5
	run 0 "$1: none" gw tresse /links/home0 set duplicate-mark=
	run 0 "$1: and again" gw tresse /links/home0 set duplicate-mark=0x10/0xf0
	sleep 0.5
	ping_end
	is "$1: no ping is lost meanwhile" "$(lost)" 0
	check "$1: nor is the client called anew" [ "$(of_home '.["up-us"]')" -gt "$age" ]
	is "$1: the threads are as many as before" "$(get gw /links/home0 threads-now)" "$2"
	is "$1: the running system agrees" "$(gw tresse drift 2>&1)" \
		'The running system agrees with the store.'
	check "$1: what has the mark goes twice" undisturbed twice 700 50
	check "$1: the rest does not" undisturbed twice 800 0
}
away() { for n in home gw; do $n tresse -q /links delete home0; done; }

place direct
marking
for i in 1 2; do home tresse -q /paths create line$i device=w$i gateway=10.201.$i.1; done
check 'a server of two threads' tunnel_with threads=2
in_place 'two threads' 2
handed() { [ "$(figure gw '[.threads[]["handed-packets"]] | add')" -gt 0 ]; }
check 'one of them hands to the other what it read' handed
get_big() { home iperf3 -c 10.77.0.1 -R -n 20M >"$tmp/iperf" 2>&1; }
check 'TCP comes from the server by both' get_big
kill -9 "$pid_gw"
wait "$pid_gw" 2>/dev/null
TRESSE_STORE=$tmp/gw.db ip netns exec gw tressed --socket "$tmp/gw.sock" &
pid_gw=$!
there() { home ping -c 1 -W 1 -q 10.77.0.1 >/dev/null && [ "$(of_home '[.lanes[] | select(.state == "up")] | length')" = 2 ]; }
check 'a new engine' wait_for 30 there
check 'has the same from the start' undisturbed twice 700 50
is 'with as many threads' "$(get gw /links/home0 threads-now)" 2
away
check 'a server of one thread' tunnel_with threads=1
in_place 'one thread' 1
away
check 'a server in tap mode' tunnel_with threads=2 mode=tap
in_place 'frames' 2
away
unplace
finish
