#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
#
# What a packet costs the thread that carries it, counted and not timed: no
# memory is asked for, no lock taken, no call made to the kernel but those that
# bring a packet or take it away. Counted are the calls of each data thread
# (tests/lab/count.c) and the datagrams it had meanwhile, at both ends.
# shellcheck disable=SC2154 # tmp, build, root are lib.sh's
. "$(dirname "$0")/lib.sh"
# shellcheck source=tests/net/tunnel.sh
. "$(dirname "$0")/tunnel.sh"

type jq perl >/dev/null || skip_all 'jq or perl is missing (make deps)'
[ -e "$build/count.so" ] || skip_all 'build/count.so is missing (make check-net)'
! grep -q __asan_init "$build/tressed" || skip_all 'the sanitizers have a malloc of their own'

# One data thread each, whose name is the link's.
THREADS=1
packet_calls=' readv writev sendmsg sendmmsg recvmmsg epoll_wait epoll_pwait2 '

engine_that_counts() {
	cat >"$tmp/engine" <<-END
	#!/bin/sh
	COUNT=\$2.calls COUNT_THREAD=home0 LD_PRELOAD=$build/count.so \
		exec tressed "\$@"
	END
	chmod 755 "$tmp/engine"
	echo "$tmp/engine"
}
calls() { perl -e 'local $/ = \32; while (<>) { print join(" ", unpack("Z24 Q", $_)), "\n" }' \
	"$tmp/$1.sock.calls"; }
datagrams() { figure "$1" '[.peers[0].lanes[] | .out.packets + .in.packets] | add'; }
# What both ends had, before and after. The status itself is work of the thread.
before() {
	for n in home gw; do datagrams $n >"$tmp/$n.datagrams"; done
	for n in home gw; do calls $n >"$tmp/$n.before"; done
}
after() {
	for n in home gw; do calls $n >"$tmp/$n.after"; done
	for n in home gw; do
		echo $(($(datagrams $n) - $(cat "$tmp/$n.datagrams"))) >"$tmp/$n.datagrams"
		join "$tmp/$n.before" "$tmp/$n.after" 2>/dev/null |
			awk '$3 > $2 { print $1, $3 - $2 }' >"$tmp/$n.calls"
	done
}
# Of a thousand datagrams so many calls, by all names but those of packets: what
# happens now and then (a window that grows, keys) is no cost of a packet.
others() { awk -v of="$packet_calls clock_gettime " 'index(of, " " $1 " ") == 0 { n += $2 }
	END { print n + 0 }' "$tmp/$1.calls"; }
few() { # END CALLS MOST-PER-THOUSAND
	local count

	count=$(cat "$tmp/$1.datagrams")
	[ "$count" -ge 5000 ] && [ $(($2 * 1000)) -le $((count * $3)) ] && return
	echo "$1: $count datagrams, and"
	sed 's/^/  /' "$tmp/$1.calls"
	return 1
}
of() { awk -v name="$2" '$1 == name { print $2; exit }' "$tmp/$1.calls" | grep . || echo 0; }
judge() { # WHAT
	local n

	for n in home gw; do
		check "$1, $n: nothing is asked for but packets ($(others $n) of $(cat "$tmp/$n.datagrams"))" \
			few $n "$(others $n)" 2
		check "$1, $n: no datagram is sent by two calls" \
			few $n "$(of $n sendmsg)" 1000
		echo "# $1, $n: of 1000 datagrams" "$(awk -v d="$(cat "$tmp/$n.datagrams")" \
			'{ printf "%s %.1f ", $1, $2 * 1000 / d }' "$tmp/$n.calls")"
	done
}

engine=$(engine_that_counts)
place direct
tunnel 2
# What is only made when it is first needed is made now.
home iperf3 -c 10.77.0.1 -n 40M >/dev/null
home iperf3 -c 10.77.0.1 -n 40M -R >/dev/null

before
home iperf3 -c 10.77.0.1 -n 60M >/dev/null
after
judge 'one TCP flow'
before
home iperf3 -c 10.77.0.1 -n 60M -R >/dev/null
after
judge 'one TCP flow back'
before
home iperf3 -c 10.77.0.1 -u -b 20M -l 200 -n 3M >/dev/null
after
judge 'small datagrams'

# It counts at all: the thread that tells its status asks for memory for that.
before
for _ in 1 2 3; do figure home .name >/dev/null; done
after
check 'a status does ask for memory' [ "$(of home malloc)" -gt 100 ]
unplace
finish
