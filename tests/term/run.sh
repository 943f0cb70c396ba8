#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
#
# run.sh - screens: NAME.in says what is typed at a terminal, NAME.out has what
# it looked like (term.c says how both are written).
#
#   tests/term/run.sh [--rewrite] [NAME]...
#
# Each script has a home, a store and a network (nothing but lo) of its own.
# shellcheck source=../net/lib.sh
. "$(dirname "$0")/../net/lib.sh"
cd "$root/tests/term" || exit 1

rewrite=
if [ "${1:-}" = --rewrite ]; then
	rewrite=1
	shift
fi

# A terminal as most have it; scripts change it.
export TERM=xterm-256color
unset NO_COLOR COLUMNS LINES INPUTRC
export PS1='done ' HISTFILE=

transcript() {
	rm -rf "${tmp:?}/home"
	mkdir "$tmp/home"
	(
		export HOME=$tmp/home XDG_STATE_HOME=$tmp/home/state
		export TRESSE_STORE=$tmp/home/tresse.db
		export completions=$root/completions
		term "$1"
	) | sed -E "s|$tmp/home|HOME|g
		s/20[0-9]{2}-[0-9]{2}-[0-9]{2} [0-9:]{8} [+-][0-9]{4}/YYYY-MM-DD hh:mm:ss +zone/g"
}

[ $# -gt 0 ] || set -- *.in
for name; do
	name=${name%.in}
	# A first line `# needs PROGRAM`.
	needs=$(sed -n '1s/^# needs //p' "$name.in")
	if [ -n "$needs" ] && ! type -P "$needs" >/dev/null; then
		skip "screens: $name: no $needs (make deps)"
		continue
	fi
	transcript "$name.in" >"$tmp/transcript"
	if grep -q '^GIVEN UP' "$tmp/transcript"; then
		cat "$tmp/transcript"
		not_ok "screens: $name"
	elif [ -n "$rewrite" ]; then
		cp "$tmp/transcript" "$name.out"
	else
		same "screens: $name" "$name.out" "$tmp/transcript"
	fi
done
finish
