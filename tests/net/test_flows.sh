#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# Real packets under the example policy: each flow is counted in its class and
# in no other, IPv4 and IPv6 alike. tc counts, not we.
. "$(dirname "$0")/lib.sh"

uplink
# The LAN of the policy is reached through the far end here.
ip route add 192.168.1.0/24 via 192.0.2.1
tresse <"$root/man/examples/adsl.tresse" >"$tmp/out" 2>&1 || {
	cat "$tmp/out"
	skip_all 'the policy could not be applied'
}

# Leaves only: what an inner class has sent, a leaf has too.
counts() {
	tc -s class show dev wan0 | awk '
		/^class/ { id = / leaf / || / 1:1000 / ? $3 : "" }
		id && $1 == "Sent" { print id, $4, $2; id = "" }' | sort
}
# "class packets bytes" of those that have grown since `counts >$tmp/counts`.
grown() {
	counts | join "$tmp/counts" - |
		awk '$4 != $2 || $5 != $3 { print $1, $4 - $2, $5 - $3 }'
}
quiet() { ! tc -s class show dev wan0 | grep -qE 'backlog [1-9]'; }

# datagrams NAME CLASS HEADERS FLOW: twenty of 300 bytes, exactly.
datagrams() {
	local expected="$2 20 $((20 * (300 + $3)))" name=$1

	counts >"$tmp/counts"
	traffic send 5 "$4,size=300,count=20" >"$tmp/send" || cat "$tmp/send"
	arrived() { [ "$(grown)" = "$expected" ]; }
	wait_for 5 arrived
	is "$name" "$(grown)" "$expected"
}

# Of what has grown: at least that many bytes in the class, none outside it but
# in the classes of the list. (TCP cuts its bytes into packets as it likes.)
only() {
	grown | awk -v class="$1" -v least="$2" -v also=" $3 " '
		$1 == class { found = $3 >= least }
		$1 != class && !index(also, " " $1 " ") { bad = 1 }
		{ print "  " $0 }
		END { exit !found || bad }' >"$tmp/only" && return
	echo "expected class $1 ($2 bytes or more)${3:+, perhaps $3}; counted:"
	cat "$tmp/only"
	return 1
}

# serves NAME CLASS ADDRESS PLACE: a server of ours at PLACE sends 20 kB to a
# client at the far end. Bare acknowledgements go to their own class.
serves() {
	local port=${4#tcp:}

	port=${port%%:*}
	start "$tmp/sink" traffic sink 60 "$4"
	wait_for 5 grep -q ready "$tmp/sink"
	counts >"$tmp/counts"
	far traffic send 8 "tcp,to=$3,dport=$port,size=10,count=1" \
		>"$tmp/send" 2>&1 || cat "$tmp/send"
	wait_for 5 quiet
	stop "$pid"
	check "$1" only "$2" 20000 1:20
}

# opens NAME CLASS LEAST ALSO ADDRESS PLACE FLOW: a client of ours opens a
# connection to PLACE at the far end.
opens() {
	local port=${6#tcp:}

	port=${port%%:*}
	start "$tmp/sink" far traffic sink 60 "$6"
	wait_for 5 grep -q ready "$tmp/sink"
	counts >"$tmp/counts"
	traffic send 8 "tcp,to=$5,dport=$port,$7" >"$tmp/send" 2>&1 ||
		cat "$tmp/send"
	wait_for 5 quiet
	stop "$pid"
	check "$1" only "$2" "$3" "$4"
}

# family NAME OURS FAR UDP-HEADERS: all of them over one family.
family() {
	local v=$1 ours=$2 there=$3 headers=$4

	datagrams "$v: a question to a name server is interactive" 1:10 \
		"$headers" "udp,to=$there,dport=53"
	datagrams "$v: so is an answer of our time server" 1:10 \
		"$headers" "udp,to=$there,sport=123,dport=5123"
	datagrams "$v: so is SNMP, in the middle of a range" 1:10 \
		"$headers" "udp,to=$there,sport=162,dport=5162"
	datagrams "$v: what nobody claims is other" 1:99 \
		"$headers" "udp,to=$there,dport=9999"
	serves "$v: our ssh server is ssh" 1:30 "$ours" tcp:22:20000
	serves "$v: our web server is otherweb" 1:49 "$ours" tcp:80:20000
	serves "$v: so is its other port" 1:49 "$ours" tcp:443:20000
	serves "$v: a site that marks its sockets is site1" 1:41 "$ours" \
		tcp:443:20000:41
	opens "$v: bare acknowledgements are acks" 1:20 1000 1:99 "$there" \
		tcp:7000:200000 size=10,count=1
	check "$v: and are nothing but that" test "$(awk '
		$1 == "1:20" && $3 <= $2 * 98 { small = 1 }
		$1 == "1:99" && $2 <= 4 { few = 1 }
		END { print small few }' "$tmp/only")" = 11
	if [ "$TRESSE_TEST_SPACE" = root ]; then
		opens "$v: what user 1014 sends is torrent" 1:50 20000 1:20 \
			"$there" tcp:6881 size=1000,count=20,uid=1014
	else
		skip "$v: what user 1014 sends is torrent: not root"
	fi
	opens "$v: what another user sends is not" 1:99 20000 1:20 \
		"$there" tcp:6882 size=1000,count=20
}

family IPv4 192.0.2.2 192.0.2.1 42
family IPv6 2001:db8::2 2001:db8::1 62
datagrams 'the LAN is lan' 1:1000 42 udp,to=192.168.1.7,dport=9999
datagrams 'the LAN comes before its ports' 1:1000 42 udp,to=192.168.1.7,dport=53

nft list ruleset >"$tmp/ruleset"
check 'one definition serves both families: one table, inet' \
	test "$(grep -c '^table' "$tmp/ruleset") $(grep -c '^table inet' \
		"$tmp/ruleset")" = '1 1'
finish
