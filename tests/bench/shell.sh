#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
#
# shell.sh - the shell beside targetcli's, in the same run; and that cost grows
# as the number of objects does.
#
#   tests/bench/shell.sh [ROUNDS]
#
# targetcli's side is its own shell, preferences and nodes (packages targetcli-fb
# and python3-configshell-fb) over a tree in memory: it keeps nothing and checks
# nothing, while Tresse checks, stores in SQLite with fsync, and can undo. The
# kernel has no part on either side. What is made is a flat list of 10,000, as
# the worst case for names. Each figure is the lowest of ROUNDS (5), those of
# targetcli above 1,000 objects of one. A bench is no test.
# shellcheck source=../net/lib.sh
. "$(dirname "$0")/../net/lib.sh"

rounds=${1:-5}
python=/usr/bin/python3
anchor=("$python" "$root/tests/bench/anchor.py")
export TARGETCLI_HOME=$tmp/targetcli PYTHONDONTWRITEBYTECODE=1
mkdir "$TARGETCLI_HOME"
if ! $python -c 'import configshell_fb, targetcli.ui_node' 2>/dev/null; then
	echo "bench: no targetcli-fb and python3-configshell-fb here" \
		'(apt-get install targetcli-fb): no ratios, figures only'
	anchor=()
fi

# ---- measuring ----

declare -A wall busy memory
# took ROUNDS NAME COMMAND...: lowest wall time and processor time in us, and most
# memory in KiB.
# Input is $input, or nothing.
input=/dev/null
took() {
	local count=$1 name=$2 time used kib
	shift 2

	for ((n = 0; n < count; n++)); do
		[ -z "${before:-}" ] || $before
		if ! $python "$root/tests/bench/measure.py" "$@" <"$input" \
			>"$tmp/out" 2>"$tmp/err"; then
			tail -n 5 "$tmp/out" "$tmp/err"
			echo "bench: $* failed"
			exit 1
		fi
		read -r time used kib < <(tail -n 1 "$tmp/err")
		[ "${wall[$name]:-$time}" -lt "$time" ] || wall[$name]=$time
		[ "${busy[$name]:-$used}" -lt "$used" ] || busy[$name]=$used
		[ "${memory[$name]:-0}" -gt "$kib" ] || memory[$name]=$kib
	done
}

# theirs ROUNDS NAME WORDS...: the same of targetcli's shell.
theirs() {
	[ ${#anchor[@]} = 0 ] || took "$1" "$2" "${anchor[@]}" "${@:3}"
}

# row WHAT OURS UNIT THEIRS [NOTE]
row() {
	awk -v what="$1" -v ours="$2" -v unit="$3" -v theirs="${4:-}" \
		-v note="${5:-}" 'BEGIN {
		printf "%-38s %10.2f %-3s", what, ours, unit
		if (theirs)
			printf " %10.2f %-3s %8.1f times%s", theirs, unit,
				theirs / ours, note
		print ""
	}'
}
ms() { [ -z "${wall[$1]:-}" ] || awk "BEGIN { print ${wall[$1]} / 1000 }"; }
mib() { [ -z "${memory[$1]:-}" ] || awk "BEGIN { print ${memory[$1]} / 1024 }"; }

# ---- what is made ----

# Nothing here is enabled, so nothing is asked of the kernel.
flat() {
	echo '/classes create u device=none0 enabled=no'
	seq -f '/classes/u create n%.0f rate=8kbit' 10000
}
# mixed COUNT: uplinks of 5,000 classes, each with a match.
mixed() {
	for ((u = 0; u < $1 / 10000; u++)); do
		echo "/classes create u$u device=none$u enabled=no"
		for ((n = 0; n < 5000; n++)); do
			echo "/classes/u$u create n$n rate=8kbit"
			echo "/classes/u$u/n$n/match create m proto=udp dport=80"
		done
	done
}
seq -f '/nets create n%.0f' 1000 >"$tmp/creates"
flat >"$tmp/flat"
for count in 10000 30000 100000; do
	mixed $count >"$tmp/batch$count"
done

fresh() { rm -f "$TRESSE_STORE"*; }

# ---- side by side ----

took "$rounds" pwd tresse pwd
theirs "$rounds" their-pwd 0 pwd
input=$tmp/flat before=fresh took "$rounds" create tresse -q
input=$tmp/creates theirs 1 their-create 0 --
took "$rounds" ls tresse ls /
theirs 1 their-ls 10000 ls /
took "$rounds" tab tresse --complete 'tresse /classes/u/n99'
our_tab=$(tab '/classes/u/n99' | awk '{ print $1 / 1000 }')
theirs 1 their-tab 10000 --tab /nets/n99
[ ${#anchor[@]} = 0 ] || their_tab=$(awk "BEGIN { print $(<"$tmp/out") / 1000 }")

printf '%-38s %14s %14s\n' "lowest of $rounds" tresse targetcli
row 'start, pwd, end' "$(ms pwd)" ms "$(ms their-pwd)"
row '10,000 creates, checked and stored' "$(ms create)" ms \
	"$(ms their-create | awk '{ print $1 * 10 }')" ' (of 1,000, by 10)'
row 'ls / of 10,000, start included' "$(ms ls)" ms "$(ms their-ls)"
row 'TAB among 10,000, in an open shell' "$our_tab" ms "${their_tab:-}"
row 'the same from bash: start, store, TAB' "$(ms tab)" ms
row 'memory: 10,000 creates' "$(mib create)" MiB "$(mib their-ls)" \
	' (ls)'
row 'memory: ls / of 10,000' "$(mib ls)" MiB "$(mib their-ls)"

# ---- as it grows ----

for count in 10000 30000 100000; do
	input=$tmp/batch$count before=fresh took 2 create$count tresse -q
	took 2 ls$count tresse ls /
	took 2 tab$count tresse --complete 'tresse /classes/u0/n99'
	took 2 find$count tresse find name=n4999
done
echo
printf '%-28s %10s %10s %10s %9s\n' '' 10,000 30,000 100,000 exponent
# grows WHAT TABLE NAME: the exponent is 1 where ten times as much takes ten
# times as long.
grows() {
	local -n of=$2

	awk -v what="$1" -v a="${of[${3}10000]}" -v b="${of[${3}30000]}" \
		-v c="${of[${3}100000]}" -v by="$4" 'BEGIN {
		printf "%-28s %10.1f %10.1f %10.1f %9.2f\n", what, a / by,
			b / by, c / by, log(c / a) / log(10)
	}'
}
grows 'creates, ms of processor' busy create 1000
grows 'ls /, ms' busy ls 1000
grows 'TAB from bash, ms' busy tab 1000
grows 'find, ms' busy find 1000
grows 'creates, MiB' memory create 1024
grows 'ls /, MiB' memory ls 1024
echo
echo 'In the second table half of the objects are classes, half are matches.'
finish
