#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
#
# Ends of different versions of the tunnel's protocol: both say so where an
# operator looks, and one that speaks both versions talks to the older one.
. "$(dirname "$0")/lib.sh"
# shellcheck source=tests/net/tunnel.sh
. "$(dirname "$0")/tunnel.sh"

for engine in 2-2 1-2; do
	type -P "tressed-speaks-$engine" >/dev/null || skip_all "no tressed-speaks-$engine: make check-net builds it"
done
unset engine

pings() { home ping -c 2 -i 0.05 -W 1 -q 10.77.0.1 >/dev/null; }
# tells NAMESPACE PATH WORDS: its error has them.
tells() { "$1" tresse "$2" get error 2>/dev/null | grep -q -- "$3"; }
quiet() { ! "$1" tresse "$2" get error 2>/dev/null | grep -q version; }
# shows NAME WORDS NAMESPACE COMMAND...: it has the words.
shows() {
	"$3" tresse "${@:4}" >"$tmp/shown" 2>&1
	has "$1" "$tmp/shown" "$2"
}

place direct
tunnel 2
check 'two ends of one version talk' pings
is 'and it is the first' "$(figure home .peers[0].protocol)" 1

# --- a client that is ahead ----------------------------------------------------
become home tressed-speaks-2-2
check 'a client of another version says so' wait_for 20 tells home /links/home0 \
	'the peer speaks version 1 of the .* this end version 2: update tressed at the peer'
check 'and so does its peer at the server' wait_for 20 tells gw /links/home0/peers/home \
	'the peer speaks version 2 of the .* this end version 1: update tressed at this end'
shows 'ls shows it at the client' 'speaks version 1' home /links ls
shows 'and at the server' 'speaks version 2' gw /links ls
shows 'status as well at the client' 'speaks version 1' home status
shows 'and at the server, too' 'speaks version 2' gw status

# --- that learns the old one ---------------------------------------------------
become home tressed-speaks-1-2
check 'one that speaks both talks to the older' wait_for 20 pings
is 'in the version of that' "$(figure home .peers[0].protocol)" 1
check 'and nobody complains at the client' wait_for 5 quiet home /links/home0
check 'or at the server' wait_for 5 quiet gw /links/home0/peers/home

# --- a server that is ahead ----------------------------------------------------
become gw tressed-speaks-2-2
become home tressed
check 'a client that is behind says so' wait_for 20 tells home /links/home0 \
	'the peer speaks version 2 of the .* this end version 1: update tressed at this end'
check 'and the server says who is' wait_for 20 tells gw /links/home0/peers/home \
	'the peer speaks version 1 of the .* this end version 2: update tressed at the peer'
become gw tressed-speaks-1-2
check 'a server that speaks both talks to it' wait_for 20 pings

unplace
finish
