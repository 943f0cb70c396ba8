#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
#
# Two ends that reach each other and do not go together: the same inner address,
# one that the server does not know, one key at two hosts, what is sent led back
# into the tunnel. Each says so in one sentence, at both ends where both can tell,
# and stops saying so when it is mended.
# shellcheck disable=SC2154 # pid_home, pid_gw, tmp come from tunnel.sh and lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=tests/net/tunnel.sh
. "$(dirname "$0")/tunnel.sh"

twin() { in_ twin "$@"; }
pings() { home ping -c 3 -i 0.05 -W 1 -q 10.77.0.1 >/dev/null; }
# says END PATH WORDS
says() { "$1" tresse "$2" get error 2>/dev/null | grep -qE -- "$3"; }
told() { # NAME END PATH WORDS
	wait_for 30 says "$2" "$3" "$4" && ok "$1" && return
	"$2" tresse "$3" get state error
	not_ok "$1"
}
quiet() { ! says "$1" "$2" '[a-z] [a-z]+ [a-z]'; }
mended() { # NAME
	local at

	for at in 'home /links/home0' 'gw /links/home0/peers/home' 'gw /links/home0'; do
		# shellcheck disable=SC2086 # an end and a path
		wait_for 30 quiet $at && continue
		# shellcheck disable=SC2086
		set -- "$1" $at
		"$2" tresse "$3" get error
		not_ok "$1"
		return
	done
	ok "$1"
}

place direct
tunnel 1
mended 'ends that go together have no complaint'

# --- inner addresses ------------------------------------------------------------
home tresse -q /links/home0 set local=10.77.0.1/24
told 'the same inner address: the client says so' home /links/home0 \
	'both ends have the inner address 10.77.0.1: give one of them another local='
told 'and the server' gw /links/home0/peers/home 'both ends have the inner address 10.77.0.1'
home tresse -q /links/home0 set local=10.99.0.7/24
told 'one that the server does not know: the client says so' home /links/home0 \
	'the server drops what this end sends .* there it has 10.77.0.2/24'
told 'and the server' gw /links/home0/peers/home \
	'inner address 10.99.0.7, which address= does not grant it'
gw tresse -q /links/home0/peers/home set address=10.77.0.2,10.99.0.0/24
mended 'granted, it is no matter'
home tresse -q /links/home0 set local=10.77.0.2/24
gw tresse -q /links/home0/peers/home set address=10.77.0.2
mended 'as it was, none is left'
check 'and it carries' wait_for 5 pings

# --- what is sent comes back ------------------------------------------------------
gw tresse -q /links/home0/peers/home set address=10.77.0.2,10.201.0.0/16
ip -n gw route add 10.201.1.2/32 dev tun0
ip netns exec home ping -i 0.05 10.77.0.1 >/dev/null 2>&1 &
started+=($!)
told 'a way into the tunnel itself is seen' gw /links/home0 \
	'what is sent to 10.201.1.2:[0-9]+ is routed into this tunnel itself, by tun0'
before=$(figure gw '.peers[0].lanes[0].out.packets')
sleep 1
after=$(figure gw '.peers[0].lanes[0].out.packets')
check "and nothing goes round in it ($((after - before)) datagrams in a second)" \
	[ $((after - before)) -lt 1000 ]
ip -n gw route del 10.201.1.2/32 dev tun0
gw tresse -q /links/home0/peers/home set address=10.77.0.2
mended 'with its own way back it is forgotten'
check 'and it carries' wait_for 5 pings
run 1 'a member by its own device is refused' home sh -c \
	'tresse -q /paths create itself device=tun0 && tresse -q /links/home0/members create itself'
has 'with its reason' "$tmp/err" 'what this link sends there comes back to it'

# --- one key at two hosts -----------------------------------------------------------
key=yAnz5TF+lXXJte14tji3zlMNq+hd2rYUIgJBgB3fBmk=
home tresse -q /links/home0 set key=$key
gw tresse -q /links/home0/peers/home set key="$(key_of home)"
check 'with a key that was given it carries' wait_for 10 pings
place_of twin
ip link add w3 netns twin type veth peer name w3 netns gw
address twin w3 10.201.3.2/24
address gw w3 10.201.3.1/24
engine_of twin 2>/dev/null
twin tresse -q /paths create line device=w3 gateway=10.201.3.1
twin tresse -q /links create home0 role=client device=tun0 local=10.77.0.2/24 \
	peer=10.200.0.1:5000 peer-key="$(key_of gw)" key=$key 2>/dev/null
twin tresse -q /links/home0/members create line
told 'the server says that two call with one key, and whence' gw /links/home0/peers/home \
	'two hosts have this key, .*10.201.[13].2:.* each a peer and a key of its own'
told 'so does the one' home /links/home0 'another host calls the server with this one.s key'
told 'and the other' twin /links/home0 'another host calls the server with this one.s key'
kill "${started[@]}" 2>/dev/null
started=()
kill_engine twin
unplace
ip netns del twin
finish
