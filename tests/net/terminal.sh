# shellcheck shell=bash
# SPDX-License-Identifier: GPL-3.0-or-later
#
# terminal.sh - a terminal that tmux plays, with bash in it, whose prompt is
# "done".

# terminal COLUMNS ROWS: by a server of our own, whose socket lies in a directory
# of this test.
terminal() {
	export TMUX_TMPDIR=$tmp
	unset TMUX
	mux new-session -d -x "$1" -y "$2" -s t \
		"env HISTFILE= PS1='done ' TERM=screen bash --norc"
}

mux() { tmux -L "tresse-$$" -f /dev/null "$@"; }
screen() { mux capture-pane -p -t t; }
type_in() { mux send-keys -t t "$@"; }
shows() { screen | grep -qE -- "$1"; }
# expect NAME EXPRESSION: it comes to stand on the screen.
expect() {
	if wait_for 10 shows "$2"; then
		ok "$1"
	else
		echo "no '$2' on the screen:"
		screen | sed 's/^/  | /'
		not_ok "$1"
	fi
}
