#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
#
# run.sh - transcripts of the shell: NAME.in has what is typed, NAME.out what
# came back.
#
#   tests/golden/run.sh [--rewrite] [NAME]...
#
# A line `---` ends a batch, which is one run of tresse; a first line `@ WORDS`
# gives it arguments. In the answer, `|` is stdout, `!` stderr, `[1]` the exit
# status. Each file has a store of its own, and a network with nothing but lo.
# shellcheck source=../net/lib.sh
. "$(dirname "$0")/../net/lib.sh"
cd "$root/tests/golden" || exit 1

rewrite=
if [ "${1:-}" = --rewrite ]; then
	rewrite=1
	shift
fi

# Runs what stands in $tmp/batch.
batch() {
	local arguments=() status=0

	if read -r first <"$tmp/batch" && [ "${first#@ }" != "$first" ]; then
		eval "arguments=(${first#@ })"
		sed -i 1d "$tmp/batch"
		echo "@ ${first#@ }"
	fi
	sed 's/^/> /' "$tmp/batch"
	tresse "${arguments[@]}" <"$tmp/batch" >"$tmp/out" 2>"$tmp/err" ||
		status=$?
	sed "s|$tmp|TMP|g; s/^/| /; s/ *\$//" "$tmp/out"
	sed "s|$tmp|TMP|g; s/^/! /; s/ *\$//" "$tmp/err"
	echo "[$status]"
	: >"$tmp/batch"
}

transcript() {
	[ ! -e "$TRESSE_STORE" ] || tresse -q clearconfig confirm=yes
	rm -rf "$TRESSE_STORE"* "$tmp/tresse" "$tmp/backup" \
		"$tmp/saveconfig.tresse"
	: >"$tmp/batch"
	while IFS= read -r line; do
		if [ "$line" = --- ]; then
			batch
		else
			printf '%s\n' "$line" >>"$tmp/batch"
		fi
	done <"$1"
	batch
}

[ $# -gt 0 ] || set -- *.in
for name; do
	name=${name%.in}
	transcript "$name.in" >"$tmp/transcript"
	if [ -n "$rewrite" ]; then
		cp "$tmp/transcript" "$name.out"
	else
		same "golden: $name" "$name.out" "$tmp/transcript"
	fi
done
finish
