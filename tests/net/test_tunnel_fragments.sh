#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
#
# Lines that carry less than IPv6 asks of a link (RFC 8200, 5): lines of 576 bytes, and
# lines of 1280 with IPv6 around the tunnel. Packets up to 1280 bytes, and frames, go in
# fragments; what is larger is answered. An engine from before there were fragments is
# sent none. Each end is in both roles.
# shellcheck disable=SC2154,SC2086 # tmp, root are lib.sh's; words without blanks
. "$(dirname "$0")/lib.sh"
# shellcheck source=tests/net/tunnel.sh
. "$(dirname "$0")/tunnel.sh"

(exec 3<>/dev/net/tun) 2>/dev/null || skip_all "/dev/net/tun may not be opened here"
type jq perl python3 iperf3 >/dev/null || skip_all 'jq, perl, python3 or iperf3 is missing'
type -P tressed-whole >/dev/null || skip_all 'no tressed-whole: make check-net builds it'

counter() { figure "$1" ".peers[0][\"$2\"]"; }
mtu_is() { [ "$("$1" cat /sys/class/net/tun0/mtu)" = "$2" ]; }
# at NAMESPACE TO SIZE [OPTION]: pings whose packets have so many bytes of IPv6.
six() { "$1" ping -6 -c 3 -i 0.05 -W 2 -q "${@:4}" -s $(($3 - 48)) "$2" >"$tmp/ping" 2>&1; }
four() { "$1" ping -4 -c 3 -i 0.05 -W 2 -q -M dont -s $(($3 - 28)) "$2" >"$tmp/ping" 2>&1; }
# carries NAMESPACE LEAST MOST: what its lines do, as it found out.
carries() {
	local mtu

	mtu=$(counter "$1" mtu)
	[ "${mtu:-0}" -ge "$2" ] && [ "$mtu" -le "$3" ]
}
# lines_of BYTES: both, at both ends.
lines_of() {
	for n in home gw; do
		for i in 1 2; do ip -n $n link set w$i mtu "$1"; done
	done
}
# tunnel_by GATEWAY-ADDRESS [SETTING...]: as tunnel 2, with IPv6 inside.
tunnel_by() {
	gw tresse -q /links create home0 role=server device=tun0 local=10.77.0.1/24 \
		local6=fd77::1/64 listen=5000 threads="${THREADS:-auto}" "${@:2}"
	home tresse -q /links create home0 role=client device=tun0 local=10.77.0.2/24 \
		local6=fd77::2/64 peer="$1" peer-key="$(key_of gw)" "${@:2}" 2>/dev/null
	gw tresse -q /links/home0/peers create home key="$(key_of home)" \
		address=10.77.0.2,fd77::2
	for i in 1 2; do home tresse -q /links/home0/members create line$i; done
	wait_for 10 home ping -c 1 -W 1 -q fd77::1 >/dev/null
}
# both WAYS...: of pings, from each end.
both() { "$1" home "${2}1" "${@:3}" && "$1" gw "${2}2" "${@:3}"; }
# echoes FAMILY-PREFIX: TCP and UDP, in all sizes, there and back, each way.
echoes() {
	local n=gw other=home at=1 pid rc=0

	for _ in 1 2; do
		# Not by gw(): that would be a shell, which takes the signal.
		ip netns exec $n python3 "$root/tests/net/echo.py" serve "${1}$at" >"$tmp/serve" 2>&1 &
		pid=$!
		wait_for 20 grep -q ready "$tmp/serve" &&
			$other python3 "$root/tests/net/echo.py" ask "${1}$at" >"$tmp/ask" 2>&1 || rc=1
		kill $pid
		wait $pid 2>/dev/null
		n=home other=gw at=2
	done
	[ $rc = 0 ] || cat "$tmp/serve" "$tmp/ask"
	return $rc
}
whole() { # bytes that went in fragments, and none that are missing
	[ "$(counter home fragmented)" -gt 0 ] && [ "$(counter gw fragmented)" -gt 0 ] &&
		[ "$(counter home bad-fragments)" = 0 ] && [ "$(counter gw bad-fragments)" = 0 ]
}

# --- lines of 576 bytes, IPv4 around ---------------------------------------------
place direct
lines_of 576
for i in 1 2; do
	home tresse -q /paths create line$i device=w$i gateway=10.201.$i.1
done
check 'a tunnel over lines of 576 bytes' tunnel_by 10.200.0.1:5000
# 576 less 60; the server finds it to 8 bytes (mtu.h).
check 'the client knows what they carry' wait_for 30 carries home 516 516
check 'the server finds out' wait_for 30 carries gw 508 516
check 'the device has what IPv6 asks for' wait_for 5 mtu_is home 1280
check 'at the server, too' wait_for 5 mtu_is gw 1280
for size in 500 517 600 1000 1016 1100 1240 1248 1279 1280; do
	check "IPv6 packets of $size bytes pass both ways" both six fd77:: $size
done
check 'those of 3000, which their sender cuts to 1280' both six fd77:: 3000
check 'IPv4 packets of 1280 are cut as routers do' both four 10.77.0. 1280
check 'TCP and UDP go both ways over IPv6, whole and in order' echoes fd77::

for n in home gw; do $n sysctl -qw net.ipv4.ip_no_pmtu_disc=1; done
check 'over IPv4 without DF, too, cut as routers do' echoes 10.77.0.
check 'all of it in fragments that make sense' whole
is 'nothing was too big for the client' "$(counter gw oversize)" 0
told() {
	! "$1" ping -6 -c 3 -i 0.05 -W 1 -M 'do' -s $(($3 - 48)) "$2" >"$tmp/ping" 2>&1 &&
		grep -qE 'mtu *[=:] *1280' "$tmp/ping"
}
gw ip link set tun0 mtu 1400 # as if another of its clients carried so much
check 'a sender of more is told 1280, no less' told gw fd77::2 1390
gw ip link set tun0 mtu 1280

# --- an engine from before ---------------------------------------------------------
become gw tressed-whole
small() { both six fd77:: 500; }
check 'a server that knows no fragments is back' wait_for 20 small
was=$(counter home fragmented)
is 'which it says' "$(counter home fragments)" false
run 1 'and gets none' six home fd77::1 1200
is 'that is counted' "$(counter home fragmented)" "$was"
check 'as what is too big' [ "$(counter home oversize)" -gt 0 ]
check 'IPv4 is cut all the same' both four 10.77.0. 1280
become gw tressed
check 'the new one is back' wait_for 20 small
check 'and has them again' wait_for 10 both six fd77:: 1280

# --- frames -----------------------------------------------------------------------
for n in gw home; do run 0 "$n carries Ethernet" $n tresse /links/home0 set mode=tap; done
frames() { both six fd77:: 1280 && both four 10.77.0. 1280; }
check 'frames of full size pass' wait_for 20 frames
check 'TCP and UDP in them' echoes fd77::
for n in gw home; do $n tresse -q /links/home0 set mtu=1500; done
full() { home ping -4 -c 2 -i 0.05 -W 2 -q -M 'do' -s 1472 10.77.0.1 >/dev/null; }
check 'an mtu= of Ethernet, too' wait_for 10 full
is 'about which there is nothing to say' \
	"$(home tresse /links/home0 get error | sed 's/ .*//')" 'error='
for n in gw home; do $n tresse -q /links/home0 set mtu=auto; done
# To all: nobody has that address, so the switch sends it everywhere.
ip -n gw neigh replace 10.77.0.2 lladdr 02:00:00:00:00:99 dev tun0
rx() { home cat /sys/class/net/tun0/statistics/rx_bytes; }
before=$(rx)
gw ping -4 -c 3 -i 0.05 -W 0.2 -q -M dont -s 1200 10.77.0.2 >/dev/null
flooded() { [ $(($(rx) - before)) -ge 3600 ]; }
check 'those to everybody, too' wait_for 5 flooded
ip -n gw neigh del 10.77.0.2 dev tun0
unplace

# --- lines of 1280 bytes, IPv6 around ------------------------------------------------
place direct
for i in 1 2; do
	ip -n home addr add fd01:$i::2/64 dev w$i nodad
	ip -n gw addr add fd01:$i::1/64 dev w$i nodad
	ip -n home -4 addr flush dev w$i
	ip -n gw -4 addr flush dev w$i
	home tresse -q /paths create line$i device=w$i gateway6=fd01:$i::1
done
ip -n gw addr add fd00::1/128 dev lo
lines_of 1280
check 'a tunnel over IPv6 alone' tunnel_by '[fd00::1]:5000'
# 1280 less 80.
check 'the client knows what its lines carry' wait_for 30 carries home 1200 1200
check 'the server finds out' wait_for 30 carries gw 1192 1200
for size in 1190 1200 1201 1240 1280; do
	check "packets of $size bytes pass both ways" both six fd77:: $size
done
check 'TCP and UDP as well' echoes fd77::
check 'in fragments that make sense' whole
unplace
finish
