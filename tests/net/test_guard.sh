#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# A change that would cut off who makes it is refused: the way to them would be
# another one, their class too narrow, their tunnel not the same.
. "$(dirname "$0")/lib.sh"

uplink
ip link add lte0 type veth peer name lte1
ip link set lte0 addrgenmode none up
ip link set lte1 addrgenmode none up
ip addr add 198.51.100.2/24 dev lte0
ip route add default via 192.0.2.1 dev wan0
everything >"$tmp/before"
cut=(/paths create lte device=lte0 gateway=198.51.100.1 source=192.0.2.2/32)

# logged_in COMMAND...: as from an ssh connection from behind the gateway.
logged_in() {
	SSH_CONNECTION='203.0.113.9 50022 192.0.2.2 22' "$@"
}
run 1 'what would move the way to me is refused' \
	logged_in tresse "${cut[@]}"
has 'it says where from, and where to' "$tmp/err" '203.0.113.9' 'lte0' \
	'wan0 by 192.0.2.1' 'confirm='
everything >"$tmp/after"
same 'and leaves everything as it was' "$tmp/before" "$tmp/after"
run 0 'what does not is done' logged_in tresse /paths create lte device=lte0 \
	gateway=198.51.100.1
run 0 'and taken away' logged_in tresse /paths delete lte
# sudo takes the variable away, but not from the process above it.
under_sudo() { logged_in bash -c 'env -u SSH_CONNECTION "$@"; exit $?' - "$@"; }
run 1 'also under sudo' under_sudo tresse "${cut[@]}"
run 0 'nobody is logged in: it is done' tresse "${cut[@]}"
run 0 'and taken away again' tresse /paths delete lte
everything >"$tmp/after"
same 'everything is as it was' "$tmp/before" "$tmp/after"

# --- IPv6 --------------------------------------------------------------------
ip addr add 2001:db8:5::2/64 dev lte0 nodad
ip route add default via 2001:db8::1 dev wan0
from6() { SSH_CONNECTION='2001:db8:9::9 50022 2001:db8::2 22' "$@"; }
cut6=(/paths create lte device=lte0 gateway6=2001:db8:5::1 source6=2001:db8::2/128)
everything >"$tmp/before"
run 1 'IPv6: what would move the way to me is refused' from6 tresse "${cut6[@]}"
has 'and says so' "$tmp/err" 'from 2001:db8:9::9' 'lte0 by 2001:db8:5::1' \
	'wan0 by 2001:db8::1'
everything >"$tmp/after"
same 'all is as it was' "$tmp/before" "$tmp/after"
run 0 'who is logged in by IPv4 may' logged_in tresse "${cut6[@]}"
run 0 'and take it away' logged_in tresse /paths delete lte

# --- the connection's mark ---------------------------------------------------
far ip addr add 203.0.113.9/32 dev lo
nft 'add table inet theirs; add chain inet theirs in ' \
	'{ type filter hook prerouting priority mangle; }; ' \
	'add rule inet theirs in tcp dport 22 ct mark set 0x20000'
start "$tmp/server" traffic sink 600 tcp:22
wait_for 5 grep -q ready "$tmp/server"
# A connection that stays, as a session is one, with something to say.
start "$tmp/session" far python3 -uc '
import socket, time
s = socket.socket()
s.bind(("203.0.113.9", 50022))
s.connect(("192.0.2.2", 22))
print("connected")
while True:
    s.send(b"x")
    time.sleep(0.1)'
check 'somebody connects' wait_for 10 grep -q connected "$tmp/session"
run 0 'a path with a mark' tresse /paths create lte device=lte0 \
	gateway=198.51.100.1 mark=0x20000
run 1 'the mark that leads to me is not taken away' \
	logged_in tresse /paths/lte set mark=0x30000
has 'and that is said' "$tmp/err" "by the connection's mark 0x20000" 'wan0' 'lte0'
run 0 'another connection has another mark' env \
	SSH_CONNECTION='203.0.113.9 50023 192.0.2.2 22' \
	tresse /paths/lte set mark=0x30000
run 0 'the path goes' tresse /paths delete lte
nft delete table inet theirs

# --- classes -----------------------------------------------------------------
run 0 'classes' tresse <<'END'
/classes create u device=wan0 default=rest
/classes/u create line rate=2mbit
/classes/u/line create ssh rate=500kbit
/classes/u/line create thin rate=8kbit
/classes/u/line create rest rate=1mbit
/classes/u/line/ssh/match create in proto=tcp sport=22
/classes/u/line/thin/match create in proto=tcp sport=23
END
too_narrow() {
	has "$1: the class is named" "$tmp/err" "its packets would be in $2," \
		'12 kbit/s' 'confirm='
}
everything >"$tmp/before"
ssh=/classes/u/line/ssh thin=/classes/u/line/thin
run 1 'my class is not made too narrow' logged_in tresse $ssh set rate=8kbit
too_narrow 'a rate' $ssh
run 1 'nor by its queue' logged_in tresse $ssh set \
	leaf='tbf rate 8kbit burst 2000 limit 3000 or pfifo'
too_narrow 'a queue' $ssh
run 1 'nor by what is above it' logged_in tresse -c "$ssh set rate=2kbit" \
	-c "/classes/u/line/rest set rate=1kbit" -c "$thin set rate=2kbit" \
	-c '/classes/u/line set rate=9kbit ceil=9kbit'
too_narrow 'the class above' $ssh
# A connection that has no class yet goes by matches.
unmarked() { SSH_CONNECTION='203.0.113.9 50099 192.0.2.2 22' "$@"; }
run 1 'nor am I led into a narrow one' unmarked tresse $thin/match/in set \
	sport=20-23 order=1
too_narrow 'a match' $thin
run 1 'or left to one by default' unmarked tresse \
	-c "$ssh/match delete in" -c '/classes/u set default=thin'
too_narrow 'the default' $thin
run 1 'or perhaps: who knows what my packets look like' unmarked tresse \
	$thin/match create some proto=tcp dscp=af21 order=1
too_narrow 'a match on DSCP' $thin
everything >"$tmp/after"
same 'nothing was touched' "$tmp/before" "$tmp/after"
run 0 'what others use is theirs' logged_in tresse \
	/classes/u/line/rest set rate=8kbit
run 0 'what is narrow already may be changed' \
	env SSH_CONNECTION='203.0.113.9 50022 192.0.2.2 23' \
	tresse $thin set rate=9kbit
run 0 'on trial it is done' logged_in tresse -c begin -c "$ssh set rate=8kbit" \
	-c 'commit confirm=60s'
run 0 'and undone' tresse undo
marked() { nft list chain inet tresse conn_u | grep -q 'packets [1-9]'; }
check 'the connection has the mark of its class' wait_for 10 marked
run 0 'the next connections go elsewhere' logged_in tresse \
	$ssh/match/in set sport=2222
run 1 'mine stays in its class, and that counts' \
	logged_in tresse $ssh set rate=8kbit
too_narrow 'by its mark' $ssh
run 0 'the classes go' tresse /classes delete u force=yes

# --- what arrives ------------------------------------------------------------
if ip link add probe0 type ifb 2>/dev/null; then
	ip link del probe0
	run 0 'classes for what arrives' tresse <<-'END'
	/classes create d device=wan0 direction=down default=rest
	/classes/d create rest rate=1mbit
	/classes/d create thin rate=8kbit
	END
	run 1 'what comes from me is not led into a narrow one' logged_in \
		tresse /classes/d/thin/match create me src=203.0.113.0/24
	too_narrow 'arriving' /classes/d/thin
	run 0 'what goes there is another matter' logged_in \
		tresse /classes/d/thin/match create me dst=203.0.113.0/24
	run 0 'they go' tresse /classes delete d force=yes
else
	skip 'what arrives: no ifb in this kernel'
fi

# --- a tunnel ----------------------------------------------------------------
if ! (exec 3<>/dev/net/tun) 2>/dev/null; then
	skip 'a tunnel: /dev/net/tun may not be opened here'
	finish
fi
export TRESSE_SOCKET=$tmp/engine.sock
start "$tmp/engine" tressed --socket "$TRESSE_SOCKET"
wait_for 5 test -S "$TRESSE_SOCKET"
key_of() { tresse "/links/$1" get public-key | sed 's/[^=]*=\([^ ]*\).*/\1/'; }
for name in alice bob; do
	tresse -q /links create $name role=server device=t-$name listen=600${#name}
done 2>/dev/null
tresse 2>"$tmp/err" <<END || cat "$tmp/err"
/paths create adsl0 device=wan0 gateway=192.0.2.1
/links create gw role=server device=tun0 local=10.77.0.1/24 listen=5000
/links/gw/peers create alice key=$(key_of alice) address=10.77.0.2
/links/gw/peers create bob key=$(key_of bob) address=10.77.0.3
/links create home role=client device=tun1 local=10.78.0.2/24 peer=192.0.2.1:5000 peer-key=$(key_of bob)
/links/home/members create adsl0
END
as_alice() { SSH_CONNECTION='10.77.0.2 50022 10.77.0.1 22' "$@"; }
as_boss() { SSH_CONNECTION='10.78.0.1 50022 10.78.0.2 22' "$@"; }
tunnel_cut() {
	local who=$1 name=$2 path=$3
	shift 3

	run 1 "$name is refused" "$who" tresse "$@"
	has "$name: it says which tunnel, and what" "$tmp/err" \
		"it comes through the tunnel $path" 'confirm='
}
run 0 'the links are up' tresse drift
tunnel_cut as_alice 'another port' 'gw, and /links/gw would change' \
	/links/gw set listen=5009
tunnel_cut as_alice 'another address' 'gw, and /links/gw would change' \
	/links/gw set local=10.77.0.9/24
tunnel_cut as_alice 'no link' 'gw, and /links/gw would go' /links delete gw
tunnel_cut as_alice 'my own end' 'gw, and /links/gw/peers/alice would go' \
	/links/gw/peers delete alice
tunnel_cut as_alice 'my key' 'gw, and /links/gw/peers/alice would change' \
	/links/gw/peers/alice set key="$(key_of home)"
run 0 "somebody else's end may go" as_alice tresse /links/gw/peers delete bob
run 0 'and what says nothing about it' as_alice tresse \
	/links/gw set description=x
tunnel_cut as_boss 'the last member' 'home, which would have no member left' \
	/links/home/members delete adsl0
tunnel_cut as_boss 'that it rests' 'home, which would have no member left' \
	/links/home/members/adsl0 set enabled=no
tunnel_cut as_boss "the server's key" 'home, and /links/home would change' \
	/links/home set peer-key="$(key_of alice)"
run 0 'store and host agree' tresse drift
run 0 'nobody is logged in through it: it goes' tresse /links delete gw
finish
