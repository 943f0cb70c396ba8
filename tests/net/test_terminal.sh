#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# The interactive shell, in a terminal that tmux plays.
. "$(dirname "$0")/lib.sh"
# shellcheck source=terminal.sh
. "$root/tests/net/terminal.sh"

type -P tmux >/dev/null || skip_all 'no tmux (make deps)'
uplink
tresse <"$root/man/examples/adsl.tresse" >"$tmp/out" 2>&1 ||
	skip_all 'the policy could not be applied'

terminal 100 40 || skip_all 'tmux does not start here'
wipe() {
	type_in C-l
	mux clear-history -t t
}

wait_for 10 shows 'done'
type_in tresse Enter
expect 'there is a prompt' '^/> ?$'
type_in 'cla' Tab
expect 'TAB completes what is unique' '^/> classes/'
type_in 'upl' Tab 'inter' Tab
expect 'and goes on below' '^/> classes/uplink/internet/?'
type_in Enter
expect 'a path alone goes there, and the prompt says so' \
	'^/classes/uplink/internet> ?$'
wipe
type_in 'ssh set ' Tab Tab
expect 'TAB lists the settings' 'rate='
expect 'with what they are' 'guaranteed'
type_in C-c
expect 'Ctrl-C gives a new line' '^/classes/uplink/internet> ?$'
wipe
type_in 'cd /classes/uplink/internet/interactive/match' Enter
expect 'a long path is shortened in the middle' '^/classes/upli.*\.\.\..*match> ?$'
wipe
type_in 'cd /' Enter
expect 'back at the root' '^/> ?$'
wipe
type_in 'cd -' Enter
expect 'cd - goes to the place before' '^/classes/upli.*\.\.\..*match> ?$'
type_in 'cd <' Enter
expect 'cd < goes back' '^Taking you back to /\.$'
wipe
type_in 'cd' Enter
expect 'cd alone shows the tree' '^> /'
type_in Down Down
expect 'the arrows move' '^>   paths|^>     adsl0'
type_in '/' 'ssh'
expect 'a slash searches' '^> /classes/uplink/internet/ssh'
mux resize-window -t t -x 40 -y 10
expect 'a new size is drawn anew' '^Enter goes, / searches, Esc leaves$'
mux resize-window -t t -x 100 -y 40
type_in Enter
expect 'Enter goes there' '^/classes/uplink/internet/ssh> ?$'
wipe
type_in 'cd' Enter
expect 'and again' '^Go where'
type_in Escape
expect 'Esc leaves, and the terminal is as before' '^/classes/.*/ssh> ?$'
type_in 'cd /' Enter
expect 'back at the root once more' '^/> ?$'
wipe
type_in '/paths create "x' Enter
expect 'what cannot be read is shown with a caret' '^ *\^'
wipe
type_in '/classes/uplink/internet/ssh get rate' Enter
expect 'get answers' '64kbit'
type_in '/classes/uplink/internet/ssh set rate=65kbit' Enter
expect 'what the checks refuse is told' 'promised|together'
type_in '/classes/uplink/internet/ssh set ceil=301kbit' Enter
expect 'set answers' "301kbit"
has_ceil() { tc class show dev wan0 | grep -q 'htb 1:30 .*ceil 301Kbit'; }
check 'and the kernel has it' wait_for 5 has_ceil
wipe
type_in Up
expect 'the line before comes back' 'set ceil=301kbit$'
type_in C-c
expect 'Ctrl-C drops it' '^/> ?$'
type_in C-d
expect 'Ctrl-D ends it' '^done ?$'
type_in 'echo "status $?"' Enter
expect 'with status 0' '^status 0$'
wipe
type_in 'TERM=dumb tresse' Enter
expect 'on a dumb terminal, too, there is a prompt' '^/> ?$'
type_in 'cd' Enter
expect 'where nothing can be drawn, cd lists' 'cannot draw.* You are in'
type_in 'ls /paths | count' Enter
expect 'a filter counts lines' '^2$'
type_in '/paths/* get nothing' Enter
expect '* names the child that fails' "^/paths/adsl0.*'nothing'"
# Before it has asked, Ctrl-D would be the terminal's own, and lost.
expect 'and the prompt is there again' '^/> ?$'
type_in C-d
expect 'and it ends' '^done ?$'
wipe
# shellcheck disable=SC2016
type_in 'stty size' Enter
expect 'the terminal has its size again' '^40 100$'
# shellcheck disable=SC2016
type_in 'stty -a >$HOME/tty; tresse; stty -a | diff - $HOME/tty && echo same' Enter
expect 'there is a prompt once more' '^/> ?$'
type_in 'cd' Enter
expect 'with the tree on the screen' '^Go where'
end_picker() { kill -TERM "$(mux list-panes -t t -F '#{pane_pid}' |
	xargs -I@ ps -o pid= --ppid @ | tr -d ' ')"; }
check 'it is ended by a signal' end_picker
expect 'and the terminal is as before' '^same$'
mux kill-server
gone() { ! mux list-sessions >/dev/null 2>&1; }
wait_for 5 gone
finish
