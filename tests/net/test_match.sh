#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# Every condition of a match, by packets: what it says is claimed, what it does
# not say is not, IPv4 and IPv6 alike. tc counts, not we.
# shellcheck disable=SC2016 # commands are evaluated later, for each family
. "$(dirname "$0")/lib.sh"

uplink
ip addr add 192.0.2.3/24 dev wan0
ip addr add 2001:db8::3/64 dev wan0 nodad
far ip addr add 192.0.2.9/24 dev wan0
far ip addr add 2001:db8::9/64 dev wan0 nodad
knows "" 192.0.2.9 02:00:00:00:00:01
knows "" 2001:db8::9 02:00:00:00:00:01
knows far 192.0.2.3 02:00:00:00:00:02
knows far 2001:db8::3 02:00:00:00:00:02
cat >"$tmp/policy" <<'END'
/classes create u device=wan0 default=other
/classes/u create hit rate=100mbit burst=125k
/classes/u create other rate=100mbit burst=125k
END
run 0 'two classes' tresse <"$tmp/policy"
start "$tmp/sink" far traffic sink 300 udp:9000 udp:9001 udp:9002 tcp:81:5000
check 'the far end listens' wait_for 5 grep -qs ready "$tmp/sink"
hit=$(tresse /classes/u/hit get classid | sed 's/classid=\([^ ]*\).*/\1/')
packets() { class_count wan0 "$hit" | cut -d' ' -f2; }

udp() { traffic send 3 "udp,to=$to,size=100,count=5,$1" >"$tmp/send" 2>&1; }
tcp() { traffic send 3 "tcp,to=$to,dport=81,size=100,count=3${1:+,$1}" \
	>"$tmp/send" 2>&1; }
pings() { ping -n -q -c 5 -i 0.01 -W 1 "$@" "$to" >"$tmp/send" 2>&1; }

# claims NAME WORDS COUNT HIT [MISS]: of HIT so many packets (or "some": more
# than one) are claimed by a match of these words, of MISS none.
claims() {
	local name=$1 words=$2 count=$3 before got

	tresse /classes/u/hit/match delete m >/dev/null 2>&1
	# shellcheck disable=SC2086
	tresse /classes/u/hit/match create m $words >"$tmp/said" 2>&1 || {
		cat "$tmp/said"
		not_ok "$name: the match can be had"
		return
	}
	for to in 192.0.2.1 2001:db8::1; do
		before=$(packets)
		eval "$4"
		got=$(($(packets) - before))
		if [ "$count" = some ]; then
			check "$name, to $to: claimed ($got)" test "$got" -gt 1
		else
			is "$name, to $to: claimed" "$got" "$count"
		fi
		[ -n "${5:-}" ] || continue
		before=$(packets)
		eval "$5"
		is "$name, to $to: and nothing else" "$(($(packets) - before))" 0
	done
}
other() {
	case $to in *:*) echo "${to%1}$1" ;; *) echo "${to%.*}.$1" ;; esac
}

claims 'a protocol' 'proto=udp' 5 'udp dport=9000' 'pings; tcp'
claims 'TCP' 'proto=tcp' some tcp 'udp dport=9000; pings'
claims 'source ports' 'proto=udp sport=5000-5003,6000' 5 \
	'udp dport=9000,sport=5002' 'udp dport=9000,sport=5004'
claims 'destination ports' 'proto=udp dport=9000,9002' 5 'udp dport=9002' \
	'udp dport=9001'
claims 'source addresses' 'src=192.0.2.2,2001:db8::2' 5 \
	'udp "dport=9000,from=$(other 2)"' 'udp "dport=9000,from=$(other 3)"'
claims 'destination addresses' 'dst=192.0.2.9,2001:db8::9' 5 \
	'to=$(other 9) udp dport=9000' 'udp dport=9000'
claims 'networks' 'dst=192.0.2.0/29,2001:db8::/125' 5 'udp dport=9000' \
	'to=$(other 9) udp dport=9000'
claims 'a code point' 'dscp=ef' 5 'pings -Q 0xb8' 'pings -Q 0x28; pings'
claims 'a length' 'length=500-560 scope=packet' 5 \
	'udp dport=9000,size=500' 'udp dport=9000,size=600; udp dport=9000'
claims 'flags, of each packet' \
	'proto=tcp tcp-flags=syn/syn,ack scope=packet' 1 tcp 'udp dport=9000'
claims 'flags, of a connection' 'proto=tcp tcp-flags=syn/syn,ack' some tcp \
	'udp dport=9000'
claims 'a mark' 'mark=0x4d/0xff' 5 'udp dport=9000,mark=77' \
	'udp dport=9000,mark=78; udp dport=9000'
claims 'several at once' 'proto=udp dport=9000 mark=77 length=100-200' 5 \
	'udp dport=9000,mark=77' 'udp dport=9001,mark=77; udp dport=9000'
if setpriv --reuid 1014 --regid 1015 --clear-groups true 2>/dev/null; then
	claims 'a user' 'uid=1014' 5 'udp dport=9000,uid=1014' \
		'udp dport=9000,uid=1013; udp dport=9000'
	claims 'a group' 'gid=1015' 5 \
		'setpriv --regid 1015 --clear-groups traffic send 3 \
			"udp,to=$to,size=100,count=5,dport=9000" >"$tmp/send"' \
		'udp dport=9000'
else
	skip 'users and groups: not without root'
fi

# --- cgroups -------------------------------------------------------------------
group=tresse-test-$$-$RANDOM
cgroups=$(findmnt -n -o TARGET -t cgroup2 | head -n 1)
if [ -z "$cgroups" ]; then
	mkdir "$tmp/cgroup"
	mount -t cgroup2 none "$tmp/cgroup" 2>/dev/null && cgroups=$tmp/cgroup
fi
leave() {
	rmdir "$cgroups/$group/inner" "$cgroups/$group" 2>/dev/null
	at_exit
}
trap leave EXIT
within() {
	bash -c 'echo $$ >"$1/cgroup.procs" && shift && exec "$@"' - "$cgroups/$1" \
		traffic send 3 "udp,to=$to,size=100,count=5,dport=$2" >"$tmp/send"
}
if [ -n "$cgroups" ] && mkdir -p "$cgroups/$group/inner" 2>/dev/null &&
	to=192.0.2.1 within "$group" 9000 2>/dev/null; then
	claims 'a cgroup' "cgroup=$group" 5 "within $group 9001" \
		'udp dport=9001'
	claims 'and what is below it' "cgroup=$group" 5 \
		"within $group/inner 9001" 'udp dport=9001'
	claims 'of one within, not what is beside' "cgroup=$group/inner" 5 \
		"within $group/inner 9001" "within $group 9001"
else
	skip 'cgroups: none can be made here'
fi
run 0 'all agrees in the end' tresse drift
finish
