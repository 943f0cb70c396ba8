#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
#
# A kernel that takes less work from the engine than ours does: what it has not, when
# the link is made, and what it refuses while packets flow (tests/lab/refuse.c, and a
# device that is down). Nothing is lost or changed by it, the link says what is on,
# and what works again is used again.
# shellcheck disable=SC2154 # pid_home comes by eval
. "$(dirname "$0")/lib.sh"
# shellcheck source=tests/net/tunnel.sh
. "$(dirname "$0")/tunnel.sh"

type python3 iperf3 >/dev/null || skip_all "python3 or iperf3 is missing"

all='tso uso segment gro'

# refuse NAMESPACE [WORD...]
refuse() { printf '%-64s' "${*:2}" 1<>"$tmp/$1.sock.refuse"; }
refuse_both() {
	refuse home "$@"
	refuse gw "$@"
}
cat >"$tmp/engine" <<-END
	#!/bin/sh
	REFUSE=\$2.refuse LD_PRELOAD=$build/refuse.so exec tressed "\$@"
END
chmod 755 "$tmp/engine"
engine=$tmp/engine
refuse_both

offloads() { "$1" tresse /links/home0 get offloads | sed 's/[^=]*="\{0,1\}//; s/"\{0,1\}  .*//; s/"$//'; }
offloads_are() { [ "$(offloads "$1")" = "$2" ]; }
# anew: both links, so that the kernel is asked again.
anew() {
	local n

	for n in gw home; do
		"$n" tresse -q /links/home0 set enabled=no 2>/dev/null
		"$n" tresse -q /links/home0 set enabled=yes
	done
	wait_for 15 reached 10.77.0.1
}
serve() {
	start "$tmp/serve" ip netns exec gw python3 "$root/tests/net/echo.py" serve 10.77.0.1 fd77::1
	wait_for 10 grep -q ready "$tmp/serve"
	server=$pid
}
# ask [SECONDS]: by IPv4 and by IPv6.
ask() {
	home python3 "$root/tests/net/echo.py" ask 10.77.0.1 "$@" &&
		home python3 "$root/tests/net/echo.py" ask fd77::1 "$@"
}
# asked NAME: all comes back.
asked() { check "$1" ask; }
reached() { home ping -c 1 -W 1 -q "$1" >/dev/null; }

place direct
tunnel 2
gw tresse -q /links/home0 set local6=fd77::1/64
gw tresse -q /links/home0/peers/home set address=10.77.0.2,fd77::2 2>/dev/null
home tresse -q /links/home0 set local6=fd77::2/64
check 'a tunnel for IPv4 and IPv6 is up' wait_for 15 reached fd77::1
if ! offloads_are home "$all"; then
	skip "offloads: this kernel has only: $(offloads home)"
	unplace
	finish
fi
is 'both ends have all that the kernel can do' "$(offloads gw)" "$all"
serve
asked 'what is sent comes back'

# --- when it is made ---------------------------------------------------------
lacks() { # WORDS OFFLOADS
	# shellcheck disable=SC2086 # words
	refuse_both $1
	anew
	is "without $1 the link says so" "$(offloads home)/$(offloads gw)" "$2/$2"
	stop "$server"
	serve
	asked "and all comes back without $1"
	refuse_both
}
lacks uso 'tso segment gro; not here: uso'
lacks tso 'segment gro; not here: tso uso'
lacks vnet 'segment gro; not here: tso uso'
lacks 'gso' 'tso uso gro; not here: segment'
lacks 'vnet gso gro' 'none; not here: tso uso segment gro'
anew
is 'with all of them again' "$(offloads home)" "$all"
stop "$server"
serve

# --- while packets flow ------------------------------------------------------
# refused WORD OFFLOADS: at both ends, under pings and traffic; then no more.
refused() {
	local asking

	ping_start 0.01
	ask 2 >"$tmp/ask" 2>&1 &
	asking=$!
	refuse_both "$1"
	check "$1 is refused: the link says so" wait_for 5 offloads_are home "$2"
	wait "$asking"
	is "meanwhile all came back" "$?$(cat "$tmp/ask")" 0
	refuse_both
	# Never more under way than the device's queue of 1,000 packets takes: what
	# that drops while nobody reads it, pings as well, is nobody's fault.
	used_again() {
		home iperf3 -c 10.77.0.1 --bidir -w 200K -n 50M >/dev/null 2>&1
		ask
		offloads_are home "$all" && offloads_are gw "$all"
	}
	check 'what works again is used again' wait_for 20 used_again
	ping_end
	is 'and no ping was lost' "$(ping_losses | cut -d' ' -f1)" 0
}
refused bunch 'tso uso gro; refused: segment'
refused join 'segment gro; refused: tso uso'

# The kernel refuses what is written to a device that is down: no fault of offloads.
start "$tmp/busy" ip netns exec gw ping -f -s 1300 10.77.0.2
flood=$pid
start "$tmp/busy2" ip netns exec home python3 "$root/tests/net/echo.py" ask 10.77.0.1 100
busy=$pid
drops() { figure home '.tun.refused'; }
before=$(drops)
came_down() {
	ip -n home link set tun0 down
	sleep 0.05
	ip -n home link set tun0 up
	[ "$(drops)" -gt "$before" ]
}
check 'a device is down for a moment, and what comes for it is refused' wait_for 10 came_down
stop "$busy"
stop "$flood"
home ip addr add fd77::2/64 dev tun0 nodad 2>/dev/null
check 'then it is up' wait_for 10 reached 10.77.0.1
is 'with all that it had' "$(offloads home)" "$all"
wait_for 10 reached fd77::1
asked 'all comes back'

# --- a device that does less -------------------------------------------------
ping_start 0.01
for i in 1 2; do
	ip netns exec home ethtool -K w$i tx off tx-udp-segmentation off >/dev/null 2>&1
	ip netns exec gw ethtool -K w$i rx off gro off >/dev/null 2>&1
done
asked 'over lines without checksums and large pieces of their own all comes back'
for i in 1 2; do
	ip netns exec home ethtool -K w$i tx on tx-udp-segmentation on >/dev/null 2>&1
	ip netns exec gw ethtool -K w$i rx on gro on >/dev/null 2>&1
done
asked 'and with them again'
ping_end
is 'no ping was lost' "$(ping_losses | cut -d' ' -f1)" 0
is 'and all is on' "$(offloads home)" "$all"

# --- one queue where two were wanted -----------------------------------------
refuse gw queues
gw tresse -q /links/home0 set threads=2 2>/dev/null
wait_for 15 reached 10.77.0.1
gw tresse /links/home0 get threads-now >"$tmp/now"
has 'where a second queue is refused one thread does all' "$tmp/now" '="?1: device tun0'
stop "$server"
serve
asked 'and all comes back'

stop "$server"
unplace
finish
