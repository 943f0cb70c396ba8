#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# reference.sh - a page of the manual, with what the program's own tables say in
# place of its lines `.\" REFERENCE WHAT`.
#
#   man/reference.sh TRESSE PAGE
set -eu -o pipefail

tresse=$1 page=$2
awk=$(dirname "$0")/reference.awk
# It is not to look at this machine.
export TRESSE_STORE=/nonexistent/tresse.db XDG_STATE_HOME=/nonexistent

# names FIELD TOPIC...: of the rows of `help TOPIC` that have FIELD behind name.
names() {
	local field=$1
	shift

	"$tresse" -j help "$@" | awk -v field="$field" '{
		rest = $0
		row = "\"name\":\"[^\"]*\",\"" field "\":"
		while (match(rest, row)) {
			split(substr(rest, RSTART, RLENGTH), part, "\"")
			print part[4]
			rest = substr(rest, RSTART + RLENGTH)
		}
	}'
}

# Every command with what it is for, a line each.
summary() {
	echo '.Bl -tag -width "restoreconfig [file]" -compact'
	"$tresse" -j help | awk '{
		rest = $0
		row = "\"usage\":\"[^\"]*\",\"summary\":\"[^\"]*\""
		while (match(rest, row)) {
			split(substr(rest, RSTART, RLENGTH), part, "\"")
			split(part[4], word, " ")
			print ".It Ic " word[1] \
				substr(part[4], length(word[1]) + 1)
			print part[8]
			rest = substr(rest, RSTART + RLENGTH)
		}
	}'
	echo .El
}

topics() {
	case $1 in
	commands) names usage ;;
	kinds) names summary ;;
	queues) echo queues; names help queues ;;
	*) echo "$1" ;;
	esac
}

while IFS= read -r line; do
	printf '%s\n' "$line"
	case $line in
	'.\" REFERENCE summary') summary ;;
	'.\" REFERENCE '*)
		for topic in $(topics "${line##* }"); do
			"$tresse" -j help "$topic" | awk -f "$awk"
		done
		;;
	esac
done <"$page"
