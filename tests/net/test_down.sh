#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# direction=down: what arrives has the rate that is set, is put into its class,
# and nothing of it is left afterwards.
. "$(dirname "$0")/lib.sh"

uplink
ip link add probe0 type ifb 2>/dev/null || skip_all 'no ifb here'
ip link del probe0
everything >"$tmp/before"

run 0 'a tree of what arrives is made' tresse <<END
/classes create d device=wan0 direction=down default=rest
/classes/d create line rate=2mbit burst=16k
/classes/d/line create rest rate=800kbit ceil=2mbit burst=16k leaf="pfifo limit 50"
/classes/d/line create web rate=800kbit ceil=2mbit burst=16k leaf="pfifo limit 50"
/classes/d/line create voice rate=400kbit ceil=2mbit leaf="pfifo limit 50"
/classes/d/line/web/match create http proto=tcp sport=80,443,8000-8099
/classes/d/line/web/match create lan src=192.0.2.1 dst=192.0.2.2,2001:db8::/64 proto=udp dport=7000-7010
/classes/d/line/voice/match create ef dscp=ef
/classes/d/line/voice/match create six src=2001:db8::/96 proto=udp sport=5060
/classes/d/line/voice/match create tiny length=28-40 proto=udp dport=7100
END
tc filter show dev wan0 ingress >"$tmp/ingress"
has 'what arrives is led to the ifb' "$tmp/ingress" \
	'mirred \(Egress Redirect to device tr-wan0\)'
tresse status >"$tmp/status" 2>&1
has 'the running system agrees' "$tmp/status" 'agrees with the store'

id_of() {
	tresse /classes/d/line/"$1" get classid | sed 's/classid=\([^ ]*\).*/\1/'
}
# sent CLASS: how many packets.
sent() {
	local count
	read -r _ count < <(class_count tr-wan0 "$(id_of "$1")")
	echo "${count:-0}"
}

# lands CLASS FLOW: 20 packets from far, which are all in that class. (The
# kernels may have a word with each other meanwhile.)
lands() {
	local class=$1 before after
	shift

	before=$(sent "$class")
	far traffic send 3 "$1,count=20,rate=400000" >"$tmp/send" 2>&1
	arrived() { [ $(($(sent "$class") - before)) -ge 20 ]; }
	wait_for 5 arrived
	after=$(sent "$class")
	check "$1 is in $class" test $((after - before)) -ge 20 -a \
		$((after - before)) -le 25
}

start "$tmp/sink" traffic sink 600 udp:7000 udp:7100 udp:9000 tcp:9001
wait_for 5 grep -q ready "$tmp/sink"
lands web udp,to=192.0.2.2,dport=7000,size=300
lands rest udp,to=192.0.2.2,dport=9000,size=300
lands rest udp,to=2001:db8::2,dport=7000,size=300
lands voice udp,to=2001:db8::2,dport=9000,sport=5060,size=300
lands voice udp,to=192.0.2.2,dport=7100,size=12
lands rest udp,to=192.0.2.2,dport=7100,size=13

# through FLOW: bit/s, L2, of a far sender that has more than 2 mbit, but no more
# than an emulated machine moves. TCP comes in lumps of 64 kB: over a longer time.
through() {
	local rate seconds=4

	case $1 in tcp*) seconds=8 ;; esac
	start "$tmp/send" ip netns exec far traffic send 60 "$1"
	sleep 1.5
	rate=$(class_rate tr-wan0 "$(id_of rest)" "$seconds")
	stop "$pid"
	sleep 0.3
	echo "# $1: $rate bit/s"
	[ "$rate" -ge 1880000 ] && [ "$rate" -le 2040000 ]
}
for to in 192.0.2.2 2001:db8::2; do
	for flow in "udp,to=$to,dport=9000,size=1400,rate=5000000" \
		"tcp,to=$to,dport=9001,size=16000"; do
		check "2 mbit of ${flow%%,dport*} are 1.88 to 2.04" \
			undisturbed through "$flow"
	done
done

# Changes in place; a program of its own.
run 0 'another rate' tresse /classes/d/line set rate=6mbit ceil=6mbit
run 0 'another match' tresse /classes/d/line/voice/match create nine \
	proto=udp dport=9000
lands voice udp,to=192.0.2.2,dport=9000,size=300

# What others do to it is seen, and put right.
ip link del tr-wan0
tresse status >"$tmp/status" 2>&1
has 'a lost ifb is seen' "$tmp/status" 'ifb tr-wan0' 'redirect wan0'
run 0 'and made again' tresse repair
lands voice udp,to=192.0.2.2,dport=9000,size=300

run 0 'up and down on one device' tresse <<END
/classes create u device=wan0 default=all
/classes/u create all rate=3mbit
END
run 0 'the tree goes' tresse /classes delete d
run 0 'and the other' tresse /classes delete u
everything >"$tmp/after"
same 'the host is as it was found' "$tmp/before" "$tmp/after"

# Somebody else's.
tc qdisc add dev wan0 clsact
tc filter add dev wan0 ingress pref 7 protocol ip u32 match u32 0 0 flowid 1:1
run 1 'a filter of others that takes what arrives is refused' tresse <<END
/classes create d device=wan0 direction=down default=all
/classes/d create all rate=5mbit
END
has 'by name' "$tmp/err" 'wan0 has a qdisc clsact with . filters' \
	'tc filter del dev wan0 ingress'
tc filter del dev wan0 ingress
everything >"$tmp/before"
run 0 'an empty clsact of others is used' tresse <<END
/classes create d device=wan0 direction=down default=all
/classes/d create all rate=5mbit
END
run 0 'and left there' tresse /classes delete d
everything >"$tmp/after"
same 'as it was' "$tmp/before" "$tmp/after"
tc qdisc del dev wan0 clsact
ip link add tr-wan0 type ifb
run 1 'a device of the name that is not ours is refused' tresse <<END
/classes create d device=wan0 direction=down default=all
/classes/d create all rate=5mbit
END
has 'by name, too' "$tmp/err" 'a device tr-wan0 is there that Tresse did not'

for refused in uid=33 cgroup=a.slice mark=3 scope=connection; do
	run 1 "$refused is refused" tresse <<-END
	/classes create e device=wan9 direction=down default=all
	/classes/e create all rate=5mbit
	/classes/e/all/match create m proto=udp $refused
	END
	has 'with a remedy' "$tmp/err" 'by the inside device'
done
finish
