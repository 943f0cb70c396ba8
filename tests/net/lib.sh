# shellcheck shell=bash
# SPDX-License-Identifier: GPL-3.0-or-later
#
# lib.sh - what the tests in namespaces share. First line of each of them:
#
#   . "$(dirname "$0")/lib.sh"
#
# It starts the script anew in a network, mount and process namespace of its own
# (a user namespace too, where we are not root), so that nothing a test makes can
# outlive it: when its first process ends, however, the kernel ends and removes
# the rest. Tools that judge (tc, nft, ip) are not ours.
#
# The usual place, made by `uplink`:
#
#   here                                      far
#   wan0 192.0.2.2/24   ------ veth ------    wan0 192.0.2.1/24
#        2001:db8::2/64                            2001:db8::1/64
set -u

if [ -z "${TRESSE_TEST_SPACE:-}" ]; then
	space=(unshare --net --mount --pid --fork --mount-proc --kill-child)
	[ "$(id -u)" = 0 ] || space+=(--map-root-user)
	if ! why=$("${space[@]}" true 2>&1); then
		echo "no namespaces here: $why"
		exit 77
	fi
	[ "$(id -u)" = 0 ] && TRESSE_TEST_SPACE=root || TRESSE_TEST_SPACE=user
	export TRESSE_TEST_SPACE
	exec "${space[@]}" "$BASH" "$0" "$@"
fi

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
build=$root/${TRESSE_BUILD:-build}
case ${TRESSE_BUILD:-} in /*) build=$TRESSE_BUILD ;; esac
PATH=$build:$PATH:/usr/sbin:/sbin
export LC_ALL=C.UTF-8
# What tells who we are, and whence: the program looks at it.
unset TRESSE_SOCKET SSH_CLIENT SSH_CONNECTION SUDO_USER

mount -t tmpfs -o mode=755 run /run
mkdir /run/netns
# In there, too: it goes with the rest, whatever ends us.
tmp=$(mktemp -d -p /run)
export TRESSE_STORE=$tmp/tresse.db XDG_STATE_HOME=$tmp HOME=$tmp
ip link set lo up

failures=0 finished='' started=()

at_exit() {
	local status=$?

	# A shell in the background that was ended before it had forgotten our traps.
	[ "$BASHPID" = $$ ] || return
	[ ${#started[@]} = 0 ] || kill "${started[@]}" 2>/dev/null
	[ -n "$finished" ] || echo "not ok - the test came to its end"
	[ -n "$finished" ] || exit "$((status ? status : 1))"
}
trap at_exit EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP

# A program that is not there fails the test, whoever called it and whatever the
# test made of its empty output. bash calls this, in any of its children, too.
command_not_found_handle() {
	echo "$1: command not found" | tee -a /run/not-found >&2
	return 127
}
export -f command_not_found_handle

# finish: the last line of every test.
finish() {
	[ ! -e /run/not-found ] ||
		not_ok "all programs are there: $(sort -u /run/not-found)"
	finished=1
	exit $((failures > 0))
}

ok() { echo "ok - $*"; }
skip() { echo "skip - $*"; }
not_ok() {
	failures=$((failures + 1))
	echo "not ok - $*"
}

# skip_all WHY: the whole test cannot be made here.
skip_all() {
	finished=1
	echo "$*"
	exit 77
}

# check NAME COMMAND...
check() {
	local name=$1

	shift
	if "$@"; then ok "$name"; else not_ok "$name"; fi
}

# same NAME FILE FILE: the first is what is expected.
same() {
	check "$1" diff -u --label expected --label got "$2" "$3"
}

# is NAME GOT EXPECTED
is() {
	if [ "$2" = "$3" ]; then
		ok "$1"
	else
		printf 'expected: %s\n     got: %s\n' "$3" "$2"
		not_ok "$1"
	fi
}

# has NAME FILE WORDS...: each of the words (extended expressions) is there.
has() {
	local name=$1 file=$2 word
	shift 2

	for word; do
		grep -qiE -- "$word" "$file" && continue
		echo "no '$word' in:"
		sed 's/^/  /' "$file"
		not_ok "$name"
		return
	done
	ok "$name"
}

# run STATUS NAME COMMAND...: runs it with stdout and stderr in $tmp/out and
# $tmp/err, both in $tmp/said, and checks its exit status.
run() {
	local expected=$1 name=$2 status=0
	shift 2

	"$@" >"$tmp/out" 2>"$tmp/err" || status=$?
	cat "$tmp/out" "$tmp/err" >"$tmp/said"
	if [ "$status" = "$expected" ]; then
		ok "$name"
	else
		echo "exit status $status, expected $expected: $*"
		sed 's/^/  out: /' "$tmp/out"
		sed 's/^/  err: /' "$tmp/err"
		not_ok "$name"
	fi
}

# wait_for SECONDS COMMAND...: until it succeeds. False when it never did. Not by
# the wall clock, which some tests set; and of the time in which somebody on this
# machine had to wait for a processor a quarter counts: who is kept from working
# has more of it.
wait_for() {
	local end=$(($(uptime_ms) + $1 * 1000)) stalled_before
	shift

	stalled_before=$(stalled_ms)
	until "$@"; do
		[ $(($(uptime_ms) - ($(stalled_ms) - stalled_before) * 3 / 4)) \
			-lt "$end" ] || return 1
		sleep 0.05
	done
}

# How long somebody had to wait for a processor since the machine was started, in
# all (pressure stall information); 0 where the kernel does not say.
stalled_ms() {
	local total=''

	read -r _ _ _ _ total 2>/dev/null </proc/pressure/cpu
	total=${total#total=}
	echo $((${total:-0} / 1000))
}

# undisturbed COMMAND...: a measurement and its verdict, by its exit status or by
# checks of its own. One that is bad, while somebody on this machine had to wait for
# a processor for more than a tenth of the time, is made anew, four times at most:
# nobody knows whether its load was there. What it prints is that of the last time.
undisturbed() {
	local turn turn_ms turn_stalled failures_before=$failures

	for turn in 1 2 3 4 5; do
		turn_ms=$(uptime_ms) turn_stalled=$(stalled_ms)
		if "$@" >"$tmp/measurement" 2>&1 &&
			[ "$failures" = "$failures_before" ]; then
			cat "$tmp/measurement"
			return
		fi
		turn_ms=$(($(uptime_ms) - turn_ms))
		turn_stalled=$(($(stalled_ms) - turn_stalled))
		if [ $((turn_stalled * 10)) -le $turn_ms ] || [ $turn = 5 ]; then
			cat "$tmp/measurement"
			return 1
		fi
		echo "# $*: for $turn_stalled of $turn_ms ms somebody waited for a" \
			"processor; once more"
		failures=$failures_before
	done
}

uptime_ms() {
	local up

	read -r up _ </proc/uptime
	echo "${up/./}0"
}

# start FILE COMMAND...: in the background, output to FILE; its id is in $pid.
start() {
	local file=$1
	shift

	: >"$file" # nobody is to see in it what another one said
	"$@" >"$file" 2>&1 &
	pid=$!
	started+=("$pid")
}

# stop PID: asks it to end, and waits.
stop() {
	kill "$1" 2>/dev/null
	wait "$1" 2>/dev/null
}

far() { ip netns exec far "$@"; }

# What the tests count is what they sent: no asking for neighbours.
knows() {
	$1 ip neigh replace "$2" lladdr "$3" nud permanent dev wan0
}

# uplink: the picture above.
uplink() {
	local ours=02:00:00:00:00:02 theirs=02:00:00:00:00:01

	# Reports of multicast groups go at once, not while a test counts.
	local interval=net/ipv6/conf/default/mldv2_unsolicited_report_interval
	echo 1 >/proc/sys/$interval
	ip netns add far
	far sh -c "echo 1 >/proc/sys/$interval"
	ip link add wan0 address $ours numtxqueues 1 numrxqueues 1 txqlen 1000 \
		type veth peer name wan0 address $theirs netns far
	ip addr add 192.0.2.2/24 dev wan0
	ip addr add 2001:db8::2/64 dev wan0 nodad
	far ip addr add 192.0.2.1/24 dev wan0
	far ip addr add 2001:db8::1/64 dev wan0 nodad
	# No link-local addresses, whose neighbours would be asked for.
	ip link set wan0 addrgenmode none up
	far ip link set wan0 addrgenmode none up
	far ip link set lo up
	# Modules that a first use loads bring their sysctls with them.
	nft 'add table inet first; add chain inet first c; ' \
		'add rule inet first c ct mark 1; delete table inet first'
	knows "" 192.0.2.1 $theirs
	knows "" 2001:db8::1 $theirs
	knows far 192.0.2.2 $ours
	knows far 2001:db8::2 $ours
}

# tree DEVICE: qdiscs and classes as tc shows them, without counters, nor numbers
# that the kernel gives by itself (8001: and on), since it never gives one twice.
tree() {
	tc -d class show dev "$1" |
		sed 's/ leaf [89a-f][0-9a-f]\{3\}:/ leaf N:/; s/ *$//' | sort
	tc qdisc show dev "$1" |
		sed 's/^\(qdisc [a-z_]*\) [89a-f][0-9a-f]\{3\}:/\1 N:/
			s/ direct_packets_stat [0-9]*//; s/ *$//' | sort
}

# everything: all of the network that Tresse could touch, as text.
everything() {
	local device

	for device in $(ip -o link show | cut -d' ' -f2 | sed 's/[:@].*//'); do
		tree "$device"
		tc filter show dev "$device" | sed 's/ id [0-9]* / /'
	done
	ip -d link show
	ip addr show
	ip route show table all
	ip -6 route show table all
	ip rule show
	ip -6 rule show
	nft -s list ruleset
	find /proc/sys/net -type f ! -name '*conntrack_count' \
		! -name stable_secret -exec grep -H . {} + 2>/dev/null | sort
}

# store: all that the store has, as text.
store() {
	[ ! -e "$TRESSE_STORE" ] || sqlite3 -readonly "$TRESSE_STORE" .dump
}

# class_count DEVICE ID: "bytes packets" that this class has sent.
class_count() {
	tc -s class show dev "$1" | awk -v id="$2" '
		/^class/ { here = $3 == id }
		here && $1 == "Sent" { print $2, $4; exit }'
}

# class_look DEVICE ID: "bytes us", us the time at which that was so; of a look
# that took no longer than 20 ms, if the machine lets us have one.
class_look() {
	local began bytes now

	for _ in 1 2 3 4 5 6 7 8 9 10; do
		began=${EPOCHREALTIME/./}
		read -r bytes _ < <(class_count "$1" "$2")
		now=${EPOCHREALTIME/./}
		[ $((now - began)) -gt 20000 ] || break
	done
	echo "$bytes $(((began + now) / 2))"
}

# class_rate DEVICE ID SECONDS: bit/s of the class, L2, over that time.
class_rate() {
	local a b from to

	read -r a from < <(class_look "$1" "$2")
	sleep "$3"
	read -r b to < <(class_look "$1" "$2")
	echo $(((b - a) * 8000000 / (to - from)))
}

has_qdisc() {
	ip link add probe0 type ifb 2>/dev/null ||
		ip link add probe0 type dummy 2>/dev/null
	tc qdisc add dev probe0 root "$1" 2>/dev/null
	local status=$?
	ip link del probe0 2>/dev/null
	return $status
}
