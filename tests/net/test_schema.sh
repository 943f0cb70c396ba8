#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# What -j prints fits the JSON Schema that the program gives; `schema.py` judges.
. "$(dirname "$0")/lib.sh"

python=/usr/bin/python3
$python -c 'import jsonschema' 2>/dev/null ||
	skip_all 'no python3-jsonschema (make deps)'
uplink

# j NAME WORDS...: what that prints is kept as NAME's; an error as `failure`.
j() {
	local name=$1
	shift

	tresse -j "$@" >"$tmp/out" 2>"$tmp/err"
	sed "s/^/$name\t/" "$tmp/out" >>"$tmp/documents"
	sed "s/^/failure\t/" "$tmp/err" >>"$tmp/documents"
}

tresse -q -f "$root/man/examples/adsl.tresse" >"$tmp/out" 2>&1 ||
	cat "$tmp/out"
tresse -q saveconfig
tresse -q /paths/adsl0 set description='two words, ünï & | # {x}'
tresse -q saveconfig

for command in pwd version refresh bookmarks ls get find info status drift repair check \
	plan diff undo history blame stats saturation saveconfig backups restoreconfig \
	clearconfig help; do
	j "$command" "$command"
done
j saveconfig saveconfig -
j ls ls /classes 3
j get /paths/adsl0 get
j get /paths/adsl0 get up state
j get '/classes/uplink/*' get
j get get global
j set set global color=no
j set set global
j set /paths/adsl0 set
j set /paths/adsl0 set up=769kbit
j set -n /paths/adsl0 set up=5mbit
j set '/paths/*' set up=10mbit
j find find 'rate>1kbit'
j find find kind=path
for path in paths/adsl0 classes/uplink classes/uplink/internet/ssh \
	classes/uplink/internet/ssh/match/server; do
	j info info "/$path"
	j explain explain "/$path"
	j help help "${path%%/*}"
done
for topic in create rate linklayer leaf global ls-depth class match system; do
	j help help "$topic"
done
ip route flush table 20000
ip route add 198.51.100.0/24 via 192.0.2.1 dev wan0 table 20000
j drift drift
j diff diff kernel
j plan plan
j repair repair
j diff diff r1
j diff diff backup=1
j history history 1
j blame blame /classes
j stats stats interval=100ms
j watch watch stats interval=100ms count=2
j export export tc
j export export ip "$tmp/ip"
j create /paths create lte0 device=wan0 gateway=none source=none
j create /classes/uplink/internet create x rate=1kbit
j delete /paths delete lte0
j undo undo
j rollback rollback 1
j restoreconfig restoreconfig "$tmp/saveconfig.tresse"
tresse -q -c 'begin' -c '/paths/adsl0 set up=800kbit'
j discard discard
tresse -j --each -c begin -c '/paths/adsl0 set up=801kbit' -c check -c plan \
	-c diff -c 'commit confirm=60s' >"$tmp/out"
names=(begin set check plan diff commit)
mapfile -t lines <"$tmp/out"
for ((n = 0; n < ${#names[@]}; n++)); do
	printf '%s\t%s\n' "${names[n]}" "${lines[n]}" >>"$tmp/documents"
done
is 'six commands are six documents' "${#lines[@]}" 6
j status status
j confirm confirm
j bookmarks bookmarks add here
j filter-grep ls '|' grep adsl
j filter-count ls '|' count
j ls ls '|' json
j failure bogus
j failure /classes/uplink/internet create y rate=1mbit ceil=500kbit
j failure -c '/paths create "x'
printf 'pwd\nbogus\n' | tresse -j 2>&1 >/dev/null |
	sed 's/^/failure\t/' >>"$tmp/documents"
j failure /paths/nobody get
# follow says nothing until somebody changes something.
start "$tmp/follow" tresse -j follow
sleep 0.3
followed() {
	tc class change dev wan0 parent 1:1 classid 1:30 htb \
		rate $((60 + RANDOM % 9))kbit ceil 300kbit
	test -s "$tmp/follow"
}
check 'follow prints a document' wait_for 20 followed
stop "$pid"
sed 's/^/follow\t/' "$tmp/follow" >>"$tmp/documents"
j clearconfig clearconfig confirm=yes
tc qdisc add dev wan0 root handle 1: htb default 10
tc class add dev wan0 parent 1: classid 1:10 htb rate 1mbit
j import /classes import wan0

run 0 'the program prints a schema' tresse schema
cp "$tmp/out" "$tmp/schema"
run 0 'and one of a command alone' tresse schema ls
# shellcheck disable=SC2016
is 'of that command' "$(jq -r '."$ref"' "$tmp/out")" '#/$defs/command-ls'
has 'its settings are those of the tables' "$tmp/schema" \
	'"description": "guaranteed; bit/s"' '"maximum": 7'

run 3 'of no command' tresse schema bogus
is 'with -j it is one line' "$(tresse -j schema | wc -l)" 1
$python "$root/tests/net/schema.py" "$tmp/schema" <"$tmp/documents" \
	>"$tmp/verdict" 2>&1 || echo "not ok - schema.py ended badly"
cat "$tmp/verdict"
failures=$((failures + $(grep -c '^not ok' "$tmp/verdict")))
grep -q '^ok - ' "$tmp/verdict" || not_ok 'schema.py said nothing'
finish
