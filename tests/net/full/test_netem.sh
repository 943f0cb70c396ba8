#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# A tunnel over lines that the kernel's own netem makes slow, late and lossy; that
# swap, double and damage packets. Function, not speed: the machine is emulated.
# shellcheck disable=SC2016 # perl
# shellcheck source=../lib.sh
. "$(dirname "$0")/../lib.sh"
modprobe tun 2>/dev/null
# shellcheck source=../tunnel.sh
. "$(dirname "$0")/../tunnel.sh"

has_qdisc netem || skip_all 'no netem here'
type jq perl iperf3 >/dev/null || skip_all 'jq, perl or iperf3 is missing (make deps)'

# netem LINE WORDS...: both ways.
netem() {
	local i=$1 n
	shift
	for n in home gw; do
		ip netns exec $n tc qdisc replace dev "w$i" root netem limit 200 "$@"
	done
}
pings() { home ping -c 3 -i 0.2 -W 2 -q 10.77.0.1 >/dev/null; }
# lanes FILTER: of the client's, by number of their line
lanes() {
	figure home "[1, 2] as \$lines | [.peers[0].lanes as \$l | \$lines[] as \$i |
		\$l[] | select(.member == \"line\(\$i)\")] | $1"
}
not() { ! "$@"; }
up() { [ "$(lanes ".[$(($1 - 1))].state")" = up ]; }
both_up() { [ "$(lanes 'map(.state == "up") | all')" = true ]; }
refused() { figure gw ".refused[\"$1\"]"; }

place direct
netem 1 delay 25ms
netem 2 delay 60ms
tunnel 2
check 'the tunnel is up' pings

# --- delay -------------------------------------------------------------------
# An answer may take the faster line.
late() { lanes '.[0]["rtt-us"] >= 45000 and .[1]["rtt-us"] >= 80000' | grep -q true; }
home ping -i 0.2 -q -w 300 10.77.0.1 >/dev/null &
pinger=$!
check 'the delay of each line is found out' wait_for 45 late
lanes 'map(.["rtt-us"] / 1000 | floor) | "# round trips: \(.[0]) and \(.[1]) ms"'

# --- rate, loss, another order -----------------------------------------------
# sent SECONDS [OPTION...]: bytes that one TCP flow has brought.
sent() {
	home iperf3 -c 10.77.0.1 -t "$@" -J 2>/dev/null |
		jq '.end.sum_received.bytes // 0'
}
bytes() { lanes '.[].out.bytes' | xargs; }
netem 1 delay 10ms 2ms loss 1% rate 4mbit
netem 2 delay 15ms rate 2mbit
read -r first second <<<"$(bytes)"
got=$(sent 6)
read -r first_now second_now <<<"$(bytes)"
first=$((first_now - first)) second=$((second_now - second))
echo "# $got bytes in 6 s of 6 Mbit/s: $first by the first, $second by the second"
check 'TCP goes over lines of 4 and 2 Mbit/s' [ "$got" -gt 150000 ]
check 'over both of them' test $((first * 20)) -gt "$got" -a $((second * 20)) -gt "$got"
check 'no more than they take' [ "$got" -lt 5500000 ]

netem 1 delay 20ms reorder 25% 50% loss 3%
netem 2 delay 20ms duplicate 5% corrupt 3%
again=$(refused replay)
head -c 500000 /dev/urandom >"$tmp/file"
gw perl -e '
use Socket;
socket(L, PF_INET, SOCK_STREAM, 0) && bind(L, sockaddr_in(7000, INADDR_ANY)) &&
	listen(L, 1) or die $!;
$| = 1; print "ready\n"; accept(C, L); open(F, ">", $ARGV[0]);
while (sysread(C, $bytes, 65536)) { syswrite(F, $bytes) }
print "whole\n"' "$tmp/copy" >"$tmp/server" 2>&1 &
server=$!
wait_for 20 grep -q ready "$tmp/server"
home perl -e '
use Socket;
socket(S, PF_INET, SOCK_STREAM, 0) &&
	connect(S, sockaddr_in(7000, inet_aton("10.77.0.1"))) or die $!;
open(F, "<", $ARGV[0]); while (read(F, $bytes, 65536)) { print S $bytes }' "$tmp/file"
check 'a file passes lines that lose, swap, double and damage' \
	wait_for 40 grep -q whole "$tmp/server"
check 'unharmed' cmp "$tmp/file" "$tmp/copy"
# What is damaged the kernel drops, by the checksum of UDP.
check 'what came twice is refused, and counted' [ "$(refused replay)" -gt "$again" ]

# --- a line that takes nothing any more --------------------------------------
netem 1 delay 10ms
netem 2 delay 10ms
check 'both lines are up' wait_for 30 both_up
ping_start 0.1
sleep 2
netem 1 loss 100%
check 'what swallows everything is found out' wait_for 4 not up 1
sleep 2
netem 1 delay 10ms
check 'and taken again, once it is good' wait_for 40 up 1
ping_end
read -r lost gap <<<"$(ping_losses)"
check "few pings were lost ($lost, at most $gap ms between two)" [ "$lost" -le 15 ]
home tresse /links ls

kill "$pinger" "$server" 2>/dev/null
unplace
finish
