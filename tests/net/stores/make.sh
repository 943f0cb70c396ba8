#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# make.sh BUILD N FOLDER: a store as the program in BUILD writes it, of schema N,
# as text in FOLDER/schema-N.sql and -secrets.sql. Those beside this were made by
# the last commits that wrote their schema: 1 bc3efdc, 2 ce7334d, 3 4e48331.
TRESSE_BUILD=$1
export TRESSE_BUILD
. "$(dirname "$0")/../lib.sh"
version=$2 to=$3

uplink
export TRESSE_SOCKET=$tmp/engine.sock
if [ "$version" -gt 1 ]; then
	start "$tmp/engine.out" tressed --socket "$TRESSE_SOCKET" \
		--store "$TRESSE_STORE"
	wait_for 10 test -S "$TRESSE_SOCKET"
fi
{
	echo '/paths create adsl0 device=wan0 gateway=192.0.2.1 source=192.0.2.2'
	echo '/classes create uplink path=adsl0'
	echo '/classes/uplink create line rate=768kbit linklayer=atm'
	echo '/classes/uplink/line create voice rate=128kbit ceil=768kbit prio=1'
	echo '/classes/uplink/line create other rate=640kbit ceil=768kbit' \
		'leaf="fq_codel or sfq perturb 10 or pfifo limit 100"'
	echo '/classes/uplink set default=other'
	echo '/classes/uplink/line/voice/match create sip proto=udp dport=5060-5061'
	[ "$version" = 1 ] ||
		echo '/links create home0 role=server device=tun-home' \
			'local=10.77.0.1/24 listen=5000'
} >"$tmp/batch"
run 0 'a policy' tresse <"$tmp/batch"
cat "$tmp/err"
if [ "$version" -gt 1 ]; then
	run 0 'a client' tresse /links/home0/peers create alice \
		"key=$(head -c 32 /dev/zero | tr '\0' 'A' | base64)" \
		address=10.77.0.2
fi
run 0 'a change' tresse /classes/uplink/line/voice set rate=100kbit
[ "$version" = 1 ] || run 0 'and back' tresse undo
run 0 'another' tresse /classes/uplink/line/voice set ceil=600kbit
if [ "$version" -gt 1 ]; then
	printf '%s\n' begin '/classes/uplink/line/voice set ceil=500kbit' \
		'commit confirm=1h reason="voice needs less"' >"$tmp/trial"
	run 0 'a trial' tresse <"$tmp/trial"
	printf '%s\n' begin '/classes/uplink/line/other set ceil=700kbit' |
		script -qefc 'tresse' /dev/null >/dev/null 2>&1
fi
dump() { # FILE
	sqlite3 -readonly "$1" .dump
	echo "PRAGMA application_id = $(sqlite3 -readonly "$1" \
		'PRAGMA application_id');"
	echo "PRAGMA user_version = $(sqlite3 -readonly "$1" \
		'PRAGMA user_version');"
}
dump "$TRESSE_STORE" >"$to/schema-$version.sql"
[ ! -e "$TRESSE_STORE-secrets" ] ||
	dump "$TRESSE_STORE-secrets" >"$to/schema-$version-secrets.sql"
finish
