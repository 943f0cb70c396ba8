#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# Exit codes, streams, and that what was said comes back as it was said.
. "$(dirname "$0")/lib.sh"

uplink

# code STATUS WHERE NAME COMMAND...: WHERE is the stream that has the words; the
# other one is empty.
code() {
	local status=$1 where=$2 name=$3 other=err
	shift 3

	[ "$where" = out ] || other=out
	run "$status" "$name" "$@"
	check "$name: words on std$where only" \
		test -s "$tmp/$where" -a ! -s "$tmp/$other"
}

code 0 out 'done is 0' tresse ls
code 2 err 'an unknown command is 2' tresse bogus
code 2 err 'a word too many is 2' tresse pwd one two three
code 2 err 'a value that cannot be read is 2' \
	tresse /paths create p device=wan0 up=10mbitt
has 'and it says which units there are' "$tmp/err" 10mbitt kbit
code 2 err 'an open quote is 2' tresse <<<'/paths create "p device=wan0'
code 2 err 'an unknown option is 2' tresse --bogus
code 3 err 'a path that is not there is 3' tresse /classes/nowhere ls
code 3 err 'deleting what is not there is 3' tresse /paths delete nope
code 1 err 'what the checks refuse is 1' tresse <<'END'
/classes create q device=wan0
/classes/q create c rate=2mbit ceil=1mbit
END
has 'the line is named' "$tmp/err" '^stdin:2: '
run 0 'nothing at all is done' tresse </dev/null
check 'without a word' test ! -s "$tmp/out" -a ! -s "$tmp/err"
printf '# a comment\n\n   \n/paths ls # and another\n' >"$tmp/batch"
code 0 out 'comments and empty lines are fine' tresse <"$tmp/batch"
run 0 'a reader that leaves is no error' bash -c 'tresse help | head -n 1'

# A batch does not start where it fails: all of it or nothing.
tresse <<'END' >"$tmp/out" 2>"$tmp/err"
/paths create one device=wan0
bogus
END
is 'a line that cannot be read ends a batch with 2' $? 2
has 'and is named' "$tmp/err" '^stdin:2: .*bogus'
run 3 'nothing of it is there' tresse /paths/one get device

# Somebody else is at it.
start "$tmp/holder" flock -o "$TRESSE_STORE-lock" sleep 60
holder=$pid
held() { ! flock -n "$TRESSE_STORE-lock" true; }
wait_for 5 held
run 0 'reading needs no lock' timeout 5 tresse ls
timeout 60 tresse /paths create two device=wan0 >"$tmp/out" 2>"$tmp/err"
is 'a lock that stays held is 5' $? 5
stop "$holder"

tresse <"$root/man/examples/adsl.tresse" >"$tmp/out" 2>&1 || cat "$tmp/out"

# Words come back.
words='two words, ünï & | # {x}'
run 0 'a description with everything in it is set' tresse <<END
/paths create home device=wan0 gateway=none source=none
/paths/home set description="$words"
END
run 0 'get gives it back' tresse /paths/home get description
is 'exactly' "$(cat "$tmp/out")" "description=$words"
is 'as JSON, too' "$(tresse -j /paths/home get description |
	jq -r .settings.description)" "$words"
tresse saveconfig - >"$tmp/out"
is 'in what is saved' "$(sed -n 's/.* \(description=.*\)/\1/p' "$tmp/out")" \
	"description=\"$words\""
tresse --complete 'tresse /paths/home set descr' >"$tmp/out"
check 'and in what TAB says' grep -qF "now $words" "$tmp/out"
run 0 'an object is found by it' tresse find "description=$words"
has 'that one' "$tmp/out" '/paths/home'
# shellcheck disable=SC2016
run 0 'quotes, backslashes and dollars too' tresse <<'END'
/paths/home set description="a \"b\" \\ 'c' $HOME `d`"
END
tresse -j /paths/home get description >"$tmp/json"
# shellcheck disable=SC2016
check 'as JSON' grep -qF 'a \"b\" \\ '\''c'\'' $HOME `d`' "$tmp/json"

everything >"$tmp/before"
run 0 saveconfig tresse saveconfig "$tmp/one.tresse"
run 0 'clearconfig' tresse clearconfig confirm=yes
tresse ls >"$tmp/out"
check 'clearconfig leaves nothing' test -z "$(grep -E 'adsl0|home' \
	"$tmp/out")"
run 0 'restoreconfig' tresse restoreconfig "$tmp/one.tresse"
run 0 'saveconfig once more' tresse saveconfig "$tmp/two.tresse"
same 'what is saved after restoring is the same, byte by byte' \
	"$tmp/one.tresse" "$tmp/two.tresse"
everything >"$tmp/after"
same 'and so is the host' "$tmp/before" "$tmp/after"
tresse /paths/home get description >"$tmp/out"
# shellcheck disable=SC2016
check 'and the words' grep -qF '$HOME `d`' "$tmp/out"
run 0 'clearconfig again' tresse clearconfig confirm=yes
run 0 'what is saved is a batch' tresse <"$tmp/one.tresse"
tresse saveconfig - >"$tmp/two.tresse"
same 'which rebuilds it, byte by byte' "$tmp/one.tresse" "$tmp/two.tresse"
everything >"$tmp/after"
same 'on the host as well' "$tmp/before" "$tmp/after"
run 3 'a file that is not there is 3' tresse restoreconfig "$tmp/nope.tresse"
{
	grep -v torrent "$tmp/one.tresse"
	echo bogus
} >"$tmp/bad.tresse"
run 2 'a file with a line that cannot be read is 2' \
	tresse restoreconfig "$tmp/bad.tresse"
has 'the line is named' "$tmp/err" "bad.tresse:$(wc -l <"$tmp/bad.tresse")"
everything >"$tmp/after"
same 'and changes nothing' "$tmp/before" "$tmp/after"
finish
