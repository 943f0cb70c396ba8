#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# An engine that the shell starts by itself goes by the shell's store, also one that
# was named for this once, and named from here.
. "$(dirname "$0")/lib.sh"

(exec 3<>/dev/net/tun) 2>/dev/null || skip_all "/dev/net/tun may not be opened here"

ip netns add lone
ip -n lone link set lo up
cd "$tmp" || exit
lone() { TRESSE_SOCKET=$tmp/lone.sock TRESSE_STORE='' ip netns exec lone "$@"; }
engine() {
	local pid

	for pid in $(ip netns pids lone); do
		if [ "$(cat "/proc/$pid/comm")" = tressed ]; then
			echo "$pid"
			return
		fi
	done
	return 1
}
is_gone() { [ ! -e "/proc/$pid" ]; }
state() { lone tresse --store other.db /links/home0 get state | sed 's/[^=]*=//; s/ .*//'; }
is_there() { [ "$(state)" = "$1" ]; }

run 0 'a link is made, in a store named for this once' \
	lone tresse --store other.db /links create home0 role=server device=tun0 \
	local=10.77.0.1/24 listen=5000
pid=$(engine)
was=$(state)
mapfile -d '' -t had <"/proc/$pid/environ"
kill -KILL "$pid"
check 'its engine dies' wait_for 10 is_gone
env -i "${had[@]}" ip netns exec lone tressed --socket "$tmp/lone.sock" &
started+=($!)
check 'another that is begun as it was has the link' wait_for 10 is_there "$was"
run 0 'it goes' lone tresse --store other.db /links delete home0
finish
