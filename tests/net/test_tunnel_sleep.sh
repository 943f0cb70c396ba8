#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
#
# A tunnel whose machine sleeps, and whose wall clock is set. The engine's clocks
# are the test's (tests/lab/clock.c): what the whole machine's would do is tried
# on the stock kernel, full/test_clock.sh.
. "$(dirname "$0")/lib.sh"
# shellcheck source=tests/net/tunnel.sh
. "$(dirname "$0")/tunnel.sh"

type jq perl >/dev/null || skip_all 'jq or perl is missing (make deps)'
[ -e "$build/clock.so" ] || skip_all 'build/clock.so is missing (make check-net)'

pings() { home ping -c 3 -i 0.05 -W 1 -q 10.77.0.1 >/dev/null; }
age() { figure "$1" '.peers[0]["key-age-us"] // 0'; }
renewed() { [ "$(age home)" -lt 60000000 ] && [ "$(age gw)" -lt 60000000 ]; }
# The delays each way of all lanes, and both together, are those of a veth. What
# was under way while one clock was set and the other not yet is soon forgotten.
sane() {
	home ping -c 10 -i 0.01 -W 1 -q 10.77.0.1 >/dev/null
	for n in home gw; do
		figure "$n" '[.peers[0].lanes[] | .["rtt-us"], .["delay-us"],
			.["delay-in-us"], .["jitter-in-us"], .["queue-us"]] | max' ||
			return 1
	done >"$tmp/delays"
	! grep -vE "^[0-9]{1,6}$" "$tmp/delays"
}
up() { home tresse /links/home0 get state | grep -q 'state=up'; }

engine=$(engine_with_clocks)
place direct
tunnel 2
check 'the tunnel is up' pings

# --- the wall clock ----------------------------------------------------------
year=31536000
ping_start 0.05
for wall in $((-year)) $year 0; do
	for n in home gw; do
		clocks "$n" "$wall" 0
		sleep 0.5
	done
	check "clock off by $wall s: delays stay what they are" wait_for 5 sane
done
ping_end
read -r lost gap <<<"$(ping_losses)"
check "no ping was lost ($lost, at most $gap ms between two)" [ "$lost" = 0 ]
check 'it is up, as nothing had been' up

# --- sleep -------------------------------------------------------------------
check 'keys are young' renewed
# passes SECONDS: at both ends; the one sleeps, the other is awake meanwhile.
slept=0
passes() {
	slept=$((slept + $1))
	clocks home 0 $slept
	clocks gw 0 $slept
}
ping_start 0.05
sleep 0.5
passes 125
check 'after two minutes of sleep keys are new ones' wait_for 5 renewed
sleep 1
ping_end
read -r lost gap <<<"$(ping_losses)"
check "few pings were lost ($lost, at most $gap ms between two)" [ "$lost" -le 10 ]
check 'delays stay what they are' wait_for 20 sane
for how_long in 1000 100000; do
	passes $how_long
	check "after $how_long s it is back at once" wait_for 5 pings
	check 'with new keys' wait_for 2 renewed
	check 'it is up' wait_for 2 up
	check 'delays stay what they are' wait_for 20 sane
done

# --- an end that is stopped, and what waits for it meanwhile --------------------
ping_start 0.02
kill -STOP "$pid_gw"
sleep 3
kill -CONT "$pid_gw"
check 'after a stop it is back at once' wait_for 5 pings
ping_end
check 'delays stay what they are' wait_for 2 sane

# So for minutes, of which the other end sees each: its keys are worn, and lost, while
# nobody answers. What was sent under old ones meanwhile is no use to anybody.
expired() { figure "$1" .refused.expired; }
for how_long in 125 400; do
	for n in gw home; do
		ping_start 0.05
		wait_for 10 grep -q 'icmp_seq=3 ' "$tmp/ping"
		pid=pid_$n
		kill -STOP "${!pid}"
		passes $how_long
		sleep 1
		kill -CONT "${!pid}"
		check "$n stopped for $how_long s: back at once" wait_for 5 pings
		check 'with new keys' wait_for 2 renewed
		ping_end
		check 'delays stay what they are' wait_for 20 sane
	done
done
echo "# refused as sealed with keys that were over: $(expired home) at home, $(expired gw) at gw"

# Nobody has slept, but one end's clock says so: the other takes it as it is.
clocks gw 0 $((slept + 100))
check 'a clock of its own goes wrong: it is back' wait_for 5 pings
unplace
finish
