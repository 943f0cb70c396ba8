#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# Virtual hosts: a connection belongs to the class of the name it begins with,
# in HTTP and in TLS, whichever way the request goes. tc counts, not we.
. "$(dirname "$0")/lib.sh"

type -P openssl >/dev/null || skip_all 'no openssl (make deps)'
uplink
everything >"$tmp/before"
cat >"$tmp/policy" <<'END'
/paths create adsl0 device=wan0 gateway=192.0.2.1 source=192.0.2.2/24
/classes create uplink path=adsl0 default=other
/classes/uplink create a rate=50mbit
/classes/uplink create b rate=50mbit
/classes/uplink create web rate=50mbit
/classes/uplink create other rate=50mbit
/classes/uplink/a/match create site host=A.Example
/classes/uplink/b/match create site host=b.example proto=tcp
/classes/uplink/web/match create served proto=tcp sport=80,443
/classes/uplink/web/match create asked proto=tcp dport=80,443
END
status=0
tresse <"$tmp/policy" >"$tmp/said" 2>&1 || status=$?
if [ $status != 0 ] && grep -q 'lacks nft_compat or xt_string' "$tmp/said"; then
	skip_all 'this kernel has no nft_compat or xt_string'
fi
is 'the policy is applied' "$status" 0
has 'what it does not see is said' "$tmp/said" 'a/match/site: host sees no QUIC' \
	'uid=, cgroup='
run 0 'what was read back is what was wanted' tresse drift
run 0 'and a second time nothing is to be done' tresse restoreconfig
has 'as it says' "$tmp/err" 'nothing to change'

ids=()
for class in a b web other; do
	ids[${#ids[@]}]="$class=$(tresse /classes/uplink/$class get classid |
		sed 's/classid=\([^ ]*\).*/\1/')"
done
counts() {
	local pair bytes

	for pair in "${ids[@]}"; do
		read -r bytes _ < <(class_count wan0 "${pair#*=}")
		echo "${pair%%=*} $bytes"
	done | sort
}
# most: the class that has sent the most since `counts >$tmp/counts`.
most() {
	counts | join "$tmp/counts" - | awk '{ print $3 - $2, $1 }' |
		sort -rn | awk 'NR == 1 && $1 > 3000 { print $2 }'
}
# goes NAME CLASS COMMAND...: what it sends is that class's.
goes() {
	local name=$1 class=$2
	shift 2

	counts >"$tmp/counts"
	"$@" >"$tmp/client" 2>&1
	arrived() { [ "$(most)" = "$class" ]; }
	wait_for 5 arrived
	is "$name: class $class" "$(most)" "$class"
}

# --- a request arrives, and the answer leaves ----------------------------------
start "$tmp/sink" traffic sink 300 http:80:60000
openssl req -x509 -newkey rsa:2048 -nodes -keyout "$tmp/key" -out "$tmp/cert" \
	-subj /CN=test -days 2 >/dev/null 2>&1
head -c 60000 /dev/zero >"$tmp/page"
for ip in 4 6; do
	(cd "$tmp" && exec openssl s_server -quiet -$ip -accept 443 -cert cert \
		-key key -WWW) >"$tmp/server$ip" 2>&1 &
	started+=("$!")
done
listens() { ss -tlnH "sport = :$1" | grep -q .; }
check 'a server of HTTP' wait_for 5 listens 80
check 'and one of TLS' wait_for 5 listens 443

# get WHERE ADDRESS PART...: an HTTP request, each part a packet of its own.
# (Bash's own printf writes line by line.)
cat >"$tmp/get" <<'END'
exec 3<>"/dev/tcp/$1/80" || exit 1
shift
while [ $# -gt 0 ]; do
	env printf '%b' "$1" >&3
	shift
	[ $# = 0 ] || sleep 0.15
done
cat <&3 >/dev/null
END
get() {
	$1 timeout 20 bash "$tmp/get" "${@:2}"
}
# ask WHERE ADDRESS NAME: with a name of TLS, or none
ask() {
	local name=(-noservername)

	[ -z "$3" ] || name=(-servername "$3")
	printf 'GET /page HTTP/1.0\r\n\r\n' |
		$1 timeout 20 openssl s_client -quiet -verify_quiet \
			-connect "$2:443" "${name[@]}"
}
request='GET / HTTP/1.1\r\nUser-Agent: test\r\n'
for address in 192.0.2.2 2001:db8::2; do
	case $address in *:*) ip=IPv6 literal="[$address]" ;; *)
		ip=IPv4 literal=$address
		;;
	esac
	goes "$ip: Host: a.example" a get far $address \
		"${request}Host: a.example\r\nAccept: */*\r\n\r\n"
	goes "$ip: Host: b.example" b get far $address \
		"${request}Host: b.example\r\n\r\n"
	goes "$ip: in other letters, with a port" a get far $address \
		"${request}host: A.eXaMpLe:80\r\n\r\n"
	goes "$ip: another name" web get far $address \
		"${request}Host: c.example\r\n\r\n"
	goes "$ip: a name that ends with it" web get far $address \
		"${request}Host: xa.example\r\n\r\n"
	goes "$ip: a name that begins with it" web get far $address \
		"${request}Host: a.example.org\r\n\r\n"
	goes "$ip: the name in another header" web get far $address \
		"${request}Host: c.example\r\nReferer: http://a.example/\r\n\r\n"
	goes "$ip: in the second packet" a get far $address \
		'GET / HTTP/1.1\r\n' 'Host: a.example\r\n\r\n'
	goes "$ip: in the third" a get far $address \
		'G' 'ET / HTTP/1.1\r\nX: y\r\n' 'Host: a.example\r\n\r\n'
	goes "$ip: cut in two it is not seen, as help says" web get far $address \
		'GET / HTTP/1.1\r\nHost: a.exa' 'mple\r\n\r\n'
	goes "$ip: TLS, a.example" a ask far "$literal" a.example
	goes "$ip: TLS, b.example" b ask far "$literal" b.example
	goes "$ip: TLS, another name" web ask far "$literal" xa.example
	goes "$ip: TLS, a longer name" web ask far "$literal" a.example.org
	goes "$ip: TLS without a name" web ask far "$literal" ''
done

# --- only the beginning counts -------------------------------------------------
# The server answers at the first byte, so its answer is over by then; what is
# sent later is counted by the match.
packets() {
	tresse -j /classes/uplink/a/match/site get packets | jq -r '.live.packets'
}
before=$(packets)
get far 192.0.2.2 'GET / HTTP/1.1\r\n' 'X-One: 1\r\n' 'X-Two: 2\r\n' \
	'X-Three: 3\r\nHost: a.example\r\n\r\n' >/dev/null 2>&1
is 'a name after three packets with data is not asked for' "$(packets)" "$before"
get far 192.0.2.2 'GET / HTTP/1.1\r\n' 'X-One: 1\r\n' \
	'X-Two: 2\r\nHost: a.example\r\n\r\n' >/dev/null 2>&1
is 'in the third it is' "$(packets)" "$((before + 1))"
before=$(packets)
get far 192.0.2.2 "${request}Host: a.example\r\n\r\n" \
	"${request}Host: a.example\r\n\r\n" >/dev/null 2>&1
is 'and once found, no further packet is looked through' "$(packets)" \
	"$((before + 1))"
before=$(tresse -j /classes/uplink/b/match/site get packets |
	jq -r '.live.packets')
get far 192.0.2.2 "${request}Host: a.example\r\n\r\n" \
	"${request}Host: b.example\r\n\r\n" >/dev/null 2>&1
is 'nor may a second name take it over' "$(tresse -j \
	/classes/uplink/b/match/site get packets | jq -r '.live.packets')" "$before"

# --- a client's request leaves -------------------------------------------------
start "$tmp/farsink" far traffic sink 300 tcp:80
check 'a server at the far end' wait_for 5 grep -qs ready "$tmp/farsink"
cat >"$tmp/post" <<'END'
exec 3<>"/dev/tcp/$1/80" || exit 1
env printf '%b' "POST / HTTP/1.1\r\nHost: $2\r\n\r\n" >&3
sleep 0.2
head -c 40000 /dev/zero >&3
END
post() {
	$1 timeout 10 bash "$tmp/post" "${@:2}"
}
goes 'what a client here sends to a.example' a post '' 192.0.2.1 a.example
goes 'and to another' web post '' 192.0.2.1 c.example
goes 'the same over IPv6' b post '' 2001:db8::1 b.example

ip netns add lan
ip link add lan0 type veth peer name eth0 netns lan
ip addr add 198.51.100.1/24 dev lan0
ip addr add 2001:db8:1::1/64 dev lan0 nodad
ip link set lan0 up
inside() { ip netns exec lan "$@"; }
inside ip addr add 198.51.100.2/24 dev eth0
inside ip addr add 2001:db8:1::2/64 dev eth0 nodad
inside ip link set eth0 up
inside ip route add default via 198.51.100.1
inside ip -6 route add default via 2001:db8:1::1
far ip route add 198.51.100.0/24 via 192.0.2.2
far ip -6 route add 2001:db8:1::/64 via 2001:db8::2
echo 1 >/proc/sys/net/ipv4/ip_forward
echo 1 >/proc/sys/net/ipv6/conf/all/forwarding
check 'a client behind this host reaches the far end' wait_for 5 \
	inside ping -c 1 -W 1 -q 192.0.2.1 >/dev/null
check 'by IPv6, too' wait_for 5 inside ping -c 1 -W 1 -q 2001:db8::1 >/dev/null
goes 'what it sends to a.example' a post inside 192.0.2.1 a.example
goes 'to b.example, by IPv6' b post inside 2001:db8::1 b.example
goes 'to another' web post inside 192.0.2.1 c.example

# --- and a server behind this host, by what arrives ----------------------------
(cd "$tmp" && exec ip netns exec lan "$build/traffic" sink 300 http:80:60000) \
	>"$tmp/lansink" 2>&1 &
started+=("$!")
check 'a server behind this host' wait_for 5 grep -qs ready "$tmp/lansink"
goes 'what it answers for a.example' a get far 198.51.100.2 \
	"${request}Host: a.example\r\n\r\n"
goes 'for b.example, by IPv6' b get far 2001:db8:1::2 \
	"${request}Host: b.example\r\n\r\n"
goes 'for another' web get far 198.51.100.2 "${request}Host: c.example\r\n\r\n"

# --- what is refused, and what is left -----------------------------------------
make() { tresse /classes/uplink/a/match create x "$@"; }
run 1 'QUIC cannot be read' make host=c.example proto=udp
has 'and it is said why' "$tmp/err" 'encrypted from its first packet'
run 1 'nor can each packet be asked' make host=c.example scope=packet
run 2 'a name is a whole one' make 'host=*.example'
has 'which is said' "$tmp/err" 'only a whole name'
run 2 'and ASCII' make 'host=bücher.example'
has 'as it travels' "$tmp/err" 'xn--'
run 2 'without a port' make host=a.example:80
run 1 'export nft is not all of it' tresse export nft "$tmp/nft"
has 'says what nft cannot' "$tmp/nft" '^# nft has no words for .*"a.example"'
run 0 'and nft reads the rest' far nft -f "$tmp/nft"
run 0 'no trace of it remains' tresse clearconfig confirm=yes
ip link del lan0
echo 0 >/proc/sys/net/ipv6/conf/all/forwarding
echo 0 >/proc/sys/net/ipv4/ip_forward
nft list tables >"$tmp/tables"
check 'in nftables' test ! -s "$tmp/tables"
grep -v '^/proc/\|neigh\|valid_lft' "$tmp/before" >"$tmp/expected"
everything | grep -v '^/proc/\|neigh\|valid_lft' >"$tmp/after"
same 'nor anywhere else' "$tmp/expected" "$tmp/after"
is 'no sysctl was touched' "$(cat /proc/sys/net/netfilter/nf_conntrack_acct)" 0
finish
