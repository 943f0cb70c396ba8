#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
#
# Hundreds of clients that are all there (swarm.c): what one of them costs in
# memory, that all are served and come back, and that one more is one more.
# `make bench-peers` does so with thousands, and measures.
# shellcheck disable=SC2154,SC2317 # pid_gw comes by eval; functions are called by check
. "$(dirname "$0")/lib.sh"
# shellcheck source=ends.sh
. "$root/tests/net/ends.sh"
# shellcheck source=many.sh
. "$root/tests/net/many.sh"

COUNT=300 THREADS=2
descriptors() { find "/proc/$pid_gw/fd" -mindepth 1 | wc -l; }

place_many
before=$(resident) open=$(descriptors)
"$build/swarm" peers $COUNT | sed 's|^|/links/home0/peers |' >"$tmp/batch"
run 0 'a batch makes them' in_ gw tresse -q -f "$tmp/batch"
swarm $COUNT
check 'all of them come in' wait_for 30 served $COUNT
check 'and know it' wait_for 10 all_up $COUNT
each=$(((($(resident) - before) * 1000) / COUNT))
# What is there for all of them (the ring of packets, the room that is received
# into) is counted with them: with thousands it is 30 kB.
check "one costs little ($each bytes)" [ $each -le 40000 ]
is 'and no file descriptor' "$(descriptors)" "$open"
heard() {
	tell talk 4 600
	wait_for 3 all_heard "$COUNT"
}
check 'each is heard, and answered' wait_for 20 heard
run 0 'one more is made' in_ gw tresse -q /links/home0/peers create more \
	"key=$(head -c 32 /dev/urandom | base64)" address=10.81.0.1
check 'and nobody else noticed' wait_for 20 heard
check 'all are still up' wait_for 20 served $COUNT

kill_engine gw KILL
engine_of gw
check 'all are back after the server has been restarted' wait_for 30 served $COUNT
check 'and heard' wait_for 20 heard

# Calls that have waited for long are not worked on: each was sent once more since.
kill -STOP "$pid_gw"
unswarm
swarm $COUNT
check 'while nobody answers they call again' wait_for 20 sent_by_all $((2 * COUNT))
sleep 1.1
kill -CONT "$pid_gw"
check 'then all come in' wait_for 30 all_up $COUNT
check 'and are served' wait_for 10 served $COUNT
late=$(refused late)
check "calls that had waited for a second were left out ($late)" [ "$late" -gt 0 ]
check 'each is heard' wait_for 20 heard

unplace_many
finish
