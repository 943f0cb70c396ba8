#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# Bad days of a tunnel's two ends: either engine ends, in any order, without a
# word or with one, and comes back; strangers knock meanwhile. Both ends find
# each other again by themselves, without a clock that agrees and without help.
# shellcheck disable=SC2154 # pid_home, pid_gw come by eval
. "$(dirname "$0")/lib.sh"

# shellcheck source=tests/net/tunnel.sh
. "$(dirname "$0")/tunnel.sh"

place direct
tunnel 1
goes_through() { home ping -c 1 -W 0.2 -q 10.77.0.1 >/dev/null; }
check 'the tunnel is up' wait_for 10 goes_through

# restart NAMESPACE SIGNAL
restart() {
	kill_engine "$1" "$2"
	engine_of "$1"
	"$1" tresse -q repair >/dev/null 2>&1
}

# One TCP connection through all of it: a gap each time, and no end.
start "$tmp/echo.log" ip netns exec gw python3 -c '
import socket
s = socket.create_server(("10.77.0.1", 7))
c, _ = s.accept()
while d := c.recv(100): c.sendall(d)'
start "$tmp/talk.log" ip netns exec home python3 -c '
import socket, sys, time
for _ in range(100):
    try:
        c = socket.create_connection(("10.77.0.1", 7), 5)
        break
    except OSError:
        time.sleep(0.1)
c.settimeout(None)
last, n = time.monotonic(), 0
while True:
    c.sendall(b"x")
    if not c.recv(1): break
    now, n = time.monotonic(), n + 1
    print(n, int(1000 * (now - last)), flush=True)
    last = now
    time.sleep(0.01)'
talk=$pid
said() { wc -l <"$tmp/talk.log"; }
goes_on() { [ "$(said)" -gt "$((words_before + 10))" ]; }
words_before=0
check 'a TCP connection is made' wait_for 10 goes_on
# gap NAME: and how long it was, which depends on the machine
gap() {
	check "$1: the TCP connection goes on" wait_for 30 goes_on
	echo "# silent for $(tail -n +"$words_before" "$tmp/talk.log" | cut -d' ' -f2 | sort -n | tail -1) ms"
}

for round in 'gw TERM' 'home TERM' 'gw KILL' 'gw KILL' 'home KILL' 'gw TERM'; do
	words_before=$(said)
	# shellcheck disable=SC2086 # two words
	restart $round
	check "it is back after $round" wait_for 15 goes_through
	gap "$round"
done
words_before=$(said)
restart home KILL
restart gw KILL
check 'it is back after both ended' wait_for 15 goes_through
gap 'both'
kill "$talk"

# The gateway answers a call and dies before anything came to it through the
# tunnel: it was never there to be missed, and yet it is called again.
gw nft 'add table inet deaf; add chain inet deaf in ' \
	'{ type filter hook input priority 0; }; ' \
	'add rule inet deaf in udp dport 5000 @th,64,8 4 counter drop'
restart home KILL
knocked() { gw nft list table inet deaf | grep -q 'packets [1-9]'; }
check 'with keys, nothing comes through' wait_for 5 knocked
restart gw KILL
gw nft delete table inet deaf
check 'it is back after one that never came' wait_for 10 goes_through

# Who does not know the key hears nothing from the gateway, whatever he sends.
knock() {
	home python3 -c '
import os, socket
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.settimeout(0.5)
for size in (0, 1, 8, 31, 71, 72, 167, 168, 215, 216, 217, 1400):
    for type in (0, 1, 2, 3, 4, 5, 255):
        body = bytes([type, 1]) + os.urandom(size)
        s.sendto(body[:size], ("10.201.1.1", 5000))
try:
    print("answered", len(s.recv(2000)))
except TimeoutError:
    print("silence")
'
}
# refused REASON: how many datagrams the gateway refused for it.
refused() { figure gw ".refused[\"$1\"]"; }
is 'a stranger hears nothing' "$(knock)" silence
is 'inits by him are counted' "$(refused bad-mac)" 2
is 'so are datagrams of no session' "$(($(refused unknown-session) > 0))" 1
check 'it still works' wait_for 5 goes_through

unplace
finish
