#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# What the kernel refuses in the middle of a batch, and what the checks refuse
# before it, leaves everything as it was: tc, nft, routes, rules and store.
. "$(dirname "$0")/lib.sh"

uplink
tresse <"$root/man/examples/adsl.tresse" >"$tmp/out" 2>&1 || {
	cat "$tmp/out"
	skip_all 'the policy could not be applied'
}
everything >"$tmp/before"
store >"$tmp/store.before"

unchanged() {
	everything >"$tmp/after"
	same "$1: the host is as it was" "$tmp/before" "$tmp/after"
	store >"$tmp/store.after"
	same "$1: so is the store" "$tmp/store.before" "$tmp/store.after"
}

# Twenty lines; the one that the kernel is to refuse is the fifteenth. HTB is
# eight levels deep at most.
batch() {
	cat <<-'END'
	/classes/uplink/internet/ssh set ceil=310kbit
	/classes/uplink/internet/web/site1 set leaf="pfifo limit 50"
	/classes/uplink/internet/torrent set rate=100kbit
	/classes/uplink/internet create voice rate=20kbit ceil=100kbit prio=0
	/classes/uplink/internet/voice/match create sip proto=udp dport=5060
	/classes/uplink/internet/torrent/match/owner set uid=1015
	/classes/uplink/internet/other/match create all proto=udp dport=7
	/classes/uplink/lan set rate=900mbit
	/classes/uplink/lan/match/lan set dst=192.168.2.0/24
	/paths create lte0 device=lo gateway=none source=none
	/classes create second path=lte0
	/classes/second create a rate=10mbit
	/classes/second create b rate=5mbit
	/classes/second/b/match create m proto=udp dport=1
	END
	echo "$1"
	cat <<-'END'
	/classes/second/a/match create m proto=udp dport=2
	/classes/uplink/internet/ssh set burst=3k
	/classes/uplink/internet/acks set prio=3
	/paths/adsl0 set description=changed
	/classes/uplink set description=changed
	END
}

# refused NAME LINE: the fifteenth of twenty.
refused() {
	batch "$2" >"$tmp/batch"
	run 1 "$1: refused" tresse <"$tmp/batch"
	has "$1: the line is named" "$tmp/err" '^stdin:15: '
	unchanged "$1"
}

# No check of ours knows this address; the kernel does.
refused 'a gateway that is a multicast group' \
	'/paths create bad device=wan0 gateway=224.0.0.5 source=192.0.2.2/24'
has 'a gateway that is a multicast group: in the kernel'"'"'s words' \
	"$tmp/err" 'kernel says: Nexthop has invalid gateway'

# And what our checks refuse.
refused 'a ceil under the rate' \
	'/classes/second create c rate=5mbit ceil=1mbit'
finish
