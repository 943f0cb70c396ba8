# shellcheck shell=bash
# SPDX-License-Identifier: GPL-3.0-or-later
#
# ends.sh - a server and its clients, each in a namespace with a store and an
# engine of its own. For tests, behind lib.sh.

(exec 3<>/dev/net/tun) 2>/dev/null || skip_all "/dev/net/tun may not be opened here"

# in_ NAMESPACE COMMAND...
in_() {
	local n=$1
	shift
	TRESSE_SOCKET=$tmp/$n.sock TRESSE_STORE=$tmp/$n.db ip netns exec "$n" "$@"
}

# engine_of NAMESPACE: begins; its id is in $pid_NAMESPACE.
engine_of() {
	TRESSE_STORE=$tmp/$1.db ip netns exec "$1" tressed --socket "$tmp/$1.sock" &
	eval "pid_$1=$!"
	wait_for 5 test -S "$tmp/$1.sock"
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

# get NAMESPACE PATH SETTING: its value alone.
get() { in_ "$1" tresse "$2" get "$3" | sed 's/[^=]*=//; s/  .*//'; }
