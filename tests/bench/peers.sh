#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
#
# peers.sh - what many clients of one server cost: N of them (tests/lab/swarm.c),
# each with a key, an address and a socket of its own, talk, rest, and come back
# after the server has been restarted; and what the shell does with so many.
#
#   tests/bench/peers.sh [COUNT...]     REST=60: seconds of rest that are measured
# shellcheck disable=SC2154 # pid_gw comes by eval
set -u

# shellcheck source=tests/net/lib.sh
. "$(dirname "$0")/../net/lib.sh"
# shellcheck source=tests/net/ends.sh
. "$root/tests/net/ends.sh"
# shellcheck source=tests/net/many.sh
. "$root/tests/net/many.sh"

rest=${REST:-60}

say() { printf '%-52s %s\n' "$1" "$2"; }
ms() { # COMMAND...: its milliseconds are in $took
	local before=${EPOCHREALTIME/./}

	"$@" >"$tmp/out" 2>&1 || sed 's/^/  /' "$tmp/out" | head -n 3
	took=$(((${EPOCHREALTIME/./} - before) / 1000))
}

shell() { # COUNT: what one asks of so many
	ms in_ gw tresse /links/home0/peers ls
	say "  ls" "$took ms, $(wc -l <"$tmp/out") lines"
	ms in_ gw tresse /links ls
	say "  ls of the link" "$took ms, $(wc -l <"$tmp/out") lines"
	ms in_ gw tresse status
	say "  status" "$took ms, $(wc -l <"$tmp/out") lines"
	ms in_ gw tresse /links/home0/peers/c7 get
	say "  get of one" "$took ms"
	ms in_ gw tresse /links/home0 get peers-up
	say "  get peers-up" "$took ms, $(sed 's/[^=]*=//; s/  .*//' "$tmp/out") up"
	ms in_ gw tresse --complete "tresse /links/home0/peers/c"
	say "  TAB" "$took ms, $(wc -l <"$tmp/out") lines"
	ms in_ gw tresse -q /links/home0/peers create more \
		"key=$(head -c 32 /dev/urandom | base64)" address=10.81.0.1
	say "  one more of them is made" "$took ms"
	ms in_ gw tresse -q /links/home0/peers/more set up=10mbit
	say "  set of it" "$took ms"
	ms in_ gw tresse -q /links/home0/peers delete more
	say "  and deleted" "$took ms"
}

at_rest() { # COUNT SECONDS
	local cpu woken least most

	tell keepalives "$2"
	cpu=$(ticks) woken=$(wakeups)
	sleep "$2"
	cpu=$(($(ticks) - cpu)) woken=$(($(wakeups) - woken))
	say 'processor at rest' "$(awk "BEGIN { printf \"%.2f\", $cpu / $2 / 10 }") % of one"
	say 'wake-ups a second' "$((woken / $2))"
	wait_for 5 grep -q keepalives "$tmp/swarm.out"
	read -r least most <<<"$(last keepalives)"
	say 'datagrams of the clients, a second' \
		"$((least * 10 / $2)) to $((most * 10 / $2)) in tenths of the time"
	say 'file descriptors of the server' "$(find "/proc/$pid_gw/fd" -mindepth 1 | wc -l)"
}

# One of their calls, to flood with.
start_recorder() {
	: >"$tmp/recorder"
	in_ gw "$build/flood" record w0 "$tmp/init" >"$tmp/recorder" &
	wait_for 5 grep -q ready "$tmp/recorder"
}

# All of them anew, while a stranger sends one of their calls at full speed.
under_flood() { # COUNT
	local cpu cookies flooder

	unswarm
	nice -n 10 ip netns exec far "$build/flood" send 10.201.0.1 5000 \
		1000000000 600 replay "$tmp/init" >/dev/null &
	flooder=$!
	cpu=$(ticks) cookies=$(refused no-cookie)
	swarm "$1"
	ms wait_for 120 all_up "$1"
	say 'under a flood all are in after' \
		"$took ms, $(($(ticks) - cpu)) ms of processor; $(last up) in"
	say '  calls refused for want of a cookie' "$(($(refused no-cookie) - cookies))"
	kill "$flooder"
	wait "$flooder" 2>/dev/null
}

peers() { # COUNT
	local few talking cpu

	say "--- clients" "$1"
	place_many
	few=$(resident)
	"$build/swarm" peers "$1" | sed 's|^|/links/home0/peers |' >"$tmp/batch"
	ms in_ gw tresse -q -f "$tmp/batch"
	say 'made by one batch' "$took ms"
	say 'memory of one that is only known' "$((($(resident) - few) * 1000 / $1)) B"
	start_recorder
	cpu=$(ticks)
	swarm "$1"
	ms wait_for 120 all_up "$1"
	say 'all are in after' "$took ms, $(($(ticks) - cpu)) ms of processor; $(last up) in"
	say '  calls refused: no cookie, too often, too late' \
		"$(refused no-cookie), $(refused rate), $(refused late)"
	say 'memory of one that is in' "$((($(resident) - few) * 1000 / $1)) B"
	tell talk 8 600
	wait_for 10 all_heard "$1" || say "heard only" "$(last heard)"
	talking=$(resident)
	say 'memory of one that has talked (8 flows)' "$(((talking - few) * 1000 / $1)) B"
	shell "$1"
	sleep "${CALM:-45}"
	say 'memory of one at rest' "$((($(resident) - few) * 1000 / $1)) B"
	at_rest "$1" "$rest"
	kill -KILL "$pid_gw"
	wait "$pid_gw" 2>/dev/null
	engine_of gw
	ms wait_for 120 served "$1"
	say 'after a restart all are in' "$took ms, $(ticks) ms of processor"
	say 'memory of one after a restart' "$((($(resident) - few) * 1000 / $1)) B"
	under_flood "$1"
	unplace_many
}

for count in "${@:-1000}"; do peers "$count"; done
finish
