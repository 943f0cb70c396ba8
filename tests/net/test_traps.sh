#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# The ten worst traps of targetcli (HACKING.md names the rows), one by one: that
# nobody falls into them here.
. "$(dirname "$0")/lib.sh"

uplink
tresse -q <<'END' || echo 'the tree could not be made'
/paths create home device=wan0 gateway=192.0.2.1 up=10mbit
/classes create u path=home default=rest
/classes/u create voice rate=1mbit
/classes/u create rest rate=9mbit
END
rates() { tresse '/classes/u/*' get rate | grep -v '^\['; }

# ---- 1: a batch goes on past an error, and exits 0 ----

cat >"$tmp/batch" <<'END'
/classes/u/voice set rate=2mbit
bogus
/classes/u/rest set rate=8mbit
END
run 2 'trap 1: a batch with an error in it does not exit 0' tresse -f "$tmp/batch"
has 'trap 1: it says where' "$tmp/err" "^$tmp/batch:2: .*bogus"
is 'trap 1: and none of it is done' "$(rates | tr '\n' ' ')" \
	'rate=9mbit rate=1mbit '
run 1 'trap 1: nor does one that is told to go on' \
	tresse --keep-going -f "$tmp/batch"
is 'trap 1: which did go on' "$(rates | tr '\n' ' ')" 'rate=8mbit rate=2mbit '
tresse -q -c '/classes/u/voice set rate=1mbit' -c '/classes/u/rest set rate=9mbit'

# ---- 2: the rest of a line is dropped without a word ----

words='& ! # $ ^ * | { } ( ) [ ] < > ; , = + ~ ` % ünï é'
run 0 'trap 2: a value may have any character' \
	tresse /paths/home set "description=$words \\ \" '"
tresse -j /paths/home get description >"$tmp/out"
is 'trap 2: and comes back whole' \
	"$(jq -r .settings.description "$tmp/out")" "$words \\ \" '"
tried=0 dropped=0
# shellcheck disable=SC1003
for char in '|' '{' '}' '^' '(' ')' '"' "'" '\' '%' ';' '&' '!' ',' 'ü'; do
	for line in "/paths create a${char}b device=lo" "pwd $char x" \
		"$char ls" "ls / ${char}x" "ls $char grep x"; do
		tresse -n <<<"$line" >"$tmp/out" 2>"$tmp/err"
		status=$?
		tried=$((tried + 1))
		[ $status != 0 ] && [ -s "$tmp/err" ] && continue
		# What is accepted is a filter, or an escaped letter.
		case $line in 'ls | grep x' | *\\*) continue ;; esac
		echo "accepted: $line"
		dropped=$((dropped + 1))
	done
done
is "trap 2: no word of $tried strange lines is dropped" $dropped 0
run 3 'trap 2: nothing was made of them' tresse /paths/a get
run 0 'trap 2: /paths/* COMMAND, which TAB offers, is that command' \
	tresse '/paths/*' set up=11mbit
tresse /paths/home get up >"$tmp/out"
has 'trap 2: done for every child' "$tmp/out" 'up=11mbit'

# ---- 3: an idle shell locks everybody out ----

mkfifo "$tmp/silence"
sleep 600 >"$tmp/silence" &
started+=($!)
start "$tmp/idle" env TERM=xterm script -qefc tresse /dev/null <"$tmp/silence"
idle=$pid
prompts() { grep -q '> ' "$tmp/idle"; }
check 'trap 3: an idle shell' wait_for 20 prompts
run 0 'trap 3: keeps nobody from writing' timeout 20 \
	tresse /paths/home set up=12mbit
check 'trap 3: nor makes them wait' test -z "$(grep waiting "$tmp/err")"
stop "$idle"

# ---- 4: where one starts is where somebody ended ----

printf 'cd /classes/u\npwd\n' | tresse >"$tmp/out" 2>&1
is 'trap 4: somebody went elsewhere' "$(cat "$tmp/out")" /classes/u
is 'trap 4: a batch begins at the root' "$(tresse <<<pwd)" /
is 'trap 4: and so does a command' "$(tresse pwd)" /

# ---- 5: half of a change is done ----

run 2 'trap 5: two settings, one of them wrong' \
	tresse /classes/u/voice set rate=3mbit prio=nine
run 1 'trap 5: two that can be read, and cannot be together' \
	tresse /classes/u/voice set rate=3mbit ceil=2mbit
is 'trap 5: neither is set' \
	"$(tresse /classes/u/voice get rate prio | tr -s ' \n' ' ')" \
	'rate=1mbit prio=0 default '
tresse -q saveconfig "$tmp/saved"
{
	sed 's/rate=1mbit/rate=4mbit/' "$tmp/saved"
	echo '/classes/u create more rate=100gbit ceil=1mbit'
} >"$tmp/bad"
everything >"$tmp/before"
run 1 'trap 5: a file whose last line cannot be' tresse restoreconfig "$tmp/bad"
everything >"$tmp/after"
same 'trap 5: changes nothing' "$tmp/before" "$tmp/after"
cp "$tmp/saved" "$tmp/target"
(
	ulimit -f 0
	trap '' XFSZ
	tresse saveconfig "$tmp/target" >"$tmp/out" 2>"$tmp/err"
)
is 'trap 5: a file that cannot be written whole' $? 1
same 'trap 5: is as it was' "$tmp/saved" "$tmp/target"

# ---- 6: what nobody foresaw ends the shell ----

head -c 3000 /dev/urandom >"$tmp/garbage"
printf '\xff\xfe{"a":' >"$tmp/json"
cat >"$tmp/batch" <<END
restoreconfig $tmp/garbage
restoreconfig $tmp/json
restoreconfig /
restoreconfig $tmp
saveconfig /nowhere/at/all
/classes/u/voice set rate=99999999999999999999999999
cd /classes/u/voice
find name=[
explain /system
ls | grep (
diff r99999999999999999999
pwd
END
tresse --keep-going -f "$tmp/batch" >"$tmp/out" 2>"$tmp/err"
is 'trap 6: whatever is wrong is an error' $? 1
is 'trap 6: and the line behind it is done' "$(tail -n 1 "$tmp/out")" \
	/classes/u/voice
check 'trap 6: nothing ends by a signal, or with a trace' \
	test -z "$(grep -E 'Traceback|SIG|assert|Sanitizer' "$tmp/err")"
tresse -q --keep-going <<'END' >"$tmp/out" 2>&1
/classes/u create gone rate=8kbit
cd /classes/u/gone
/classes/u delete gone
pwd
ls
END
has 'trap 6: whose place is gone stands above it' "$tmp/out" '^/classes/u$'

# ---- 7: leaving overwrites the good file ----

tresse -q saveconfig
cp "$tmp/saveconfig.tresse" "$tmp/good"
stat -c %Y.%i "$tmp/saveconfig.tresse" >"$tmp/good.id"
tresse -q clearconfig confirm=yes
printf 'ls\nexit\n' | tresse >"$tmp/out" 2>&1
same 'trap 7: leaving with an empty tree saves nothing' "$tmp/good" \
	"$tmp/saveconfig.tresse"
stat -c %Y.%i "$tmp/saveconfig.tresse" >"$tmp/now.id"
same 'trap 7: the file was not even touched' "$tmp/good.id" "$tmp/now.id"
tresse -q saveconfig
run 0 'trap 7: who saves it over has a backup' tresse backups
has 'trap 7: with its date' "$tmp/out" '^1  20[0-9]{2}-[0-9-]+ [0-9:]+ '
run 0 'trap 7: which can be compared' tresse diff backup=1
has 'trap 7: line by line' "$tmp/out" '^\+ /classes/u/voice'
run 0 'trap 7: and gone back to' tresse restoreconfig backup=1
tresse -q saveconfig "$tmp/again"
same 'trap 7: to the byte' "$tmp/good" "$tmp/again"
run 0 'trap 7: or by undo' tresse undo

tresse -q restoreconfig "$tmp/good" >"$tmp/out"

# ---- 8: who is not root cannot look ----

if [ "$TRESSE_TEST_SPACE" = root ]; then
	mkdir "$tmp/bin"
	cp "$build/tresse" "$tmp/bin/tresse"
	chmod 755 "$tmp" "$tmp/bin"
	run 0 'trap 8: who is not root may look' \
		setpriv --reuid 65534 --regid 65534 --clear-groups \
		env HOME=/ XDG_STATE_HOME=/nonexistent \
		"$tmp/bin/tresse" ls /classes
	has 'trap 8: and sees it' "$tmp/out" 'voice'
else
	skip 'trap 8: needs root, to become somebody else'
fi

# ---- 9: TAB hangs the terminal; a broken file of preferences the start ----

mkdir -p "$tmp/tresse"
printf '\x80\x04\x95garbage\n\0\0=\ncolor=\n' >"$tmp/tresse/preferences"
: >"$tmp/tresse/bookmarks"
head -c 100000 /dev/urandom >"$tmp/tresse/history"
run 0 'trap 9: broken preferences keep nobody from starting' tresse get global color
has 'trap 9: what cannot be read is as if it were not there' "$tmp/out" \
	'color=yes'
: >"$tmp/tresse/preferences"
run 0 'trap 9: nor do empty ones' tresse ls
printf '/pa\t\thome\t\t\t\nset \t\t\t\t\npwd\nexit\n' >"$tmp/keys"
(
	sleep 1
	cat "$tmp/keys"
	sleep 2
) | TERM=xterm timeout 30 script -qefc tresse /dev/null >"$tmp/typed" 2>&1
is 'trap 9: TAB on a terminal that answers nothing' $? 0
check 'trap 9: asks it nothing' test -z "$(grep -a $'\x1b\[6n' "$tmp/typed")"

# ---- 10: what it costs grows with the square, and by ten milliseconds each ----

# creates COUNT: into a store of its own; prints ms of processor time, the lowest
# of three, and how often it wrote and asked for the disk.
creates() {
	local TIMEFORMAT='%U %S' user system least=

	{
		echo '/classes create u device=none0 enabled=no'
		seq -f '/classes/u create n%.0f rate=8kbit' "$1"
	} >"$tmp/batch"
	for _ in 1 2 3; do
		rm -f "$tmp/many".db*
		read -r user system < <({
			time tresse --store "$tmp/many.db" -q -f "$tmp/batch" \
				>/dev/null 2>&1
		} 2>&1)
		user=$(awk "BEGIN { print int(($user + $system) * 1000 + 1) }")
		[ -n "$least" ] && [ "$least" -lt "$user" ] || least=$user
	done
	echo "$least"
}
small=$(creates 2000) large=$(creates 16000)
echo "2,000 creates: $small ms, 16,000: $large ms of processor time"
# Eight times as much: 8 where cost is linear, 64 where it grows by the square.
check 'trap 10: eight times the objects cost about eight times as much' \
	test $((large)) -lt $((small * 24))
if type -P strace >/dev/null; then
	syncs() {
		seq -f '/classes/u create n%.0f rate=8kbit' "$1" |
			sed '1i /classes create u device=none0 enabled=no' \
				>"$tmp/batch"
		rm -f "$tmp/many".db*
		strace -f -e trace=fdatasync,fsync,openat,rename -o "$tmp/calls" \
			tresse --store "$tmp/many.db" -q -f "$tmp/batch" \
			>/dev/null 2>&1
		wc -l <"$tmp/calls"
	}
	few=$(syncs 10) many=$(syncs 1000)
	check "trap 10: files are not written once a command ($few, $many)" \
		test $((many)) -lt $((few * 2))
else
	skip 'trap 10: no strace (make deps)'
fi
finish
