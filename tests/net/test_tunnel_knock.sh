#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
#
# A client that its server does not know yet: the server shows its key, and where it
# calls from, so that it is let in by pasting what is shown.
# shellcheck disable=SC2154 # pid_gw comes by eval
. "$(dirname "$0")/lib.sh"
# shellcheck source=ends.sh
. "$root/tests/net/ends.sh"

knocked() { in_ gw tresse /links/home0/peers get knocked; }
pings() { in_ c1 ping -c 1 -W 1 -q 10.77.0.1 >/dev/null; }

for n in gw c1; do
	place_of $n
	engine_of $n
done
in_ gw tresse -q /links create home0 role=server device=tun0 local=10.77.0.1/24 \
	listen=5000 threads="${THREADS:-2}"
line_to_gw 1
check 'nobody has knocked' grep -qE 'knocked=.*unknown' <(knocked)

in_ c1 tresse -q /links create home0 role=client device=tun0 local=auto \
	peer=10.201.1.1:5000 "peer-key=$(get gw /links/home0 public-key)"
in_ c1 tresse -q /links/home0/members create line
key=$(get c1 /links/home0 public-key)
calls() { knocked | grep -qF "key=$key from 10.201.1.2:"; }
check 'the key of a client that knocks is shown, and where it is' wait_for 10 calls
check 'and when' grep -qE ' [0-9]+s ago' <(knocked)
check 'ls says that there is one' grep -qF 'unknown keys call' \
	<(in_ gw tresse /links/home0/peers ls)
check 'so does the link' grep -qF 'unknown keys call' <(in_ gw tresse /links ls)
check 'it is JSON, too' grep -qF "$key" <(in_ gw tresse -j /links/home0/peers get)
check 'the client is told nothing' in_ c1 bash -c '! ping -c 1 -W 1 -q 10.77.0.1 >/dev/null'

# What is shown is what is to be typed.
words=$(knocked | grep -oE 'key=[A-Za-z0-9+/]+=')
run 0 'it is let in by pasting its key' in_ gw tresse -q /links/home0/peers create alice "$words"
check 'it is in' wait_for 20 pings
gone() { knocked | grep -qE 'knocked=.*unknown'; }
check 'and no stranger any more' wait_for 5 gone
kill_engine gw
kill_engine c1
finish
