#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# Every example of help, of the manual and of the README is run.
. "$(dirname "$0")/lib.sh"

uplink
cd "$tmp" || exit 1

# world: a policy, eight revisions, a saved file and a backup.
world() {
	tresse -q clearconfig confirm=yes
	tc qdisc del dev wan0 root 2>/dev/null # what was imported stood there
	tresse -q -f "$root/man/examples/adsl.tresse" 2>/dev/null
	[ -e "$tmp/world" ] || for n in 1 2 3 4 5 6 7 8; do
		tresse -q /paths/adsl0 set description="revision $n"
	done
	tresse -q /paths/adsl0 set description=none
	rm -rf "$tmp/saveconfig.tresse" "$tmp/backup"
	tresse -q saveconfig
	tresse -q saveconfig "$tmp/edge.tresse"
	tresse -q /paths/adsl0 set description=one
	tresse -q saveconfig
	: >"$tmp/world"
}
empty() { tresse -q clearconfig confirm=yes; }
# foreign: a tree that somebody else made.
foreign() {
	empty
	tc qdisc del dev wan0 root 2>/dev/null
	tc qdisc add dev wan0 root handle 1: htb default 10
	tc class add dev wan0 parent 1: classid 1:10 htb rate 1mbit
}

# example COMMAND LINE: runs the line as somebody would who reads help COMMAND.
example() {
	local command=$1 line=${2//\/root\//$tmp/} before='' status=0
	local changed="/paths/adsl0 set description=$RANDOM.$SECONDS"

	case $line in
	*import*) foreign ;;
	'/paths create'*) empty ;; # and what follows it needs it
	commit*) before=$'begin\n'$changed ;;
	confirm) before=$'begin\n'$changed$'\ncommit confirm=60s' ;;
	discard) before='begin' ;;
	'cd -' | 'cd <') before='cd /classes' ;;
	esac
	case $line in
	watch*count=*) ;;
	watch* | follow*) before="timeout" ;;
	esac
	if [ "$before" = timeout ]; then
		# What goes on until Ctrl-C: that it begins, and ends by it.
		# shellcheck disable=SC2086
		timeout -s INT 3 tresse $line >"$tmp/out" 2>"$tmp/err"
		status=$?
		[ $status != 124 ] || status=0
	else
		printf '%s\n' ${before:+"$before"} "$line" |
			tresse --each >"$tmp/out" 2>"$tmp/err" || status=$?
	fi
	[ $status = 0 ] || sed 's/^/  /' "$tmp/out" "$tmp/err"
	is "help $command: $line" $status 0
}

# ---- help ----

world
mapfile -t commands < <(tresse -j help | jq -r '.commands[].name')
for command in "${commands[@]}"; do
	mapfile -t lines < <(tresse -j help "$command" | jq -r '.example // ""')
	check "help $command has an example" test -n "${lines[0]}"
	for line in "${lines[@]}"; do
		case $command:$line in
		give-up:*)
			# With something to give up: test_giveup.sh.
			# shellcheck disable=SC2086
			run 3 "help $command: $line, where nothing is stuck" \
				tresse $line
			continue
			;;
		clearconfig:*) example "$command" "$line" && world && continue ;;
		esac
		example "$command" "$line"
		case $line in
		*create* | *import* | delete* | *delete* | undo* | rollback* | restore* | set* | *set*)
			world
			;;
		esac
	done
done

# ---- settings ----

# examples KIND: its settings, each with a tab and its example.
examples() {
	tresse -j help "$1" |
		jq -r '.settings[] | .name + "\t" + (.example // "")'
}
key=hSDwCYkwp1R0i33ctD73Wg2/Og0mOBr066SpjqqbTmo=
client="/links create home role=client device=tun-home enabled=no"
client+=" peer=192.0.2.1:5000 peer-key=$key local=10.77.0.2/24"
server="/links create office role=server device=tun-office enabled=no"
server+=" listen=5000 local=10.78.0.1/24"
# Where a kind is to be found, and what has to be made first for it.
declare -A made=([link]=$client
	[member]=$client$'\n''/links/home/members create adsl0'
	[peers]=$server
	[peer]=$server$'\n'"/links/office/peers create laptop key=$key")
declare -A place=([link]=/links/home [member]=/links/home/members/adsl0
	[peers]=/links/office/peers [peer]=/links/office/peers/laptop
	[path]=/paths/adsl0 [uplink]=/classes/uplink
	[class]=/classes/uplink/internet/ssh [system]=/system
	[match]=/classes/uplink/internet/ssh/match/server)
mapfile -t kinds < <(tresse -j help | jq -r '.kinds[].name')
for kind in "${kinds[@]}"; do
	check "there is a $kind to try its settings on" \
		test -n "${place[$kind]:-}"
	unread=0 tried=0
	while IFS=$'\t' read -r setting text; do
		tried=$((tried + 1))
		printf '%s\n' "${made[$kind]:-# it is there}" \
			"${place[$kind]:-/} set $setting=$text" |
			tresse -n >"$tmp/out" 2>"$tmp/err"
		status=$?
		# What the whole or the host refuses can be read at least.
		[ -n "$text" ] && [ $status != 2 ] && continue
		echo "$kind: $setting=$text"
		cat "$tmp/err"
		unread=$((unread + 1))
	done < <(examples "$kind")
	is "the examples of a $kind's $tried settings can be read" $unread 0
done
examples global >"$tmp/preferences"
while IFS=$'\t' read -r setting text; do
	run 0 "set global $setting=$text" tresse set global "$setting=$text"
done <"$tmp/preferences"
rm -rf "$tmp/tresse"

# ---- the manual ----

# blocks PAGE SECTION: its literal blocks, each behind a line `--`.
blocks() {
	awk -v section=".Sh $2" '
		/^\.Sh/ { here = $0 == section }
		/^\.Bd -literal/ && here { inside = 1; print "--"; next }
		/^\.Ed/ { inside = 0 }
		inside { gsub(/\\e/, "\\"); print }' "$root/man/$1"
}
# runs PAGE: all of its examples, as one script of the system's shell.
runs() {
	blocks "$1" EXAMPLES | sed '/^--$/d' >"$tmp/script"
	check "$1 has examples" test -s "$tmp/script"
	run 0 "the examples of $1" bash -e "$tmp/script"
}
empty
runs tresse.8
run 3 'tresse.8: what they made is gone' tresse /paths/adsl0
empty
blocks tresse.5 DESCRIPTION | sed '/^--$/d' >"$tmp/edge.tresse"
run 0 'the file of tresse.5' tresse restoreconfig "$tmp/edge.tresse"
tresse -q saveconfig "$tmp/again"
same 'is what saveconfig writes, byte by byte' "$tmp/edge.tresse" "$tmp/again"
runs tresse.5
empty
run 0 'man/examples/adsl.tresse' tresse -f "$root/man/examples/adsl.tresse"
run 0 'once more: nothing to do' tresse -f "$root/man/examples/adsl.tresse"
has 'as it says' "$tmp/err" 'Nothing to change'

# ---- README ----

empty
sed -n 's/^    \/[^ ]*> \(.*\)/\1/p' "$root/README.md" |
	sed 's/^\(watch .*\)/\1 interval=200ms count=1/; /^follow$/d; /^\/links/d' \
		>"$tmp/readme"
# follow goes on until Ctrl-C, and help has it, too; a tunnel has two ends with
# keys of their own, which test_tunnel.sh gives them.
check 'the README has lines to type' test "$(wc -l <"$tmp/readme")" -gt 15
run 1 'all of which can be typed, one after the other' \
	timeout 120 tresse --keep-going -f "$tmp/readme"
has 'but for the one that it says is refused, with a figure' "$tmp/err" \
	' 1 of [0-9]+ commands failed' 'promised 840kbit together'
finish
