#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# A change that would move the way to who makes it is undone and refused.
. "$(dirname "$0")/lib.sh"

uplink
ip link add lte0 type veth peer name lte1
ip link set lte0 up
ip link set lte1 up
ip addr add 198.51.100.2/24 dev lte0
ip route add default via 192.0.2.1 dev wan0
everything >"$tmp/before"
cut=(/paths create lte device=lte0 gateway=198.51.100.1 source=192.0.2.2/32)

# logged_in COMMAND...: as from an ssh connection from behind the gateway.
logged_in() {
	SSH_CONNECTION='203.0.113.9 50022 192.0.2.2 22' "$@"
}
run 1 'what would move the way to me is refused' \
	logged_in tresse "${cut[@]}"
has 'it says where from, and where to' "$tmp/err" '203.0.113.9' 'lte0' \
	'wan0 by 192.0.2.1' 'confirm='
everything >"$tmp/after"
same 'and leaves everything as it was' "$tmp/before" "$tmp/after"
run 0 'what does not is done' logged_in tresse /paths create lte device=lte0 \
	gateway=198.51.100.1
run 0 'and taken away' logged_in tresse /paths delete lte
# sudo takes the variable away, but not from the process above it.
under_sudo() { logged_in bash -c 'env -u SSH_CONNECTION "$@"; exit $?' - "$@"; }
run 1 'also under sudo' under_sudo tresse "${cut[@]}"
run 0 'nobody is logged in: it is done' tresse "${cut[@]}"
run 0 'and taken away again' tresse /paths delete lte
everything >"$tmp/after"
same 'everything is as it was' "$tmp/before" "$tmp/after"
finish
