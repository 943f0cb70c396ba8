#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
#
# The engine's socket speaks as tressed(5) says: every request that is there is
# answered, every field that comes is described, and every one that is described is
# one that the engine writes.
# shellcheck disable=SC2016 # perl has variables of its own
. "$(dirname "$0")/lib.sh"
# shellcheck source=tests/net/tunnel.sh
. "$(dirname "$0")/tunnel.sh"

type jq perl >/dev/null || skip_all "jq or perl is missing"

request() { printf '{"protocol": %s, "id": [7, "x"], "do": "%s"}' "$1" "$2"; }

# words TITLE: the words that the page lists below that heading
words() {
	awk -v title="$1" '
		/^\.S[sh] / { here = substr($0, 5) == title }
		here && /^\.It Ic / {
			sub(/^\.It Ic /, "")
			gsub(/ ,/, "")
			for (i = 1; i <= NF; i++) print $i
		}' "$root/man/tressed.5" | sort -u
}
# described TITLE FILTER: all that jq's filter finds in $tmp/answers stands there
described() {
	jq -r "$2 | keys[]" "$tmp/answers" | sort -u >"$tmp/seen"
	words "$1" >"$tmp/words"
	echo "# $1: $(wc -l <"$tmp/seen") fields seen, $(wc -l <"$tmp/words") described"
	check "$1: there are some" [ -s "$tmp/seen" ]
	is "$1: each field is described" "$(comm -23 "$tmp/seen" "$tmp/words" | xargs)" ''
}

place direct
tunnel 2
[ "$TRESSE_TEST_SPACE" != root ] ||
	home tresse -q /links/home0 set duplicate-mark=5
home iperf3 -c 10.77.0.1 -t 1 >/dev/null
home ping -q -c 20 -i 0.01 10.77.0.1 >/dev/null

# --- requests ------------------------------------------------------------------
words Requests >"$tmp/requests"
is 'there are so many requests' "$(wc -l <"$tmp/requests")" 7
while read -r what; do
	ask_engine home "$(request 1 "$what")" >"$tmp/answer"
	case $what in
	set | remove) check "$what without a link is refused, not unknown" \
		jq -e '.error.code == "EINVAL" and (.error.text | test("unknown|no such") | not)' "$tmp/answer" ;;
	*) check "$what is answered" jq -e '.id == [7, "x"] and has("done")' "$tmp/answer" ;;
	esac
done <"$tmp/requests" >"$tmp/verdicts"
grep -E '^(not )?ok' "$tmp/verdicts"
failures=$((failures + $(grep -c '^not ok' "$tmp/verdicts")))
ask_engine home "$(request 1 dance)" >"$tmp/answer"
is 'what is not there is refused' "$(jq -r .error.code "$tmp/answer")" EINVAL
ask_engine home "$(request 2 hello)" >"$tmp/answer"
has 'another version is answered with ours' "$tmp/answer" '"error"' 'protocol.* 1'
ask_engine home "$(request 1 hello)" >"$tmp/answer"
is 'hello says who is there' "$(jq -c '.done | keys' "$tmp/answer")" '["pid","protocol","uid","version"]'

# --- fields ----------------------------------------------------------------------
for n in home gw; do ask_engine $n "$(request 1 get)"; done | jq -c '.done[]' >"$tmp/answers"
described 'Of a link' .
described 'Of a peer' '.peers[]'
described 'Of a member' '.members[]'
for n in home gw; do ask_engine $n "$(request 1 status)"; done | jq -c '.done[]' >"$tmp/answers"
described 'A link' .
described 'Its device' .tun
described 'What was refused' .refused
described 'A thread' '.threads[]'
described 'A peer' '.peers[]'
described 'A lane' '.peers[].lanes[]'
described 'A member' '.members[]'
described 'A way' '(., .peers[], .members[]) | .out, .in'
for n in home gw; do ask_engine $n "$(request 1 past)"; done | jq -c '.done[]' >"$tmp/answers"
described 'An end' .
described 'One way' '.out, .in'

# What is described and was not seen (an error, say) is written somewhere, too.
grep -ohE '"[a-z0-9-]+"' "$root"/backends/engine/*.c "$root"/backends/tunnel/want.c |
	tr -d '"' | sort -u >"$tmp/written"
grep -E '^\.It Ic ' "$root/man/tressed.5" | sed 's/^.It Ic //; s/ ,//g' | xargs -n 1 |
	sort -u >"$tmp/words"
is 'nothing is described that the engine does not write' \
	"$(comm -13 "$tmp/written" "$tmp/words" | xargs)" ''

# --- and what tresse makes of it ------------------------------------------------------
# j NAMESPACE NAME WORDS...: a document of -j, with the name of its command
j() {
	local n=$1 name=$2
	shift 2

	"$n" tresse -j "$@" 2>/dev/null | sed "s/^/$name\t/"
}
for n in home gw; do
	j $n ls ls /links
	j $n get /links/home0 get
	j $n status status
	j $n explain explain /links/home0
	j $n stats stats /links
	j $n saturation saturation
	j $n info info /links/home0
done >"$tmp/documents"
{
	j home get /links/home0/members/line1 get
	j home explain explain /links/home0/members/line1
	j gw get /links/home0/peers/home get
	j gw explain explain /links/home0/peers/home
} >>"$tmp/documents"
if /usr/bin/python3 -c 'import jsonschema' 2>/dev/null; then
	tresse schema >"$tmp/schema.json"
	/usr/bin/python3 "$root/tests/net/schema.py" "$tmp/schema.json" <"$tmp/documents" >"$tmp/verdicts"
	for name in ls get status explain stats saturation info; do
		if grep -qE "^ok - .*\b$name\b" "$tmp/verdicts"; then
			ok "what -j says of links fits the schema: $name"
		else
			grep -E "\b$name\b" "$tmp/verdicts"
			not_ok "what -j says of links fits the schema: $name"
		fi
	done
else
	skip 'the schema of what -j says of links: no python3-jsonschema (make deps)'
fi

unplace
finish
