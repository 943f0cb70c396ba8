#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# A store that cannot be used: one sentence, and nothing is changed.
. "$(dirname "$0")/lib.sh"

uplink
good=$tmp/good.db
TRESSE_STORE=$good tresse /paths create adsl0 device=wan0 gateway=none \
	source=none description="the good one" >/dev/null 2>"$tmp/err" ||
	{ cat "$tmp/err"; skip_all 'no store could be made'; }
TRESSE_STORE=$good tresse /paths delete adsl0 >/dev/null 2>&1
TRESSE_STORE=$good tresse /paths create adsl0 device=wan0 gateway=none \
	source=none >/dev/null 2>&1
TRESSE_STORE=$good tresse /paths/adsl0 set enabled=no >/dev/null 2>&1
everything >"$tmp/before"

# refuses STATUS NAME FILE WORD: neither reading nor writing works with it.
refuses() {
	local status=$1 name=$2 file=$3 word=$4 sum

	sum=$(sha256sum <"$file")
	TRESSE_STORE=$file run "$status" "$name: not read" tresse ls
	check "$name: one line" test "$(grep -c . "$tmp/err")" = 1
	has "$name: says so, and names the file" "$tmp/err" "$word" \
		"$(basename "$file")"
	TRESSE_STORE=$file run "$status" "$name: not written" \
		tresse /paths create more device=wan0
	is "$name: the file is as it was" "$(sha256sum <"$file")" "$sum"
	everything >"$tmp/after"
	same "$name: so is the host" "$tmp/before" "$tmp/after"
}

cp "$good" "$tmp/newer.db"
sqlite3 "$tmp/newer.db" 'pragma user_version = 9999'
refuses 1 'a store of a newer program' "$tmp/newer.db" newer

sqlite3 "$tmp/other.db" 'create table songs (title text);
	insert into songs values ("a")'
refuses 1 'a database of another program' "$tmp/other.db" \
	'not .*(tresse|ours|store)'

head -c 20000 /dev/urandom >"$tmp/noise.db"
refuses 1 'a file that is no database' "$tmp/noise.db" \
	'not .*(tresse|ours|store|database)'

# All pages but the first are overwritten.
cp "$good" "$tmp/damaged.db"
size=$(stat -c %s "$good")
head -c $((size - 4096)) /dev/zero | tr '\0' '\377' |
	dd of="$tmp/damaged.db" bs=4096 seek=1 conv=notrunc status=none
refuses 1 'a damaged store' "$tmp/damaged.db" 'damaged|malformed|corrupt'

head -c $((size / 2)) "$good" >"$tmp/cut.db"
refuses 1 'a store that was cut' "$tmp/cut.db" 'damaged|malformed|corrupt'

# Read-only: reading works.
mkdir "$tmp/ro"
cp "$good" "$tmp/ro/tresse.db"
mount --bind "$tmp/ro" "$tmp/ro"
mount -o remount,ro,bind "$tmp/ro"
export TRESSE_STORE=$tmp/ro/tresse.db
run 0 'a read-only store: read' tresse /paths ls
has 'a read-only store: it is all there' "$tmp/out" adsl0
tresse /paths create more device=wan0 >"$tmp/out" 2>"$tmp/err"
check 'a read-only store: not written' test $? -ne 0
has 'a read-only store: says so' "$tmp/err" 'read-only|cannot be written'
umount "$tmp/ro"

# Full: the disk takes no more in the middle of a commit.
mkdir "$tmp/full"
mount -t tmpfs -o size=256k full "$tmp/full"
cp "$good" "$tmp/full/tresse.db"
head -c 1M /dev/zero >"$tmp/full/ballast" 2>/dev/null
export TRESSE_STORE=$tmp/full/tresse.db
store >"$tmp/store.before"
for number in $(seq 40); do
	echo "/classes create tree$number device=wan$number" \
		"description=\"$(head -c 300 /dev/zero | tr '\0' x)\""
	echo "/classes/tree$number create all rate=1mbit"
done >"$tmp/batch"
tresse <"$tmp/batch" >"$tmp/out" 2>"$tmp/err"
is 'a full disk: refused' $? 1
has 'a full disk: says so' "$tmp/err" 'full|no space'
rm "$tmp/full/ballast"
store >"$tmp/store.after"
same 'a full disk: the store is as it was' "$tmp/store.before" \
	"$tmp/store.after"
everything >"$tmp/after"
same 'a full disk: so is the host' "$tmp/before" "$tmp/after"
umount "$tmp/full"

# Full while a commit waits to be confirmed: its way back has room set aside.
mount -t tmpfs -o size=512k full "$tmp/full"
cp "$good" "$tmp/full/tresse.db"
export TRESSE_STORE=$tmp/full/tresse.db
fill() { head -c 1M /dev/zero >"$tmp/full/ballast" 2>/dev/null; }
room() { df --output=avail "$tmp/full" | tail -n 1 | tr -d ' '; }
on_trial() {
	printf '%s\n' begin '/classes create tree path=adsl0' \
		'/classes/tree create all rate=1mbit' "commit confirm=$1" |
		tresse >"$tmp/out" 2>"$tmp/err"
}
run 0 'the uplink is there' tresse /paths/adsl0 set enabled=yes
everything >"$tmp/before"
is_before() { everything >"$tmp/after" && cmp -s "$tmp/before" "$tmp/after"; }
check 'a commit on trial' on_trial 4s
fill
is 'then the disk is full' "$(room)" 0
check 'the commit is there' sh -c 'tc class show dev wan0 | grep -q -i 1mbit'
wait_for 30 is_before
same 'nobody confirms, and it is undone' "$tmp/before" "$tmp/after"
rm "$tmp/full/ballast"
run 0 'and kept as that' tresse history 1
has 'with why' "$tmp/out" 'not confirmed in 4s'
check 'nothing is set aside any more' test ! -e "$TRESSE_STORE-reserve"

check 'another one on trial' on_trial 1h
fill
run 0 'a full disk: somebody can confirm' tresse confirm
rm "$tmp/full/ballast"
check 'nothing is set aside any more' test ! -e "$TRESSE_STORE-reserve"
run 0 'and undo it' tresse undo
check 'all is as before' is_before

check 'one more' on_trial 1h
fill
run 0 'a full disk: somebody can undo it' tresse undo
check 'all is as before' is_before
rm "$tmp/full/ballast"

cp "$good" "$tmp/full/tresse.db"
run 0 'the uplink is there' tresse /paths/adsl0 set enabled=yes
everything >"$tmp/before"
head -c $(($(room) * 1024 - 120000)) /dev/zero >"$tmp/full/ballast"
check 'no room for the way back: refused' eval '! on_trial 1h'
has 'and says so' "$tmp/err" 'to set aside for the way back'
check 'nothing was changed' is_before
check 'nor set aside' test ! -e "$TRESSE_STORE-reserve"
umount "$tmp/full"

# Not there.
export TRESSE_STORE=$tmp/none/deeper/tresse.db
run 0 'a store that is not there reads as an empty one' tresse ls
check 'and is not made by looking' test ! -e "$tmp/none"
finish
