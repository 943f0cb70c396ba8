#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# Stores that earlier programs wrote (stores/make.sh): read as they are, by the
# shell and by the engine, and converted by the first change, whole or not at all.
. "$(dirname "$0")/lib.sh"

type -P sqlite3 >/dev/null || skip_all 'no sqlite3 (make deps)'
uplink
stores=$root/tests/net/stores
export TRESSE_SOCKET=$tmp/engine.sock

# written N: TRESSE_STORE becomes a store of schema N, as it was then.
written() {
	TRESSE_STORE=$tmp/$1/tresse.db
	mkdir -p "$tmp/$1"
	chmod 755 "$tmp" "$tmp/$1"
	rm -f "$TRESSE_STORE"*
	sqlite3 "$TRESSE_STORE" <"$stores/schema-$1.sql"
	[ ! -e "$stores/schema-$1-secrets.sql" ] || {
		sqlite3 "$TRESSE_STORE-secrets" \
			<"$stores/schema-$1-secrets.sql"
		chmod 600 "$TRESSE_STORE-secrets"
	}
}
# on_trial SECONDS: what waits in it began just now.
on_trial() {
	sqlite3 -cmd '.timeout 10000' "$TRESSE_STORE" "UPDATE trial SET
		boot = '$(cat /proc/sys/kernel/random/boot_id)',
		span_us = $1 * 1000000,
		deadline_us = $(uptime_ms) * 1000 + $1 * 1000000"
}
sum() { find "$(dirname "$TRESSE_STORE")" -type f ! -name '*.measured' -exec \
	sha256sum {} + | sort; }
text() { sqlite3 -readonly "$1" .dump 'PRAGMA user_version'; }
schema() { sqlite3 -readonly "$TRESSE_STORE" 'PRAGMA user_version'; }
today=$(TRESSE_STORE=$tmp/today.db tresse /paths create a device=wan0 \
	>"$tmp/out" 2>&1 && TRESSE_STORE=$tmp/today.db tresse /paths delete a \
	>"$tmp/out" 2>&1 && TRESSE_STORE=$tmp/today.db schema)
# all_of NAME: every way of looking, without what only the host knows.
all_of() {
	local number

	tresse saveconfig /dev/stdout 2>/dev/null | grep -v '^#'
	tresse history
	tresse blame /classes/uplink
	for number in $(seq "$(tresse -j history | grep -c '"revision"')"); do
		tresse diff "r$number"
	done
}

for version in 1 2 3; do
	written $version
	[ $version = 1 ] || on_trial 3600
	sum >"$tmp/before"
	run 0 "schema $version: ls" tresse ls /classes
	has "schema $version: it is all there" "$tmp/out" \
		'voice .*class wan0 1:2 parent 1:1' 'sip .*udp dport 5060-50'
	run 0 "schema $version: history" tresse history
	is "schema $version: of all revisions" "$(grep -c root "$tmp/out")" \
		"$((version == 1 ? 3 : 6))"
	run 0 "schema $version: blame" tresse blame /classes/uplink/line/voice
	run 0 "schema $version: an earlier revision" tresse diff r1
	has "schema $version: and what came after it" "$tmp/out" 'ceil'
	run 0 "schema $version: status" tresse status
	[ $version = 1 ] ||
		has "schema $version: what waits to be confirmed" "$tmp/out" \
			'on trial'
	run 0 "schema $version: a dry run" \
		tresse -n /classes/uplink/line/voice set rate=90kbit
	all_of >"$tmp/was" 2>&1
	[ "$TRESSE_TEST_SPACE" != root ] || {
		setpriv --reuid=65534 --regid=65534 --clear-groups \
			"$build/tresse" --store "$TRESSE_STORE" ls / \
			>"$tmp/out" 2>"$tmp/err"
		has "schema $version: without rights" "$tmp/out" voice
	}
	mount --bind "$tmp/$version" "$tmp/$version"
	mount -o remount,ro,bind "$tmp/$version"
	run 0 "schema $version: on a read-only file system" tresse ls /classes
	tresse /classes/uplink/line/voice set rate=90kbit >"$tmp/out" \
		2>"$tmp/err"
	has "schema $version: which is no place to change it" "$tmp/err" \
		read-only
	umount "$tmp/$version"
	sum >"$tmp/after"
	same "schema $version: looking leaves it as it was" "$tmp/before" \
		"$tmp/after"
done

# --- the engine -------------------------------------------------------------
# The host is as an older program left it: devices made, their engine ended.
written 3
sqlite3 -cmd '.timeout 10000' "$TRESSE_STORE" 'DELETE FROM trial'
cp -r "$tmp/3" "$tmp/then"
start "$tmp/engine.out" tressed --socket "$TRESSE_SOCKET" --store /dev/null
check 'an engine' wait_for 30 test -S "$TRESSE_SOCKET"
run 0 'the host is told' tresse --store "$tmp/then/tresse.db" restoreconfig
stop "$pid"
for version in 2 3; do
	written $version
	on_trial 3600
	sum >"$tmp/before"
	start "$tmp/engine.out" tressed --socket "$TRESSE_SOCKET" \
		--store "$TRESSE_STORE"
	tunnel_is_up() { ss -Hlun sport = :5000 | grep -q 5000; }
	check "schema $version: the engine carries its tunnel" \
		wait_for 30 tunnel_is_up
	is "schema $version: and complains of nothing" \
		"$(grep -v "tressed: user " "$tmp/engine.out")" ''
	stop "$pid"
	sum >"$tmp/after"
	same "schema $version: the store is as it was" "$tmp/before" \
		"$tmp/after"
done

# --- a change converts ------------------------------------------------------
start "$tmp/engine.out" tressed --socket "$TRESSE_SOCKET" --store /dev/null
check 'an engine' wait_for 30 test -S "$TRESSE_SOCKET"
for version in 1 2 3; do
	written $version
	[ $version = 1 ] || {
		sqlite3 -cmd '.timeout 10000' "$TRESSE_STORE" 'DELETE FROM trial'
		secret=$(tresse /links/home0 get key)
	}
	all_of >"$tmp/was" 2>&1
	cp "$TRESSE_STORE" "$tmp/old.db"
	# A candidate is written, and nothing else.
	printf '%s\n' begin discard >"$tmp/batch"
	run 0 "schema $version: something is written" tresse --each \
		<"$tmp/batch"
	is "schema $version: it is of today" "$(schema)" "$today"
	all_of >"$tmp/is" 2>&1
	same "schema $version: nothing is lost" "$tmp/was" "$tmp/is"
	[ $version = 1 ] || is "schema $version: nor the key" \
		"$(tresse /links/home0 get key)" "$secret"
	cp "$TRESSE_STORE-v$version" "$tmp/kept.db"
	same "schema $version: a copy is kept" <(text "$tmp/old.db") \
		<(text "$tmp/kept.db")
	run 0 "schema $version: and the host is told" tresse restoreconfig
	run 0 "schema $version: a change" \
		tresse /classes/uplink/line/voice set rate=90kbit
	run 0 "schema $version: undone" tresse undo
	is "schema $version: sound" "$(sqlite3 "$TRESSE_STORE" \
		'PRAGMA integrity_check; PRAGMA foreign_key_check')" ok
done
stop "$pid"

# --- while a commit waits ---------------------------------------------------
start "$tmp/engine.out" tressed --socket "$TRESSE_SOCKET" --store /dev/null
check 'an engine' wait_for 30 test -S "$TRESSE_SOCKET"
for version in 2 3; do
	written $version
	on_trial 5
	run 0 "schema $version: something is written while a commit waits" \
		tresse --each <"$tmp/batch"
	is "schema $version: it is of today" "$(schema)" "$today"
	undone() { tresse history 1 2>&1 | grep -q 'not confirmed in'; }
	check "schema $version: the commit is undone in time" \
		wait_for 30 undone
	tresse /classes/uplink/line/voice get ceil >"$tmp/out" 2>&1
	has "schema $version: what was before is there" "$tmp/out" 600kbit
done
stop "$pid"

# --- bad days ---------------------------------------------------------------
for version in 1 2 3; do
	written $version
	cp "$TRESSE_STORE" "$tmp/old.db"
	mkdir -p "$tmp/full"
	size=$(stat -c %s "$tmp/old.db")
	for spare in 0 16 64; do
		mount -t tmpfs -o "size=$((size / 1024 + spare))k" full \
			"$tmp/full"
		cp "$tmp/old.db" "$tmp/full/tresse.db"
		TRESSE_STORE=$tmp/full/tresse.db tresse --each \
			<"$tmp/batch" >"$tmp/out" 2>"$tmp/err"
		has "schema $version, a disk with $spare kB: says so" "$tmp/err" \
			'no space'
		check "schema $version, a disk with $spare kB: as it was" \
			cmp -s "$tmp/old.db" "$tmp/full/tresse.db"
		check "schema $version, a disk with $spare kB: no copy is left" \
			test ! -e "$tmp/full/tresse.db-v$version"
		run 0 "schema $version, a disk with $spare kB: is read" \
			tresse --store "$tmp/full/tresse.db" ls /classes
		umount "$tmp/full"
	done

	head -c $((size - 4096)) /dev/zero | tr '\0' '\377' |
		dd of="$TRESSE_STORE" bs=4096 seek=1 conv=notrunc status=none
	sum >"$tmp/before"
	run 1 "schema $version, damaged: not read" tresse ls
	has "schema $version, damaged: says so" "$tmp/err" damaged
	run 1 "schema $version, damaged: not converted" tresse --each \
		<"$tmp/batch"
	sum >"$tmp/after"
	same "schema $version, damaged: as it was" "$tmp/before" "$tmp/after"
done

written 3
tresse --each <"$tmp/batch" >"$tmp/out" 2>&1
sqlite3 -cmd '.timeout 10000' "$TRESSE_STORE" 'PRAGMA user_version = 9999'
cp "$TRESSE_STORE-v3" "$TRESSE_STORE-v$today"
run 1 'a store of a newer program' tresse ls
has 'says what to do' "$tmp/err" 'newer Tresse.*upgrade' \
	"$(basename "$TRESSE_STORE")-v$today"
finish
