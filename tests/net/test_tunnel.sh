#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
#
# A tunnel over two lines, as a user makes it: both ends by tresse, pings and
# TCP through it, lines that come, go and fail, and what must not be done.
# shellcheck disable=SC2154 # pid_gw, pid_home come by eval
. "$(dirname "$0")/lib.sh"
# shellcheck source=tests/net/tunnel.sh
. "$(dirname "$0")/tunnel.sh"

# at_most NAME GOT MOST
at_most() {
	[ "${2:-x}" -le "$3" ] 2>/dev/null && ok "$1 ($2)" && return
	not_ok "$1: ${2:-none}, at most $3"
}
state_of() { home tresse "$1" get state | sed 's/state=\([^ ]*\).*/\1/'; }
is_up() { [ "$(state_of "$1")" = up ]; }
pings() { home ping -c 3 -i 0.05 -W 2 -q "${1:-10.77.0.1}" >/dev/null; }
link_of() { ip -n "$1" -o link show dev tun0 2>/dev/null; }

place relayed
line '1 rate=50mbit queue=50ms delay=5ms'
line '2 rate=20mbit queue=50ms delay=8ms'
line1_address=10.201.1.2

# --- made as the manual says -------------------------------------------------
run 0 'a server is made' gw tresse /links create home0 type=tunnel role=server \
	device=tun0 local=10.77.0.1/24 local6=fd77::1/64 listen=5000 threads="${THREADS:-auto}"
run 0 'its public key is told' gw tresse /links/home0 get public-key
server_key=$(key_of gw)
for i in 1 2; do
	home tresse -q /paths create line$i device=w$i gateway=10.201.$i.1
done
run 0 'a client is made' home tresse /links create home0 role=client \
	device=tun0 local=10.77.0.2/24 local6=fd77::2/64 peer=10.200.0.1:5000 \
	"peer-key=$server_key"
has 'its public key is said' "$tmp/said" 'public-key=[A-Za-z0-9+/]{43}='
is 'and no other' "$(grep -cE '(^|[^-])key=[A-Za-z0-9+/]{43}=' "$tmp/said")" 0
run 0 'the client is known to the server' gw tresse /links/home0/peers create \
	alice "key=$(key_of home)" address=10.77.0.2,fd77::2
run 0 'a member joins' home tresse /links/home0/members create line1
run 0 'another joins' home tresse /links/home0/members create line2 sockets=2
check 'the tunnel comes up' wait_for 5 is_up /links/home0
check 'it carries IPv4' pings
check 'it carries IPv6' pings fd77::1
check 'members prove themselves' wait_for 5 is_up /links/home0/members/line2
agrees 'a second plan is empty' home

home tresse ls /links >"$tmp/ls"
has 'ls shows who is up' "$tmp/ls" 'home0 .* up' 'line1 .*up, [0-9]' 'line2 .*sockets 2, up'
home tresse status >"$tmp/status"
has 'status has the link and its members' "$tmp/status" \
	'^/links/home0 +good +up' '^  line1 +good +up' '^  line2 +good +up'
is 'in 80 columns' "$(grep -A2 '^/links' "$tmp/status" | grep -cE '.{81}')" 0
home tresse -j /links/home0 get >"$tmp/json"
check 'JSON has no secret key' jq -e >/dev/null '.settings | has("key") | not' "$tmp/json"
home tresse saveconfig "$tmp/saved" 2>/dev/null
check 'a saved file has no secret key' grep -q 'key=digest:' "$tmp/saved"
is 'asked for by name, the key is shown' \
	"$(home tresse /links/home0 get key | grep -c 'key=[A-Za-z0-9+/]\{43\}=')" 1
home tresse history >"$tmp/history" 2>&1
key=$(home tresse /links/home0 get key | sed 's/key=\([^ ]*\).*/\1/')
check 'history does not have it' sh -c "! grep -qF '$key' '$tmp/history'"
check 'the store does not have it' sh -c "! grep -qaF '$key' '$tmp/home.db'"
is 'its file is for root alone' "$(stat -c %a "$tmp/home.db-secrets")" 600

# --- traffic -----------------------------------------------------------------
one_flow() {
	local mbit

	home iperf3 -c 10.77.0.1 -t 4 -O 2 -J >"$tmp/iperf" 2>&1
	mbit=$(jq -r '.end.sum_received.bits_per_second / 1e6 | floor' "$tmp/iperf")
	check "one TCP flow has more than the better line (${mbit:-0} Mbit/s)" \
		[ "${mbit:-0}" -gt 52 ]
}
undisturbed one_flow
home tresse /links/home0/members/line1 get >"$tmp/member"
has 'the rate of a line was found out' "$tmp/member" '^rate=(4[0-9]|5[0-4])[0-9]*[mk]bit'
has 'and what else happened on it' "$tmp/member" '^peak-out=[45][0-9]+[mk]bit' \
	'^peak-out-at=20' '^full-out=(yes|no)' '^resent=[0-9]' '^doubled=[0-9]'

# --- lines that come, go, and fail -------------------------------------------
ping_start 0.01
sleep 0.5
home tresse -q /links/home0/members delete line2
sleep 1
home tresse -q /links/home0/members create line2
sleep 1
home tresse -q /links/home0/members/line1 set sockets=3
sleep 1
is 'members come and go without a lost packet' "$(ping_lost)" 0

ping_start 0.01
sleep 0.5
ip -n home link set w1 down
sleep 1
at_most 'a line set down loses next to nothing' "$(ping_lost)" 2
check 'and it is told' wait_for 3 sh -c "ip netns exec home env \
	TRESSE_SOCKET=$tmp/home.sock TRESSE_STORE=$tmp/home.db \
	tresse /links/home0/members/line1 get state | grep -qE 'down|dead'"
ip -n home link set w1 up
ip -n home route replace default via 10.201.1.1 dev w1 table 20000 proto 84
check 'a line that is back proves itself' wait_for 10 is_up /links/home0/members/line1

ping_start 0.01
sleep 0.5
line '1 hole=1'
sleep 1.5
at_most 'a silent hole loses a few at most' "$(ping_lost)" 8
line '1 hole=0'
check 'and the line is taken back' wait_for 20 is_up /links/home0/members/line1

# --- bad days ----------------------------------------------------------------
kill_engine gw KILL
run 1 'drift sees that the engine has gone' gw tresse drift
has 'and what it carried' "$tmp/said" '/links/home0: is missing' 'found +nothing'
run 0 'repair brings it back' gw tresse repair
check 'and the client finds it' wait_for 15 pings

ip -n home addr add 10.201.1.77/24 dev w1
ip -n home addr del $line1_address/24 dev w1
ip -n home route replace default via 10.201.1.1 dev w1 table 20000 proto 84 2>/dev/null
check 'an address that changed is followed' wait_for 10 pings

# By itself, with what is committed.
echo '10.200.0.1 gw.test' >"$tmp/hosts"
mount --bind "$tmp/hosts" /etc/hosts
kill -9 "$pid_home"
wait "$pid_home" 2>/dev/null
ip netns exec home tressed --socket "$tmp/home.sock" --store "$tmp/home.db" &
pid_home=$!
check 'an engine that starts again carries on' wait_for 10 pings
given_up() { # PID: what each of its threads may, once if they are alike
	awk '/^CapEff:/ { printf "%s", $2 }
		/^(CapBnd|NoNewPrivs|Seccomp):/ { printf " %s", $2 }
		/^nonvol/ { print "" }' "/proc/$1"/task/*/status | sort -u
}
is 'it has the thread of a link from the start' "$(cat "/proc/$pid_home"/task/*/comm)" \
	"$(printf 'tressed\nhome0')"
is 'with no rights but those of the network, in each thread' \
	"$(given_up "$pid_home")" '0000000000003000 0000000000000000 1 2'

ping_start 0.01
sleep 0.3
kill -HUP "$pid_home"
sleep 0.7
is 'it reads the store again without losing a packet' "$(ping_lost)" 0
mv "$tmp/home.db" "$tmp/away.db"
kill -HUP "$pid_home"
sleep 0.5
check 'a store that is not there ends nothing' pings
mv "$tmp/away.db" "$tmp/home.db"

# A server by its name.
run 0 'a server is named' home tresse /links/home0 set peer=gw.test:5000
check 'and found by its name' wait_for 10 pings
umount /etc/hosts

head -c 1200 /dev/urandom >"$tmp/noise"
for i in 1 2 3 4 5; do
	home bash -c "cat '$tmp/noise' >/dev/udp/10.201.2.1/5000"
done
check 'noise does no harm' pings

# --- what must not be done ---------------------------------------------------
run 1 'a port that is taken is refused' gw tresse /links create other \
	role=server device=tun1 listen=5000
has 'with its reason' "$tmp/err" 'port 5000' home0
ip -n gw link add dummy9 type veth peer name dummy8
run 1 'a device of somebody else is refused' gw tresse /links create other \
	role=server device=dummy9 listen=5001
has 'with a remedy' "$tmp/err" dummy9 'another name'
run 1 'a client without a key is refused' home tresse /links create x \
	role=client device=tun7 peer=192.0.2.1:5000
has 'and told which' "$tmp/err" peer-key
run 2 'half a key is refused' gw tresse /links/home0/peers create bob key=abc=
has 'and told what a key is' "$tmp/err" '44 characters'
run 1 'the same key twice is refused' gw tresse /links/home0/peers create bob \
	"key=$(key_of home)" address=10.77.0.9
has 'and told whose it is' "$tmp/err" alice
run 1 'a path in use cannot be deleted' home tresse /paths delete line1
has 'and told by whom' "$tmp/err" /links/home0/members/line1

# --- and gone ----------------------------------------------------------------
run 0 'the link is deleted' home tresse /links delete home0
is 'its device is gone' "$(link_of home)" ''
run 0 'undo brings it back' home tresse undo
check 'with its key: the server knows it' wait_for 10 pings
run 0 'all is cleared' gw tresse clearconfig confirm=yes
is 'nothing is left' "$(link_of gw)" ''

unplace
finish
