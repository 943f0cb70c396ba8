#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
#
# Addresses that a server hands out: chosen, told, set, kept, changed and taken
# back; and what a hostile server is not believed.
# shellcheck disable=SC2154 # pid_gw, pid_c1 come by eval
. "$(dirname "$0")/lib.sh"
# shellcheck source=ends.sh
. "$root/tests/net/ends.sh"

pings() { in_ "$1" ping -c 3 -i 0.05 -W 2 -q "$2" >/dev/null 2>&1; }
# Inner addresses of a client, as ip sees them.
has_now() { ip -n "$1" -o addr show dev tun0 scope global | awk '{ print $4 }' | sort | xargs; }
has_is() { [ "$(has_now "$1")" = "$2" ]; }
# has_soon NAME CLIENT ADDRESSES
has_soon() {
	wait_for 8 has_is "$2" "$3"
	is "$1" "$(has_now "$2")" "$3"
}
says() { get "$1" /links/vpn error | grep -qE -- "$2"; }
# refused NAME ADDRESS WHY: what the server hands out to c1 is not taken.
refused() {
	in_ gw tresse -q /links/vpn/peers/c1 set "address=$2" 2>/dev/null
	check "$1 is not taken" wait_for 8 says c1 "$2/[0-9]* is not taken: .*$3.*set local6?="
	is 'and not set' "$(has_now c1)" ''
}
peer_of() { # CLIENT
	in_ gw tresse -q /links/vpn/peers create "$1" "key=$(key_of "$1" vpn)" "${@:2}"
}
client() { # NUMBER [SETTING...]
	local n=c$1
	shift
	in_ "$n" tresse -q /links create vpn role=client device=tun0 \
		peer=10.200.0.1:5000 "peer-key=$key" "$@" 2>/dev/null
}

place_of gw
ip -n gw addr add 10.200.0.1/32 dev lo
engine_of gw
for i in 1 2; do
	place_of c$i
	engine_of c$i
	line_to_gw $i
done

# --- chosen ------------------------------------------------------------------
run 0 'a server has a network' in_ gw tresse /links create vpn role=server device=tun0 \
	local=10.79.0.1/24 local6=fd79::1/64 listen=5000
key=$(key_of gw vpn)
client 1
run 0 'a peer gets no address by hand' peer_of c1
is 'it gets the lowest free ones' "$(get gw /links/vpn/peers/c1 address)" '10.79.0.2,fd79::2'
in_ c1 tresse -q /links/vpn/members create line
check 'the client comes up' wait_for 10 pings c1 10.79.0.1
check 'with IPv6, too' pings c1 fd79::1
is 'with the addresses that the server has for it' "$(has_now c1)" '10.79.0.2/24 fd79::2/64'
is 'which it shows' "$(get c1 /links/vpn address)" '10.79.0.2/24,fd79::2/64'
in_ c1 tresse ls /links >"$tmp/ls"
has 'in ls, too' "$tmp/ls" 'vpn .*up, 10.79.0.2/24,fd79::2/64'
check 'and in JSON' sh -c "env TRESSE_SOCKET=$tmp/c1.sock TRESSE_STORE=$tmp/c1.db ip netns exec c1 \
	tresse -j /links/vpn get address | grep -q 10.79.0.2/24"
agrees 'a second plan is empty' c1
agrees 'that of the server, too' gw
run 1 'it cannot be set' in_ c1 tresse /links/vpn set address=10.79.0.9/24

client 2
in_ gw tresse -q /links/vpn/peers create early key=hSDwCYkwp1R0i33ctD73Wg2/Og0mOBr066SpjqqbTmo= \
	address=10.79.0.3,10.79.0.4/31
peer_of c2
is 'what is given is not handed out' "$(get gw /links/vpn/peers/c2 address)" '10.79.0.6,fd79::3'
in_ gw tresse -q /links/vpn/peers delete early
run 0 'a setting changes' in_ gw tresse /links/vpn/peers/c2 set description=x
is 'an address stays what it was' "$(get gw /links/vpn/peers/c2 address)" '10.79.0.6,fd79::3'
in_ c2 tresse -q /links/vpn/members create line
check 'the second is served' wait_for 10 pings c2 10.79.0.1
is 'with its own' "$(has_now c2)" '10.79.0.6/24 fd79::3/64'

# --- it stays, and follows ----------------------------------------------------
run 0 'the server has another one for it' in_ gw tresse /links/vpn/peers/c1 set address=10.79.0.77
has_soon 'the client follows' c1 '10.79.0.77/24'
check 'and is served there' pings c1 10.79.0.1
run 0 'the choice is left to Tresse again' in_ gw tresse /links/vpn/peers/c1 set address=auto
has_soon 'the client follows' c1 '10.79.0.2/24 fd79::2/64'
ip -n c1 addr del 10.79.0.2/24 dev tun0
has_soon 'what somebody took away comes back' c1 '10.79.0.2/24 fd79::2/64'
ip -n c1 addr add 10.99.0.1/24 dev tun0
sleep 1
is 'what somebody added stays' "$(has_now c1)" '10.79.0.2/24 10.99.0.1/24 fd79::2/64'
ip -n c1 addr del 10.99.0.1/24 dev tun0
kill_engine c1 KILL
is 'without an engine it stays' "$(has_now c1)" '10.79.0.2/24 fd79::2/64'
in_ gw tresse -q /links/vpn/peers/c1 set address=10.79.0.9
engine_of c1
has_soon 'the engine starts again, and hears what is new' c1 '10.79.0.9/24'
kill_engine gw KILL
engine_of gw
check 'the server starts again' wait_for 20 pings c1 10.79.0.1
is 'and nothing has changed' "$(has_now c1)" '10.79.0.9/24'

# --- by hand, and back --------------------------------------------------------
run 0 'a client sets its own' in_ c1 tresse /links/vpn set local=10.79.0.50/24
has_soon 'it has that one' c1 '10.79.0.50/24'
agrees 'as the store says' c1
run 0 'another in the same network takes its place' in_ c1 tresse /links/vpn set local=10.79.0.51/24
is 'and is there' "$(has_now c1)" '10.79.0.51/24'
run 0 'undo' in_ c1 tresse undo
is 'as before' "$(has_now c1)" '10.79.0.50/24'
run 0 'undo once more' in_ c1 tresse undo
has_soon 'it takes the server'\''s again' c1 '10.79.0.9/24'
run 0 'the very one that it has' in_ c1 tresse /links/vpn set local=10.79.0.9/24
has_soon 'it keeps' c1 '10.79.0.9/24'
run 0 'or wants none' in_ c1 tresse /links/vpn set local=none local6=none
has_soon 'it has none' c1 ''
agrees 'as the store says' c1
run 0 'all is left to the server again' in_ c1 tresse /links/vpn set local=auto local6=auto
has_soon 'it has what the server says' c1 '10.79.0.9/24'

# --- what is not believed -------------------------------------------------------
refused 'a loopback address' 127.0.0.5 loopback
refused 'a multicast address' 224.0.0.5 multicast
refused 'a link-local address' fe80::1 'link-local'
refused 'the address of another device' 10.201.1.2 'is reached by'
refused 'an address that is reached by another' 10.201.1.77 'reached by w0'
ip -n c1 route add 10.80.0.0/16 via 10.201.1.1
refused 'an address that is routed elsewhere' 10.80.1.1 '10.80.0.0/16 is reached by w0'
run 0 'a server claims a public network' in_ gw tresse /links/vpn set local=9.9.9.1/24
refused 'an address in it' 9.9.9.9 'no private network'
in_ gw tresse -q /links/vpn set local=10.79.0.1/24
has_soon 'alone it is a host' c1 '9.9.9.9/32'
in_ gw tresse -q /links/vpn/peers/c1 set address=auto
# The other one had to move meanwhile.
has_soon 'what makes sense is taken again' c1 '10.79.0.3/24 fd79::2/64'
is 'and the error gone' "$(get c1 /links/vpn error)" ''
in_ gw tresse -q /links/vpn/peers/c1 set address=none 2>/dev/null
check 'a server that has none is told of' wait_for 10 says c1 'no address for this client'

# --- used up --------------------------------------------------------------------
run 0 'a small network' in_ gw tresse /links create tiny role=server device=tun1 \
	local=10.78.0.1/30 listen=5001
in_ gw tresse -q /links/tiny/peers create one key=hSDwCYkwp1R0i33ctD73Wg2/Og0mOBr066SpjqqbTmo=
is 'has room for one' "$(get gw /links/tiny/peers/one address)" 10.78.0.2
run 1 'and no other' in_ gw tresse /links/tiny/peers create two \
	key=xTIBA5rboUvnH4htodjb6e697QjLERt1NAB4mZqp8Dg=
has 'which is told' "$tmp/err" '/links/tiny/peers/two' 'used up' 'larger network'

# --- and gone ---------------------------------------------------------------------
run 0 'the link is deleted' in_ c1 tresse /links delete vpn
is 'its device is gone' "$(ip -n c1 -o link show dev tun0 2>/dev/null)" ''
agrees 'nothing is left' c1

for n in gw c1 c2; do kill_engine $n; done
finish
