#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# until-healthy of a link: its members have to be alive again after a commit, by
# the engine's own figures.
. "$(dirname "$0")/lib.sh"
# shellcheck source=tests/net/tunnel.sh
. "$(dirname "$0")/tunnel.sh"

up() { home tresse /links/home0/members/line"$1" get state | grep -q '=up'; }
trial() { # END CHANGE COMMIT
	printf 'begin\n%s\ncommit %s\n' "$2" "$3" | "$1" tresse
}
ended() { ! "$1" tresse -j status | grep -q '"on_trial"'; }
value() { "$1" tresse "$2" get "$3" | sed 's/[^=]*=//; s/ .*//'; }

place direct
THREADS=2 # so that its device has several queues
tunnel 2
check 'both lines are up' wait_for 15 up 1
check 'the second as well' wait_for 15 up 2

run 0 'a change of the link' trial home '/links/home0 set double=0' \
	'confirm=40s until-healthy=3s'
check 'is confirmed by itself' wait_for 30 ended home
home tresse history 1 >"$tmp/out"
has 'for its members, which are alive and lose little' "$tmp/out" \
	'confirmed by measurement' 'members/line1 alive: up, [0-9.]+ ms' \
	'members/line1 loss: [0-9.]+% out, [0-9.]+% in' 'gateway 10.201.2.1'
is 'it stays' "$(value home /links/home0 double)" 0

# On the other end: a client that has yet to call is not waited for.
run 0 'another client on the server' trial gw "$(printf '%s\n' \
	'/links/home0/peers create late key=hSDwCYkwp1R0i33ctD73Wg2/Og0mOBr066SpjqqbTmo= address=10.77.0.9')" \
	'confirm=40s until-healthy=3s'
check 'is confirmed' wait_for 30 ended gw
gw tresse history 1 >"$tmp/out"
has 'for the one that is alive' "$tmp/out" 'confirmed by measurement: .*peers/[a-z]+ alive: up'

# Another program takes a queue of the server's device, and packets with it.
mkfifo "$tmp/now"
start "$tmp/thief" ip netns exec gw python3 -c '
import fcntl, os, signal, struct, sys
fd = os.open("/dev/net/tun", os.O_RDWR)
open(sys.argv[1]).read()
fcntl.ioctl(fd, 0x400454ca, struct.pack("16sH22x", b"tun0", 0x5101))
signal.pause()' "$tmp/now"
run 0 'a change of the server' trial gw '/links/home0 set slices=12' \
	'confirm=12s until-healthy=8s'
echo >"$tmp/now"
check 'while another program takes a queue of its device: undone' wait_for 30 ended gw
gw tresse history 1 >"$tmp/out"
has 'for that' "$tmp/out" 'not healthy in 12s' \
	'/links/home0 queues: 1 of another program \(limit: its own; before: its own'
stop "$pid"

# shellcheck disable=SC2154 # by eval, in place()
run 0 'a change of the link' trial home '/links/home0 set double=100' \
	'confirm=12s until-healthy=8s'
kill -STOP "$pid_gw"
check 'while the other end goes: undone' wait_for 30 ended home
home tresse history 1 >"$tmp/out"
has 'for the members, which were alive' "$tmp/out" 'not healthy in 12s' \
	'members/line1 alive: [a-z]+ \(limit: up; before: up, '
is 'it is as it was' "$(value home /links/home0 double)" 0
kill -CONT "$pid_gw"
unplace
finish
