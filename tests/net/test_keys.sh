#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
#
# Keys of links in a candidate: there at once, the same after the commit, kept
# apart from all that is shown, and gone when nobody has them any more.
. "$(dirname "$0")/lib.sh"

type sqlite3 >/dev/null || skip_all "sqlite3 is missing"

kept() { sqlite3 "$TRESSE_STORE-secrets" 'SELECT count(*) FROM secret'; }
public() { tresse "/links/$1" get public-key | sed 's/[^=]*=\([^ ]*\).*/\1/'; }
public_in() { sed -n 's/^public-key=\([^ ]*\).*/\1/p' "$1" | tail -n "${2:-1}" | head -n 1; }
links="create home0 role=server device=tun0 listen=5000 enabled=no"

# --- known before the commit -------------------------------------------------
printf '%s\n' begin "/links $links" '/links/home0 get public-key' diff \
	'/links/home0 get' >"$tmp/batch"
run 0 'a link is made in a candidate' tresse -f "$tmp/batch"
before=$(public_in "$tmp/out" 2)
is 'its public key is told' "${#before}" 44
has 'the difference has the digest of its key' "$tmp/out" 'key: \(unset\) -> digest:[0-9a-f]{16}$'
is 'which is kept' "$(kept)" 1
check 'but not in the candidate' sh -c "! sqlite3 '$TRESSE_STORE' .dump | grep -qE '[A-Za-z0-9+/]{43}=' "
run 0 'another session takes it up' tresse -f <(printf '%s\n' begin '/links/home0 get public-key')
is 'with the same key' "$(public_in "$tmp/out")" "$before"
run 0 'it is committed' tresse -f <(printf '%s\n' begin commit)
is 'with the same key, too' "$(public home0)" "$before"
is 'of which there is one' "$(kept)" 1

# --- another key -------------------------------------------------------------
run 0 'a candidate has another key' tresse -f <(printf '%s\n' begin '/links/home0 set key=auto' \
	'/links/home0 get public-key')
after=$(public_in "$tmp/out")
check 'which is another' [ "$after" != "$before" ]
is 'what runs has its own' "$(public home0)" "$before"
is 'both are kept' "$(kept)" 2
run 0 'it is discarded' tresse -f <(printf '%s\n' begin discard)
is 'and its key is gone' "$(kept)" 1
is 'the other is not' "$(public home0)" "$before"

# --- gone with what it was made for -----------------------------------------
printf '%s\n' begin '/links create x role=server device=tun1 listen=5001 enabled=no' >"$tmp/x"
run 0 'a link in a candidate' tresse -f "$tmp/x"
run 0 'is deleted there again' tresse -f <(printf '%s\n' begin '/links delete x')
is 'and its key is gone' "$(kept)" 1
run 0 'another one' tresse -f "$tmp/x"
run 0 'gives way to a new candidate' tresse -f <(printf '%s\n' 'begin new' '/links/home0 set description=x')
is 'and its key is gone with it' "$(kept)" 1
run 0 'which is dropped' tresse -f <(printf '%s\n' begin discard)

run 0 'a link that was committed' tresse -f <(cat "$tmp/x"; echo commit)
x=$(public x)
run 0 'is deleted' tresse /links delete x
digest=$(sqlite3 "$TRESSE_STORE-secrets" 'SELECT name FROM secret' |
	grep -vF "$(tresse saveconfig /dev/stdout 2>/dev/null | grep -o 'digest:[0-9a-f]*')")
run 0 'a candidate has its digest' tresse -f <(printf '%s\n' begin \
	"/links create y role=server device=tun2 listen=5002 enabled=no key=$digest")
run 0 'and is discarded' tresse -f <(printf '%s\n' begin '/links/y get public-key' discard)
is 'it had the same public key' "$(public_in "$tmp/out")" "$x"
run 0 'undo brings the link back' tresse undo
is 'with its key' "$(public x)" "$x"

# --- what is refused leaves none ----------------------------------------------
run 0 'there is a client' tresse /links/home0/peers create first \
	key=xTIBA5rboUvnH4htodjb6e697QjLERt1NAB4mZqp8Dg= address=10.9.9.9
count=$(kept)
run 1 'a link is refused' tresse /links create wrong role=client device=tun0 local=10.9.9.1/24
run 1 'one with a port that another has, too' tresse /links create wrong role=server device=tun9 listen=5000 enabled=no
run 1 'and a peer with a pre-shared key' tresse /links/home0/peers create p \
	key=hSDwCYkwp1R0i33ctD73Wg2/Og0mOBr066SpjqqbTmo= address=10.9.9.9 \
	preshared-key=xTIBA5rboUvnH4htodjb6e697QjLERt1NAB4mZqp8Dg=
is 'no key of theirs is kept' "$(kept)" "$count"
run 0 'nor of one that was only looked at' tresse -n /links create wrong role=server device=tun9 listen=5009 enabled=no
is 'no key of theirs is kept' "$(kept)" "$count"
run 0 'a candidate has one that cannot be' tresse -f <(printf '%s\n' begin \
	'/links create wrong role=server device=tun9 listen=5000 enabled=no')
run 1 'and is refused' tresse -f <(printf '%s\n' begin commit)
is 'keeps the key that it made' "$(kept)" $((count + 1))
run 0 'until it is discarded' tresse -f <(printf '%s\n' begin discard)
is 'and then it is gone' "$(kept)" "$count"
sqlite3 "$TRESSE_STORE-secrets" "INSERT INTO secret(node, name, value)
	VALUES(0, 'digest:00000000000000aa', CAST('left by a program that was killed' AS BLOB))"
run 0 'a new link' tresse /links create fresh role=server device=tun8 listen=5008 enabled=no
is 'sweeps away what nobody names' "$(kept)" $((count + 1))
run 0 'and goes again' tresse /links delete fresh
is 'its key stays, for undo' "$(kept)" $((count + 1))

# --- who made it ---------------------------------------------------------------
origin() { tresse -j "/links/$1" get key public-key | jq -r '.origins | .key + " " + .["public-key"]'; }
printf '%s\n' begin '/links create c role=server device=tun7 listen=5007 enabled=no' \
	'/links create d role=server device=tun6 listen=5006 enabled=no key=yAnz5TF+lXXJte14tji3zlMNq+hd2rYUIgJBgB3fBmk=' >"$tmp/c"
run 0 'a link with a key that is made, and one that has one given' tresse -f "$tmp/c"
run 0 'are taken up and committed' tresse -f <(printf '%s\n' begin commit)
is 'the first was made by us' "$(origin c)" 'chosen chosen'
is 'the second was not' "$(origin d)" 'given chosen'
check 'and nothing shows how a candidate says so' sh -c "! tresse saveconfig /dev/stdout | grep -q ,made"

# --- and set directly --------------------------------------------------------
run 0 'a new key is asked for' tresse /links/home0 set key=auto
check 'and is new' [ "$(public home0)" != "$before" ]
key=$(tresse /links/home0 get key | sed 's/key=\([^ ]*\).*/\1/')
run 0 'a key is given' tresse /links/x set "key=$key"
check 'and not repeated' sh -c "! cat '$tmp/out' '$tmp/err' | grep -qF '$key'"
is 'the public one follows' "$(public x)" "$(public home0)"
finish
