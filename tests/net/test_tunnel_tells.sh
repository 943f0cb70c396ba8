#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
#
# What a link that is not up says of itself, and what is doubtful about one that
# is made: each a sentence with its cause and what to do. What lines say of the
# network around them: test_tunnel_words.sh.
. "$(dirname "$0")/lib.sh"
# shellcheck source=tests/net/tunnel.sh
. "$(dirname "$0")/tunnel.sh"

(exec 3<>/dev/net/tun) 2>/dev/null || skip_all "/dev/net/tun may not be opened here"

some=hSDwCYkwp1R0i33ctD73Wg2/Og0mOBr066SpjqqbTmo=
says() { home tresse "$1" get error 2>/dev/null | grep -qE -- "$2"; }
told() { # NAME PATH WORDS
	wait_for 20 says "$2" "$3" && ok "$1" && return
	home tresse "$2" get state error
	not_ok "$1"
}
pings() { home ping -c 1 -W 1 -q 10.77.0.1 >/dev/null; }
shown() { home tresse "$1" ls | grep -F -- " $2 "; }

who_carries() {
	ip netns pids home | while read -r one; do
		[ "$(cat "/proc/$one/comm")" != tressed ] || echo "$one"
	done
}

place direct

# --- at the beginning ----------------------------------------------------------
run 0 'a server is made that nobody has called yet' gw tresse -q /links create home0 \
	role=server device=tun0 local=10.77.0.1/24 listen=5000
gw tresse status >"$tmp/out"
has 'that is how it should be' "$tmp/out" '^/links/home0 +good +listening, peers 0'
key=$(key_of gw)
for i in 1 2; do
	home tresse -q /paths create line$i device=w$i gateway=10.201.$i.1
done
home tresse -q /links create home0 role=client device=tun0 local=10.77.0.2/24 \
	peer=10.200.0.1:5000 peer-key="$key" 2>/dev/null
check 'a client without members says that, and asks for nothing else' \
	says /links/home0 '^error=no members: nothing is sent until there is one'
is 'TAB has the paths that are none yet' \
	"$(home tresse --complete 'tresse /links/home0/members create ' | grep -o '^line[12]' | tr '\n' ' ')" 'line1 line2 '
run 0 'both lines are put in, disabled' home tresse -q /links/home0/members create line1 enabled=no
home tresse -q /links/home0/members create line2 enabled=no
is 'TAB has no path twice' "$(home tresse --complete 'tresse /links/home0/members create ' | grep -c '^line')" 0
check 'they are disabled, it says then' says /links/home0 '^error=all its members are disabled'
is 'and each says so once' "$(shown /links line1 | grep -o disabled)" disabled
home tresse -q /links/home0/members/line1 set enabled=yes
home tresse -q /links/home0/members/line2 set enabled=yes
told 'nobody knows it there: its questions are those' /links/home0 '^error=no answer from the peer: are peer= and'
gw tresse -q /links/home0/peers create home key="$(key_of home)" address=10.77.0.2
check 'it comes up when it is known' wait_for 20 pings
calm() { home tresse /links/home0 get error | grep -q '^error= '; }
check 'and has no complaint' wait_for 20 calm

# --- a device that cannot send ----------------------------------------------------
ip -n gw link set w1 down
told 'a line without a carrier is named' /links/home0/members/line1 '^error=device w1 has no carrier: is its cable in'
figures() { home tresse "/links/home0/members/$1" get rtt share rate mtu | grep -c 'unknown'; }
is 'what it did before is not told as if it did it now' "$(figures line1)" 4
lives() { [ "$(figures line2)" -lt 3 ]; }
check 'as it is of one that lives' wait_for 20 lives
check 'the other one carries on, and so the link has no complaint' wait_for 20 calm
ip -n home link set w2 down
told 'one that is down is told how it comes up' /links/home0/members/line2 '^error=device w2 is down: .* \(ip link set w2 up\)'
told 'the link then says that no line works, and why' /links/home0 '^error=no line works; line1: device w1 has no carrier'
ip -n gw link set w1 up
ip -n home link set w2 up
home tresse -q repair 2>/dev/null
check 'both are back by themselves' wait_for 20 calm

# --- the engine ---------------------------------------------------------------------
stop "$pid_home"
# shellcheck disable=SC2016 # perl's
ip netns exec home perl -e 'open(F, "+<", "/dev/net/tun") && ioctl(F, 0x400454ca,
	my $request = pack("a16 S x22", "tun0", 0x5101)) or die $!; $| = 1; print "held\n"; sleep 600' >"$tmp/holder" &
holder=$!
wait_for 10 grep -q held "$tmp/holder"
run 1 'a device that another program has is refused' home tresse repair
has 'and says by what that is found' "$tmp/err" '^tresse: /links/home0: .*device tun0: another program has it \(grep'
kill "$holder"
wait "$holder" 2>/dev/null
stop "$(who_carries)"
check 'without an engine the link says that, and how there is one' says /links/home0 \
	'^error=no engine answers at .*: .tresse repair. starts it'
run 0 'and so it is' home tresse -q repair
check 'the tunnel is there again' wait_for 20 pings
pid_home=$(who_carries)
nobody() { setpriv --reuid 65534 --regid 65534 --clear-groups "$@"; }
if nobody true 2>/dev/null; then
	# Where we were built he may not look.
	install -m 755 "$build/tressed" /run/tressed
	run 1 'an engine that may nothing does not start' nobody /run/tressed --socket "/tmp/tressed.$$"
	has 'and says what it lacks' "$tmp/err" 'lacks CAP_NET_ADMIN.*start it as root'
fi
mkdir "$tmp/dev"
run 1 'without /dev/net/tun there is no link' home unshare --mount bash -c \
	"mount --bind '$tmp/dev' /dev/net && exec tresse /links create more role=server device=tun9 listen=5009"
has 'and it says where that file comes from' "$tmp/err" 'tun9: /dev/net/tun: .*modprobe tun'

# --- while somebody follows ---------------------------------------------------------
home tresse -q /system set drift=repair
start "$tmp/follow" ip netns exec home env TRESSE_SOCKET="$tmp/home.sock" \
	TRESSE_STORE="$tmp/home.db" tresse follow
follower=$pid
wait_for 20 grep -q Following "$tmp/follow"
repaired() { grep -qF "/links/home0: repaired: + $1" "$tmp/follow"; }
ip -n home link del tun0
check 'a device that was taken away is put back' wait_for 20 repaired 'device tun0'
check 'with its address' wait_for 20 repaired 'address 10.77.0.2/24 tun0'
check 'and carries again' wait_for 20 pings
kill -9 "$(who_carries)"
check 'an engine that was killed is started' wait_for 30 repaired 'link home0'
check 'and carries, too' wait_for 20 pings
stop "$follower"
pid_home=$(who_carries)

# --- doubts ---------------------------------------------------------------------------
ip netns exec gw perl -e 'use Socket qw(:all); socket(S, PF_INET6, SOCK_DGRAM, 0)
	&& bind(S, pack_sockaddr_in6(5001, inet_pton(AF_INET6, "::"))) or die $!; $| = 1; print "bound\n"; sleep 600' >"$tmp/holder" &
holder=$!
wait_for 10 grep -q bound "$tmp/holder"
run 1 'a port that is taken is refused' gw tresse /links create z role=server device=tunz listen=5001
has 'and says by what it is found' "$tmp/err" 'UDP port 5001: another program has it \(ss -lunp\).*listen='
kill "$holder"
run 0 'a network that a line has, too, is a doubt' gw tresse /links create z role=server \
	device=tunz listen=5002 local=10.201.1.9/24
has 'which names both' "$tmp/err" 'also that of device w1 \(10.201.1.1/24\).*a network of its own'
run 0 'an address without a network is one' gw tresse /links/z set local=10.5.5.5
has 'for nothing leads there' "$tmp/err" 'local=10.5.5.5/32 has no network.*with the length'
run 0 'a client may have what is in no network of the link' gw tresse /links/z/peers create a \
	key=$some address=192.168.7.0/24
has 'with the route that it needs' "$tmp/err" 'needs a route of yours \(ip route add 192.168.7.0/24 dev tunz\)'
run 0 'a network of its own is none' gw tresse /links/z set local=10.5.5.5/24
is 'there is no doubt about it' "$(grep -cE 'also that of|has no network' "$tmp/err")" 0
run 0 'its device gets another name' gw tresse /links/z set device=tuny
is 'what it leaves behind is its own' "$(grep -c 'also that of' "$tmp/err")" 0
run 0 'another key' gw tresse /links/z set key=auto
has 'has another public one, for the other end' "$tmp/err" "^Its public-key is now [A-Za-z0-9+/]{43}=: the other end"
gw tresse -q /links/z/peers/a set enabled=no 2>/dev/null
gw tresse -q /links/z set enabled=no 2>/dev/null
is 'what is disabled says so' "$(gw tresse '/links/z/peers/a' get state | grep -o disabled) $(gw tresse /links/z get state | grep -o disabled)" 'disabled disabled'
run 1 'a client has no peers' home tresse /links/home0/peers create a key="$(key_of home)"
is 'and that is all there is to say' "$(grep -c peers/a: "$tmp/err")" 0

unplace
finish
