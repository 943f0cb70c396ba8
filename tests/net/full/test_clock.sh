#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# The machine's clock is set back a year, and forward, under a tunnel and within
# the time of a commit that waits for its confirmation. Only where the machine is
# ours: emulated.
# shellcheck source=../lib.sh
. "$(dirname "$0")/../lib.sh"
modprobe tun 2>/dev/null
# shellcheck source=../tunnel.sh
. "$(dirname "$0")/../tunnel.sh"

[ "$(hostname)" = fullkernel ] || skip_all 'the clock of this machine is not ours to set'
type jq perl >/dev/null || skip_all 'jq or perl is missing (make deps)'

# leap SECONDS: the wall clock goes by so many.
leap() { date -s "@$(($(date +%s) + $1))" >/dev/null; }
year=31536000

# --- a tunnel ----------------------------------------------------------------
pings() { home ping -c 3 -i 0.2 -W 2 -q 10.77.0.1 >/dev/null; }
age() { figure "$1" '.peers[0]["key-age-us"] // 0'; }
renewed() { [ "$(age home)" -lt 60000000 ] && [ "$(age gw)" -lt 60000000 ]; }
sane() {
	for n in home gw; do
		figure "$n" '[.peers[0].lanes[] | .["rtt-us"], .["delay-us"],
			.["delay-in-us"], .["jitter-in-us"], .["queue-us"]] | max' ||
			return 1
	done >"$tmp/delays"
	! awk '$1 !~ /^[0-9]+$/ || $1 > 3000000' "$tmp/delays" | grep -q .
}
engine=$(engine_with_clocks) # to let two minutes pass
place direct
tunnel 2
check 'the tunnel is up' pings
began=$(date +%Y)
ping_start 0.2
sleep 1
leap -$year
check 'the clock is set back a year' [ "$(date +%Y)" = $((began - 1)) ]
sleep 2
check 'delays stay what they are' sane
for n in home gw; do clocks "$n" 0 125; done
check 'keys are renewed' wait_for 20 renewed
home tresse status >"$tmp/status" 2>"$tmp/err"
check 'status has no complaint' [ ! -s "$tmp/err" ]
has 'and tells that it is up' "$tmp/status" 'home0.*up'
leap $((2 * year))
check 'it is set forward two years' [ "$(date +%Y)" = $((began + 1)) ]
sleep 2
check 'delays stay what they are' sane
for n in home gw; do clocks "$n" 0 250; done
check 'keys are renewed' wait_for 20 renewed
leap -$year
ping_end
read -r lost _ <<<"$(ping_losses)"
check "hardly a ping was lost ($lost)" [ "$lost" -le 2 ]
check 'it is up all the same' pings
unplace

# --- a commit that waits -----------------------------------------------------
uplink
rate_is() { tc class show dev wan0 | grep -q "rate $1"; }
printf '%s\n' '/classes create uplink device=wan0 default=other' \
	'/classes/uplink create other rate=1mbit burst=15k' >"$tmp/first"
run 0 'a policy' tresse -f "$tmp/first"
# tried WHAT SECONDS: the clock goes by so many within the time.
tried() {
	local before after

	printf '%s\n' begin '/classes/uplink/other set rate=2mbit' \
		'commit confirm=12s' | tresse >"$tmp/out" 2>&1
	before=$(uptime_ms)
	check "$1: a commit is in force" rate_is 2Mbit
	leap "$2"
	sleep 4
	after=$(($(uptime_ms) - before))
	if [ $after -lt 11000 ]; then
		check "$1: it is not undone early" rate_is 2Mbit
	else
		skip "$1: not undone early: the machine took $after ms to look"
	fi
	check "$1: and undone in time" wait_for 40 rate_is 1Mbit
	leap $((-$2))
}
tried 'set back' -$year
tried 'set forward' $year
printf '%s\n' begin '/classes/uplink/other set rate=3mbit' 'commit confirm=60s' |
	tresse >"$tmp/out" 2>&1
leap -$year
run 0 'it is confirmed by an older clock' tresse confirm
check 'and stands' rate_is 3Mbit
run 0 'history tells of it' tresse history
run 0 'undo finds what was last' tresse undo
check 'whatever its time' rate_is 1Mbit
leap $year
finish
