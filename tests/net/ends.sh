# shellcheck shell=bash
# SPDX-License-Identifier: GPL-3.0-or-later
# shellcheck disable=SC2016,SC2086 # perl has variables of its own; words without blanks
#
# ends.sh - ends of tunnels, each in a namespace with a store and an engine of its
# own: a server gw and its clients. For tests, behind lib.sh.

(exec 3<>/dev/net/tun) 2>/dev/null || skip_all "/dev/net/tun may not be opened here"

# in_ NAMESPACE COMMAND...
in_() {
	local n=$1
	shift
	TRESSE_SOCKET=$tmp/$n.sock TRESSE_STORE=$tmp/$n.db ip netns exec "$n" "$@"
}

# place_of NAMESPACE: makes it.
place_of() {
	ip netns add "$1"
	ip -n "$1" link set lo up
}

# engine_answers NAMESPACE: its engine is there, with the links of its store. The socket of
# one that was killed is there, too.
engine_answers() { ask_engine "$1" '{"protocol": 1, "do": "hello"}' 2>/dev/null | grep -q '"done"'; }

# engine_of NAMESPACE: begins; its id is in $pid_NAMESPACE.
engine_of() {
	TRESSE_STORE=$tmp/$1.db ip netns exec "$1" ${engine:-tressed} \
		--socket "$tmp/$1.sock" &
	eval "pid_$1=$!"
	wait_for 10 engine_answers "$1"
}

# kill_engine NAMESPACE [SIGNAL]: and waits for its end.
kill_engine() {
	local pid=pid_$1

	kill "-${2:-TERM}" "${!pid}" 2>/dev/null
	wait "${!pid}" 2>/dev/null
}

# become NAMESPACE PROGRAM: the engine there is that one from now on.
become() {
	kill_engine "$1"
	engine=$2 engine_of "$1"
}

# ask_engine NAMESPACE REQUEST: the line that its engine answers. Perl: it starts ten times
# as fast as python on an emulated machine.
ask_engine() {
	ip netns exec "$1" perl -e '
use Socket;
socket(S, PF_UNIX, SOCK_STREAM, 0) && connect(S, sockaddr_un($ARGV[0])) or die $!;
syswrite(S, "$ARGV[1]\n");
print scalar <S>;' "$tmp/$1.sock" "$2"
}

# figure NAMESPACE FILTER: of what the engine tells of its first link, by jq.
figure() {
	ask_engine "$1" '{"protocol": 1, "id": 1, "do": "status"}' | jq -rc ".done[0] | $2"
}

# line_to_gw NUMBER: cNUMBER has a line to gw, as its path "line".
line_to_gw() {
	ip link add w0 netns "c$1" type veth peer name "w$1" netns gw
	ip -n "c$1" addr add "10.201.$1.2/24" dev w0
	ip -n gw addr add "10.201.$1.1/24" dev "w$1"
	ip -n "c$1" link set w0 up
	ip -n gw link set "w$1" up
	in_ "c$1" tresse -q /paths create line device=w0 "gateway=10.201.$1.1"
}

# agrees NAME NAMESPACE: what runs there is what its store says.
agrees() {
	is "$1" "$(in_ "$2" tresse drift 2>&1)" 'The running system agrees with the store.'
}

# key_of NAMESPACE [LINK]: its public key.
key_of() {
	in_ "$1" tresse "/links/${2:-home0}" get public-key | sed 's/[^=]*=\([^ ]*\).*/\1/'
}

# lacks NAMESPACE PATH SETTING WORDS: it is told, and has none of these.
lacks() {
	local told

	told=$(in_ "$1" tresse "$2" get "$3") && ! grep -qE -- "$4" <<<"$told"
}

# get NAMESPACE PATH SETTING: its value alone.
get() { in_ "$1" tresse "$2" get "$3" | sed 's/[^=]*=//; s/  .*//'; }
