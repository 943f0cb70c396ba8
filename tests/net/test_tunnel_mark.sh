#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
#
# Packets of a mark or a class go on two lines at once (duplicate-mark=,
# duplicate-class=): each of them and no others, after a new engine and a new device,
# too; where the engine may not load its filter nothing is done and it is said why.
# shellcheck disable=SC2154 # pid_home comes by eval
. "$(dirname "$0")/lib.sh"
# shellcheck source=tests/net/tunnel.sh
. "$(dirname "$0")/tunnel.sh"

[ "$TRESSE_TEST_SPACE" = root ] || skip_all 'a user namespace of its own may load no eBPF'

up() { home tresse /links/home0/members/line"$1" get state | grep -q '=up'; }
both_up() { up 1 && up 2; }
get() { home tresse "$1" get "$2" | sed 's/[^=]*=//; s/ .*//'; }
marked() { get /links/home0 marked; }
copies() { echo $(($(get /links/home0/members/line1 doubled) + $(get /links/home0/members/line2 doubled))); }
pings() { home ping -q -i 0.01 "$@" 10.77.0.1 >/dev/null; }
# went MARKED COPIES: since the last look so many were marked, and so many copies sent
look() { marked_before=$(marked) copies_before=$(copies); }
went() { echo "# $(($(marked) - marked_before)) marked, $(($(copies) - copies_before)) copies"; [ $(($(marked) - marked_before)) = "$1" ] && [ $(($(copies) - copies_before)) -ge "$2" ]; }
answers() { home ping -c 1 -W 1 -q 10.77.0.1 >/dev/null 2>&1; }
# The lines' own state follows what is at their other end.
of_others() { home nft list ruleset; home tc qdisc; ip -n home -br link | grep -v '^w[12]@'; }

place relayed
line '1 rate=50mbit queue=50ms delay=5ms'
line '2 rate=20mbit queue=50ms delay=8ms'
of_others >"$tmp/before"
tunnel 2
check 'both lines are up' wait_for 15 both_up
# Which begins them anew: what is measured below is to find them at rest.
for n in home gw; do $n tresse -q /links/home0 set double=0; done
ready() { answers && both_up; }
check 'and again without copies of what is small' wait_for 15 ready
classes() {
	home tresse <<-'END'
		/classes create inside device=tun0 default=rest
		/classes/inside create voice classid=1:10 mark=10 rate=10mbit ceil=100mbit
		/classes/inside create rest classid=1:99 mark=99 rate=10mbit ceil=100mbit
		/classes/inside/voice/match create sip proto=udp dport=5060
	END
}

# --- what it refuses ---------------------------------------------------------------
run 2 'a mask that looks at nothing is refused' home tresse /links/home0 set duplicate-mark=0/0
has 'and told' "$tmp/err" 'duplicate-mark' 'looks at no bit'

run 1 'a class that is a queue is refused' home tresse /links/home0 set duplicate-class=1:0
has 'and told as well' "$tmp/err" '1:0 is no class'

# --- at once, with classes on the device -----------------------------------------------
run 0 'classes on the device' classes
home tc class show dev tun0 | head -20 >"$tmp/classes"
ip -n home -br link show tun0 >"$tmp/device"
age() { figure home '.peers[0]["up-us"]'; }
before=$(age)
ping_start 0.01
sleep 0.3
run 0 'do not stand in the way of a mark' home tresse /links/home0 set duplicate-mark=5
run 0 'nor when it goes' home tresse /links/home0 set duplicate-mark=
run 0 'and comes again' home tresse /links/home0 set duplicate-mark=5
sleep 0.3
ping_end
is 'no ping is lost meanwhile' "$(ping_losses | cut -d' ' -f1)" 0
check 'nor is the link begun anew' [ "$(age)" -gt "$before" ]
home tc class show dev tun0 | head -20 >"$tmp/classes.after"
same 'the classes stand as they did' "$tmp/classes" "$tmp/classes.after"
ip -n home -br link show tun0 >"$tmp/device.after"
same 'and so does the device' "$tmp/device" "$tmp/device.after"
agrees 'and the running system agrees' home
five() {
	look
	pings -c 50 -m 5
	wait_for 5 went 50 50
}
check 'what has the mark goes twice from then on' undisturbed five

# --- a filter that somebody takes away -------------------------------------------------
# Whoever has a queue of the device may; the kernel tells nobody.
takes_away() {
	home python3 -c '
import fcntl, os, struct
fd = os.open("/dev/net/tun", os.O_RDWR)
IFF_TUN, IFF_NO_PI, IFF_VNET_HDR, IFF_MULTI_QUEUE = 1, 0x1000, 0x4000, 0x100
flags = IFF_TUN | IFF_NO_PI | IFF_VNET_HDR | IFF_MULTI_QUEUE
fcntl.ioctl(fd, 0x400454ca, struct.pack("16sH22x", b"tun0", flags))
fcntl.ioctl(fd, 0x800454e0, struct.pack("i", -1))'
}
run 0 'another program takes the filter away' takes_away
run 1 'drift sees that it is gone' home tresse drift
has 'and whose it was' "$tmp/said" '/links/home0' 'duplicate-mark none -> 5'
run 0 'repair puts it there again' home tresse repair
agrees 'all agrees' home
check 'and what has the mark goes twice again' undisturbed five
is 'what was sent to find out is not taken for a packet' \
	"$(figure home '.tun.malformed')" 0
home tresse -q /links/home0 set duplicate-mark=

# --- a device of one queue --------------------------------------------------------------
# As an earlier version made it: that has to be made anew, not with classes on it.
home tresse -q /classes/inside set enabled=no
ip -n home link del tun0
ip -n home tuntap add tun0 mode tun vnet_hdr
home tresse -q repair
check 'a device of one queue carries' wait_for 20 answers
home tresse -q /classes/inside set enabled=yes
run 5 'but no mark, with classes on it' home tresse /links/home0 set duplicate-mark=5
has 'and it is said what to do' "$tmp/err" 'tun0 has to be made anew' \
	'/classes/inside stands on it' 'set enabled=no there'
agrees 'and the running system agrees' home
run 0 'without them' home tresse /classes/inside set enabled=no
run 0 'it may be had' home tresse /links/home0 set duplicate-mark=5
run 0 'and they come back' home tresse /classes/inside set enabled=yes
agrees 'which agrees' home
home tresse -q /classes delete inside

# --- by mark -------------------------------------------------------------------------
run 0 'a mark is doubled' home tresse /links/home0 set duplicate-mark=0x10/0xf0
agrees 'and the running system agrees' home
is 'it is kept as it was meant' "$(get /links/home0 duplicate-mark)" 16/0xf0
check 'both lines are up again' wait_for 15 both_up
pings -c 50 -m 21 # a line that was never used has room for a few only
each_twice() {
	look
	pings -c 100 -m 21 # 0x15
	wait_for 5 went 100 100
}
check 'each that has it, and its copies are counted' undisturbed each_twice
# A line that a busy machine took for dead is proved by copies.
others_once() {
	look
	pings -c 100
	pings -c 100 -m 37 # 0x25
	went 0 0 && [ $(($(copies) - copies_before)) -le 20 ]
}
check 'others do not come by its queue, nor are they sent twice' undisturbed others_once

# --- the way back, and holes ---------------------------------------------------------
gw tresse /links/home0 get threads-now >"$tmp/threads"
run 0 'the gateway doubles its answers' gw tresse /links/home0 set duplicate-mark=0x10/0xf0
gw tresse /links/home0 get threads-now >"$tmp/threads.after"
same 'by as many threads' "$tmp/threads" "$tmp/threads.after"
gw nft add table ip marks
gw nft add chain ip marks out '{ type filter hook output priority mangle; }'
gw nft add rule ip marks out icmp type echo-reply ip length 92 meta mark set 0x15
gw_hears() { gw tresse /links/home0/peers/home get lanes | grep -q 'lanes=2' && answers; }
check 'both ends have each other' wait_for 20 gw_hears
check 'by both lines' wait_for 20 both_up
lost() { awk '/packets transmitted/ { print $1 - $4 }' "$tmp/$1"; }
late() { awk -F'time=' 'NF > 1 && $2 + 0 > 60 { n++ } END { print n + 0 }' "$tmp/$1"; }
holes() {
	wait_for 20 both_up
	ip netns exec home ping -i 0.01 -c 400 -W 2 -m 21 -s 64 10.77.0.1 >"$tmp/twice" 2>&1 &
	pid_twice=$!
	ip netns exec home ping -i 0.01 -c 400 -W 2 10.77.0.1 >"$tmp/once" 2>&1 &
	pid_once=$!
	sleep 1
	line '1 hole=1'
	sleep 1
	line '1 hole=0'
	wait_for 20 up 1
	line '2 hole=1'
	sleep 1
	line '2 hole=0'
	wait "$pid_twice" "$pid_once"
	echo "# later than 60 ms or lost: $(late twice) of the mark," \
		"$(($(lost once) + $(late once))) of the rest"
	[ "$(lost twice)" = 0 ]
}
check 'two lines that swallow all, one after the other, cost the mark nothing' \
	undisturbed holes
check 'both lines come back' wait_for 20 both_up

# --- a class -----------------------------------------------------------------------------
run 0 'the device has classes' classes
age=$(figure home '.peers[0]["up-us"]')
run 0 'and one is doubled' home tresse /links/home0 set duplicate-class=1:10
check 'which interrupts nothing' [ "$(figure home '.peers[0]["up-us"]')" -gt "$age" ]
agrees 'all of it agrees' home
class_twice() {
	look
	home traffic send 5 udp,to=10.77.0.1,dport=5060,size=400,count=20 >/dev/null
	home traffic send 5 udp,to=10.77.0.1,dport=9999,size=400,count=30 >/dev/null
	pings -c 10 -m 21
	wait_for 5 went 30 10 && [ $(($(copies) - copies_before)) -le 40 ]
}
check 'what is of it goes twice, as what has the mark, and that alone' \
	undisturbed class_twice
run 0 'the class alone' home tresse /links/home0 set duplicate-mark=
look
home traffic send 5 udp,to=10.77.0.1,dport=5060,size=400,count=20 >/dev/null
pings -c 10 -m 21
check 'is doubled' wait_for 5 went 20 0
home tresse -q /links/home0 set duplicate-mark=0x10/0xf0 duplicate-class=
run 0 'the classes go' home tresse /classes delete inside
agrees 'the rest agrees' home

# --- a new engine, a new device -----------------------------------------------------------
kill_engine home KILL
engine_of home
check 'a new engine carries' wait_for 20 answers
check 'by both lines' wait_for 20 both_up
agrees 'and agrees' home
pings -c 20 -m 21
look
pings -c 40 -m 21
check 'what is marked comes by its queue again' wait_for 5 went 40 0
# Whoever makes it holds a queue for a moment: ours are not to be confused by that.
for i in 1 2 3; do
	ip -n home link del tun0
	run 0 "the device is made anew, $i of 3" home tresse repair
	check 'it carries' wait_for 20 answers
	look
	pings -c 40 -m 21
	pings -c 40
	check 'and what is marked comes by its queue' wait_for 5 went 40 0
done

# --- without the rights -----------------------------------------------------------------
bare() { TRESSE_SOCKET=$tmp/bare.sock TRESSE_STORE=$tmp/bare.db ip netns exec mid "$@"; }
TRESSE_STORE=$tmp/bare.db ip netns exec mid setpriv --bounding-set=-bpf,-sys_admin \
	--inh-caps=-all tressed --socket "$tmp/bare.sock" &
pid_bare=$!
wait_for 5 test -S "$tmp/bare.sock"
run 4 'an engine that may not load a filter refuses' bare tresse -q /links create l \
	role=client device=tun9 local=10.9.9.2/24 peer=192.0.2.1:5000 \
	peer-key="$(key_of gw)" duplicate-mark=5
has 'and says what it wants' "$tmp/err" 'duplicate-mark' 'CAP_BPF'
is 'nothing is left of it' "$(ip -n mid -o link show tun9 2>/dev/null)$(bare tresse /links ls | grep -c ' l ')" 0
kill "$pid_bare"

# --- and away ---------------------------------------------------------------------------
run 0 'no mark any more' home tresse /links/home0 set duplicate-mark=
agrees 'which agrees, too' home
check 'both lines are up at last' wait_for 15 both_up
no_copies() {
	copies_before=$(copies)
	pings -c 100 -m 21
	[ $(($(copies) - copies_before)) -le 20 ]
}
check 'and no copies are sent' undisturbed no_copies
run 0 'the link goes' home tresse /links delete home0
of_others >"$tmp/after"
same 'and all is as it was found' "$tmp/before" "$tmp/after"

unplace
finish
