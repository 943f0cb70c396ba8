#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
#
# A server whose clients are shared by several threads: each datagram comes to
# the thread that has its client, clients reach each other across threads, all
# come back after a restart and after another number of threads, and where the
# device has one queue there is one thread, which says so.
# shellcheck disable=SC2154 # pid_gw comes by eval
. "$(dirname "$0")/lib.sh"
# shellcheck source=ends.sh
. "$root/tests/net/ends.sh"
type python3 iperf3 jq >/dev/null || skip_all "python3, iperf3 or jq is missing"

clients='1 2 3 4'

pings() { in_ "$1" ping -c 3 -i 0.05 -W 2 -q "$2" >/dev/null; }
all_ping() {
	local i

	for i in $clients; do
		in_ c"$i" ping -c 1 -W 0.3 -q 10.77.0.1 >/dev/null || return
	done
}
# status FILTER: of the gateway's link, by jq.
status() { figure gw "$1"; }
sum_of() { status "[.threads[].\"$1\"] | add"; }
threads_now() { in_ gw tresse /links/home0 get threads-now | sed 's/threads-now="\?\([0-9]*\).*/\1/'; }

# --- made, with more threads than anybody asked for so far ---------------------
for n in gw c1 c2 c3 c4; do
	place_of $n
	engine_of $n
done
ip netns exec gw sysctl -qw net.ipv4.ip_forward=1
ip -n gw addr add 10.200.0.1/32 dev lo
run 0 'a server with two threads is made' in_ gw tresse -q /links create home0 \
	role=server device=tun0 local=10.77.0.1/24 listen=5000 threads=2
key=$(key_of gw)
for i in $clients; do
	line_to_gw "$i"
	in_ c"$i" tresse -q /links create home0 role=client device=tun0 \
		local=10.77.0.1"$i"/24 peer=10.200.0.1:5000 "peer-key=$key" 2>/dev/null
	in_ gw tresse -q /links/home0/peers create c"$i" \
		"key=$(key_of c"$i")" address=10.77.0.1"$i"
	in_ c"$i" tresse -q /links/home0/members create line
done
check 'four clients are served' wait_for 10 all_ping
is 'by two threads' "$(threads_now)" 2
is 'whose names tell them' "$(sort "/proc/$pid_gw/task/"*/comm | grep -c '^home0/[01]$')" 2
is 'which share the clients' "$(status '[.threads[].peers]')" '[2,2]'
agrees 'a second plan is empty' gw

# --- all at once -------------------------------------------------------------
iperf_pids=()
for i in $clients; do
	in_ gw iperf3 -s -D -p 530"$i" -I "$tmp/iperf$i.pid" >/dev/null
	wait_for 5 test -s "$tmp/iperf$i.pid"
	iperf_pids+=("$(tr -d '\0' <"$tmp/iperf$i.pid")")
done
all_at_once() {
	local jobs=() i reverse=() rate

	for i in $clients; do
		[ "$i" -le 2 ] || reverse=(-R)
		in_ c"$i" iperf3 -c 10.77.0.1 -p 530"$i" -t 4 "${reverse[@]}" -J >"$tmp/flow$i" 2>&1 &
		jobs+=($!)
	done
	wait "${jobs[@]}"
	for i in $clients; do
		rate=$(jq '.end.sum_received.bits_per_second / 1e6 | floor' "$tmp/flow$i" 2>/dev/null)
		check "client $i had its part (${rate:-no} Mbit/s)" [ "${rate:-0}" -ge 5 ]
	done
}
undisturbed all_at_once
is 'every datagram came to the thread that has its client' "$(sum_of handed-datagrams)" 0
check 'inits were handed to it' [ "$(sum_of handed-inits)" -ge 2 ]
# TCP's own answers lead the kernel to the right queue from the second packet on.
took=$(status '.tun."in-packets"') handed=$(sum_of handed-packets)
check "and packets seldom ($handed of $took)" [ $((handed * 20)) -le "$took" ]
is 'nothing was lost between threads' "$(sum_of handed-full)" 0
check 'each thread carried some' [ "$(status '[.threads[]."in-packets"] | min')" -gt 100 ]
check 'the counters of the link are those of all its threads' \
	[ "$(status '.tun."in-packets" == ([.threads[]."in-packets"] | add)')" = true ]

# --- from client to client ---------------------------------------------------
for pair in '1 2' '1 3' '2 4' '4 1'; do
	# shellcheck disable=SC2086 # two words
	set -- $pair
	check "client $1 reaches client $2" pings c"$1" 10.77.0.1"$2"
done
in_ c2 iperf3 -s -D -p 5400 -I "$tmp/iperf5.pid" >/dev/null
wait_for 5 test -s "$tmp/iperf5.pid"
iperf_pids+=("$(tr -d '\0' <"$tmp/iperf5.pid")")
across() {
	local rate

	rate=$(in_ c1 iperf3 -c 10.77.0.12 -p 5400 -t 3 -J |
		jq '.end.sum_received.bits_per_second / 1e6 | floor')
	check "and by TCP, at a rate (${rate:-no} Mbit/s)" [ "${rate:-0}" -ge 20 ]
}
undisturbed across
check 'which crosses threads' [ "$(sum_of handed-packets)" -gt "$handed" ]
in_ c1 ping -c 20 -i 0.01 -W 0.2 -q -I 10.77.0.11 10.77.0.12 >/dev/null
ip -n c1 addr add 10.77.0.14/32 dev tun0
in_ c1 ping -c 20 -i 0.01 -W 0.2 -q -I 10.77.0.14 10.77.0.1 >/dev/null
is 'an address of a client of another thread is spoofed' \
	"$(get gw /links/home0/peers/c1 spoofed)" 20
ip -n c1 addr del 10.77.0.14/32 dev tun0
run 1 'so is it refused to another client' in_ gw tresse -q \
	/links/home0/peers/c1 set address=10.77.0.12
run 1 'and so is its key' in_ gw tresse -q /links/home0/peers/c1 set \
	"key=$(key_of c2)"

# What is refused for its key leaves no trace of its address. This one is no point
# of the curve that anything could be agreed with.
nothing=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=
some=hSDwCYkwp1R0i33ctD73Wg2/Og0mOBr066SpjqqbTmo=
run 1 'a key that cannot be used is refused' in_ gw tresse -q /links/home0/peers create \
	late key=$nothing address=10.77.0.50
has 'for that' "$tmp/err" 'none that can be used'
run 0 'and its address is free' in_ gw tresse -q /links/home0/peers create late \
	key=$some address=10.77.0.50
run 1 'so it is when a key is changed to it' in_ gw tresse -q \
	/links/home0/peers/late set key=$nothing address=10.77.0.51
run 0 'which another one can have' in_ gw tresse -q /links/home0/peers create later \
	key=9hMyPPOoxDtkqHCXRd0jjXWxkLZyIDZmYKQXKjbvWC8= address=10.77.0.51
in_ gw tresse -q /links/home0/peers delete late
in_ gw tresse -q /links/home0/peers delete later

# --- a client moves, another comes, one goes ---------------------------------
ip -n c3 addr del 10.201.3.2/24 dev w0
ip -n c3 addr add 10.201.3.77/24 dev w0
ip -n c3 route replace default via 10.201.3.1 dev w0 table 20000 proto 84
check 'a client whose address changed is followed' wait_for 10 pings c3 10.77.0.1
in_ gw tresse -q /links/home0/peers delete c4
check 'a client that is taken out is not served' sh -c "! ip netns exec c4 \
	ping -c 2 -i 0.2 -W 0.3 -q 10.77.0.1 >/dev/null"
is 'and the others are' "$(pings c1 10.77.0.1 && pings c2 10.77.0.1 && echo yes)" yes
in_ gw tresse -q undo
check 'until it is put back' wait_for 15 pings c4 10.77.0.1
is 'it went to the thread that had fewer' "$(status '[.threads[].peers]')" '[2,2]'

# --- hostile datagrams -------------------------------------------------------
# Any index, in any size; and many of different threads as one (UDP_SEGMENT),
# which the kernel brings to one of them.
hostile() {
	in_ c1 python3 -c '
import os, socket
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
for size in (1, 2, 3, 4, 5, 8, 31, 32, 33, 200, 1400):
    for low in range(256):
        s.sendto((bytes([4, 0, low]) + os.urandom(1400))[:size], ("10.201.1.1", 5000))
s.setsockopt(socket.SOL_UDP, 103, 200)
for i in range(50):
    s.sendto(b"".join((bytes([4 - 3 * (n % 7 == 6), 0, n]) + os.urandom(197))
                      for n in range(64)), ("10.201.1.1", 5000))
'
}
before=$(status '.refused | add') handed=$(sum_of handed-datagrams)
all_refused() { [ "$(status '.refused | add')" -ge $((before + 256 * 11 + 50 * 64 - 200)) ]; }
hostile
check 'hostile datagrams are refused and counted' wait_for 5 all_refused
echo "# of another thread, and handed to it: $(($(sum_of handed-datagrams) - handed))"
check 'all clients are served as before' wait_for 5 all_ping

# --- another program has a queue -----------------------------------------------
start "$tmp/thief" ip netns exec gw python3 -c '
import fcntl, os, signal, struct
fd = os.open("/dev/net/tun", os.O_RDWR)
fcntl.ioctl(fd, 0x400454ca, struct.pack("16sH22x", b"tun0", 0x5101))
print("held", flush=True)
signal.pause()'
thief=$pid
wait_for 10 grep -q held "$tmp/thief"
in_ gw tresse /links/home0 get error >"$tmp/said"
has 'a queue that another program has is told of, and how it is found' "$tmp/said" \
	'device tun0: another program has 1 of its queues' 'grep -ls tun0 /proc'
has 'which finds it' <(grep -ls tun0 /proc/[0-9]*/fdinfo/* | cut -d/ -f3) "^$thief\$"
is_gone() { ! in_ gw tresse /links/home0 get error | grep -q 'another program'; }
stop "$thief"
check 'without it all is well' wait_for 5 is_gone

# --- the engine ends ---------------------------------------------------------
for signal in KILL TERM; do
	kill_engine gw $signal
	engine_of gw
	check "all clients are back after $signal" wait_for 15 all_ping
done
is 'with as many threads' "$(threads_now)" 2

# --- the device is taken away --------------------------------------------------
ip -n gw link del tun0
device_lost() { in_ gw tresse /links/home0 get error | grep -q 'device tun0 was taken away: .tresse repair'; }
check 'a device that is taken away is told, with the remedy' wait_for 3 device_lost
before=$(awk '{ print $14 + $15 }' "/proc/$pid_gw/stat")
sleep 1
check 'and costs nothing' \
	[ $(($(awk '{ print $14 + $15 }' "/proc/$pid_gw/stat") - before)) -le 20 ]
run 0 'repair makes it anew' in_ gw tresse -q repair
check 'and all are served, by the sessions they had' wait_for 3 all_ping
check 'the error is gone' lacks gw /links/home0 error repair

# --- another number of threads -----------------------------------------------
for count in 4 3 1 16 auto; do
	run 0 "threads=$count is set while they are connected" in_ gw tresse -q \
		/links/home0 set threads=$count
	check 'all clients are back by themselves' wait_for 15 all_ping
	[ $count = auto ] || is 'with as many threads' "$(threads_now)" $count
done
in_ gw tresse -n /links/home0 set threads=2 >"$tmp/plan" 2>&1
has 'the plan says so' "$tmp/plan" 'threads 0 -> 2'
run 1 'seventeen are too many' in_ gw tresse -q /links/home0 set threads=17
run 1 'a client has one' in_ c1 tresse -q /links/home0 set threads=2
has 'and is told why' "$tmp/err" 'threads is for a server'

run 0 'with mode=tap as many serve all' in_ gw tresse -q /links/home0 set mode=tap threads=3
is 'and it says so' "$(threads_now)" 3
for i in $clients; do in_ c"$i" tresse -q /links/home0 set mode=tap; done
check 'all clients are back in tap' wait_for 15 all_ping
run 0 'one alone is enough' in_ gw tresse -q /links/home0 set threads=1
check 'all clients are back in tap with it' wait_for 15 all_ping
for i in $clients; do in_ c"$i" tresse -q undo; done
run 0 'and back to tun' in_ gw tresse -q /links/home0 set mode=tun threads=auto
check 'all clients are back in tun' wait_for 15 all_ping

# --- a device of one queue ---------------------------------------------------
# As an earlier version made it for one thread.
in_ gw tresse -q /links/home0 set threads=1
ip -n gw link del tun0
ip -n gw tuntap add tun0 mode tun vnet_hdr
in_ gw tresse -q repair
check 'one thread serves all' wait_for 15 all_ping
check 'by a device of one queue' sh -c "! ip -n gw -d link show tun0 | grep -q multi_queue"
in_ gw tresse -q /links/home0 set threads=auto
check 'on it they are served' wait_for 15 all_ping
in_ gw tresse /links/home0 get threads-now >"$tmp/now"
if [ "$(nproc)" -gt 1 ]; then
	has 'by one thread, and it says why and what to do' "$tmp/now" \
		'1: device tun0 was made with one queue.*enabled=no'
else
	skip 'one thread where more were wanted: this host has one processor'
fi
run 0 'two threads have the device made anew' in_ gw tresse -q /links/home0 set threads=2
check 'all clients are back on it' wait_for 15 all_ping
is 'two threads serve them' "$(threads_now)" 2
agrees 'and all agrees' gw

kill "${iperf_pids[@]}" 2>/dev/null
finish
