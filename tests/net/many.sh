# shellcheck shell=bash
# SPDX-License-Identifier: GPL-3.0-or-later
# shellcheck disable=SC2154 # tmp is lib.sh's, pid_gw comes by eval
#
# many.sh - a server in a namespace, and many clients in another (swarm.c). For
# tests and benches, behind ends.sh.
#
#   place_many; ... make its peers ...; swarm 1000; wait_for 60 all_up 1000

place_many() {
	local n

	for n in gw far; do place_of $n; done
	ip link add w0 netns far type veth peer name w0 netns gw
	ip -n far addr add 10.201.0.2/24 dev w0
	ip -n gw addr add 10.201.0.1/24 dev w0
	ip -n far link set w0 up
	ip -n gw link set w0 up
	ip -n far route add local 10.64.0.0/14 dev lo
	ip -n gw route add 10.64.0.0/14 via 10.201.0.2
	engine_of gw
	in_ gw tresse -q /links create home0 role=server device=tun0 \
		local=10.77.0.1/16 listen=5000 threads="${THREADS:-auto}"
	ip -n gw route add 10.80.0.0/15 dev tun0 2>/dev/null
	in_ gw "$build/swarm" echo 7 >"$tmp/echo" &
	echo_pid=$!
	wait_for 5 grep -q ready "$tmp/echo"
}

unplace_many() {
	exec 8>&-
	kill "$pid_gw" "$echo_pid" "$swarm_pid" 2>/dev/null
	wait 2>/dev/null
	ip netns del gw
	ip netns del far
	rm -f "$tmp"/gw.* "$tmp/swarm"
}

# swarm COUNT [HOSTS]: they begin to call.
swarm() {
	local key

	key=$(get gw /links/home0 public-key)
	rm -f "$tmp/swarm"
	mkfifo "$tmp/swarm"
	in_ far "$build/swarm" run "$1" 10.201.0.1 5000 "$key" "${@:2}" \
		<"$tmp/swarm" >"$tmp/swarm.out" &
	swarm_pid=$!
	exec 8>"$tmp/swarm"
}

# They are gone.
unswarm() {
	tell end # others may hold the pipe
	wait "$swarm_pid" 2>/dev/null
	exec 8>&-
	rm -f "$tmp/swarm.out"
}

# tell WORDS...: to the swarm.
tell() { echo "$*" >&8; }
# last WORD: the line of the swarm that begins so, the last one of them.
last() { sed -n "s/^$1 //p" "$tmp/swarm.out" | tail -n 1; }
all_up() { [ "$(last up)" = "$1" ]; }
all_heard() { [ "$(last heard)" = "$1" ]; }

# Of the server: ms of processor so far, kB of memory, times it was woken.
ticks() { awk '{ print ($14 + $15) * 10 }' "/proc/$pid_gw/stat"; }
resident() { awk '/^Pss:/ { print $2 }' "/proc/$pid_gw/smaps_rollup"; }
wakeups() { cat /proc/"$pid_gw"/task/*/status | awk '/^voluntary/ { s += $2 } END { print s }'; }
# sent_by_all NUMBER: the clients have sent so many datagrams.
sent_by_all() {
	tell figures
	[ "$(last figures | awk '{ sent = $3 } END { print sent + 0 }')" -ge "$1" ]
}
# How many the server says are up.
up_there() { get gw /links/home0 peers-up 2>/dev/null; }
# refused REASON: datagrams, since the server began.
refused() { in_ gw tresse /links/home0 get refused | grep -oP " $1 \K[0-9]+" || echo 0; }
served() { [ "$(up_there)" = "$1" ]; }
