#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# What Tresse makes, export says; run elsewhere it makes the same, to the last bit
# that the kernel tells: every preset, classifier and direction, shards, ten
# thousand classes by one run of tc. Packets of a flow come to the same class, there
# as here.
. "$(dirname "$0")/lib.sh"

uplink
ip netns add copy
copy() { ip netns exec copy "$@"; }
copy ip link add wan0 numtxqueues 1 numrxqueues 1 txqlen 1000 \
	address 02:00:00:00:00:02 type veth peer name peer0
copy ip addr add 192.0.2.2/24 dev wan0
copy ip addr add 2001:db8::2/64 dev wan0 nodad
copy ip link set lo up
for link in wan0 peer0; do
	copy ip link set "$link" addrgenmode none up
done
# The far end is not there, and nobody asks for it.
copy ip neigh replace 192.0.2.1 lladdr 02:00:00:00:00:01 nud permanent dev wan0

# all_of: programs have other numbers, the sorter's is one that tc cannot say.
all_of() {
	local device

	for device in wan0 tr-wan0; do
		ip link show "$device" >/dev/null 2>&1 || continue
		objects "$device" >"$tmp/all"
		grep -v ^filter "$tmp/all" | sort
		grep ^filter "$tmp/all" | sort -s -k3,3
	done
	nft -s list ruleset
	ip rule show
	ip -6 rule show
	ip route show table all | grep 'proto 84'
	ip -6 route show table all | grep 'proto 84'
	return 0
}
export -f all_of
export tmp
clean() {
	copy tc qdisc del dev wan0 root 2>/dev/null
	copy tc qdisc del dev wan0 clsact 2>/dev/null
	copy ip link del tr-wan0 2>/dev/null
	copy nft flush ruleset
	while copy ip rule del protocol 84 2>/dev/null; do :; done
	while copy ip -6 rule del protocol 84 2>/dev/null; do :; done
	copy ip route flush table all protocol 84 2>/dev/null
	copy ip -6 route flush table all protocol 84 2>/dev/null
}
leaves_out='^#'
# made_there: of what is exported, by one run of each tool.
made_there() {
	local tool

	for tool in tc ip nft; do
		tresse export $tool "$tmp/$tool" 2>"$tmp/err" || return
	done
	# Links are made by ip, and come first.
	grep -E '^ip ' "$tmp/tc" >"$tmp/links"
	copy sh -e "$tmp/links" && copy sh -e "$tmp/ip" &&
		grep -vE "$leaves_out" "$tmp/tc" | sed -n 's/^tc //p' |
		copy tc -batch - 2>"$tmp/tc.err" &&
		copy nft -f "$tmp/nft"
}

# ---- presets, classifiers, directions ----

has_fw=''
tc qdisc add dev wan0 root handle 1: htb
tc filter add dev wan0 parent 1: protocol all pref 1 handle 1 fw 2>/dev/null &&
	has_fw=fw
tc qdisc del dev wan0 root
has_flow=''
tc qdisc add dev wan0 root handle 1: htb
tc filter add dev wan0 parent 1: protocol all pref 1 handle 2 \
	flow map key priority baseclass 1:1 2>/dev/null && has_flow=1
tc qdisc del dev wan0 root
has_ifb=''
ip link add probe0 type ifb 2>/dev/null && has_ifb=1 && ip link del probe0
queue='pfifo limit 40'
has_qdisc sfq && queue='sfq perturb 10'

policy() { # PRESET CLASSIFIER DOWN
	cat <<-END
	/paths create adsl0 device=wan0 gateway=192.0.2.1 source=192.0.2.2/24
	/paths/adsl0 set mark=0x10000 default-route=yes metric=700
	/classes create u path=adsl0 default=other preset=$1 r2q=7
	/classes/u create site rate=3333333 ceil=7654321
	/classes/u/site create voice rate=1234567 ceil=2mbit prio=1 burst=5k leaf="$queue"
	/classes/u/site create bulk rate=800kbit ceil=7mbit quantum=3000 leaf="bfifo limit 30000"
	/classes/u create other rate=400kbit mark=9
	/classes/u/site/voice/match create sip proto=udp dport=5060,10000-20000
	/classes/u/site/bulk/match create nets dst=198.51.100.0/24,2001:db8:7::/48
	END
	[ "$2" = auto ] || echo "/classes/u set classifier=$2"
	[ -z "$3" ] || cat <<-END
	/classes create down device=wan0 direction=down default=rest preset=$1
	/classes/down create rest rate=5mbit leaf="pfifo limit 20"
	/classes/down create web rate=5mbit
	/classes/down/web/match create w proto=tcp sport=80
	END
}
presets='pppoe-llc pppoe-vc pppoa-llc pppoa-vc ipoa-llc ipoa-vc bridged-llc
	bridged-vc pppoe-ptm pppoe-ptm-vlan bridged-ptm bridged-ptm-vlan docsis
	ethernet ethernet-vlan auto'
classifiers=(nft bpf auto)
[ -z "$has_fw" ] || classifiers+=(fw)
turn=0 equal=0
for preset in $presets; do
	classifier=${classifiers[turn % ${#classifiers[@]}]}
	down=''
	[ $((turn % 2)) = 1 ] && down=$has_ifb
	turn=$((turn + 1))
	what="$preset, classifier=$classifier${down:+, both ways}"
	policy "$preset" "$classifier" "$down" >"$tmp/policy"
	if tresse restoreconfig "$tmp/policy" >"$tmp/said" 2>&1 &&
		made_there 2>>"$tmp/said"; then
		all_of >"$tmp/here"
		copy bash -c all_of >"$tmp/there"
		diff -u "$tmp/here" "$tmp/there" && equal=$((equal + 1))
	else
		cat "$tmp/said" "$tmp/err"
		not_ok "$what"
	fi
	clean
done
is "all $turn presets, with each classifier and direction" "$equal" "$turn"
tresse clearconfig confirm=yes >/dev/null 2>&1

# ---- packets ----

policy auto auto '' | tresse >"$tmp/said" 2>&1
made_there
start "$tmp/sink" far traffic sink 200 udp:5060 udp:9999
wait_for 10 grep -q ready "$tmp/sink"
sent() { class_count wan0 "$1" | cut -d' ' -f2; }
export -f class_count
for flow in voice:5060 voice:10007 other:9999; do
	path=/classes/u/other
	[ "${flow%:*}" = other ] || path=/classes/u/site/voice
	class=$(tresse -j $path get classid | grep -o '1:[0-9a-f]*' | head -n 1)
	words="udp,to=192.0.2.1,dport=${flow#*:},size=100,count=20"
	was=$(sent "$class")
	there=$(copy bash -c "class_count wan0 $class" | cut -d' ' -f2)
	traffic send 5 "$words" >/dev/null 2>&1
	copy traffic send 5 "$words" >/dev/null 2>&1
	came() { [ "$(sent "$class")" -ge $((was + 20)) ]; }
	came_there() {
		[ "$(copy bash -c "class_count wan0 $class" | cut -d' ' -f2)" \
			-ge $((there + 20)) ]
	}
	check "packets to port ${flow#*:} are of $class" wait_for 10 came
	check 'there, too' wait_for 10 came_there
done
tresse clearconfig confirm=yes >/dev/null 2>&1
clean

# ---- many: shards, and tc -batch ----

{
	echo '/classes create u device=wan0 default=other'
	echo '/classes/u create other rate=1mbit'
	for ((i = 0; i < 10; i++)); do
		echo "/classes/u create g$i rate=10mbit"
		for ((j = 0; j < 1000; j++)); do
			echo "/classes/u/g$i create c$j rate=10kbit ceil=1mbit"
		done
	done
} >"$tmp/many"
if [ -z "$has_flow" ]; then
	skip 'what leads into shards: this kernel has no cls_flow'
	leaves_out=' flow map key '
fi
run 0 'ten thousand classes' tresse restoreconfig "$tmp/many"
run 0 'are exported, and made by one run of tc' made_there
all_of | grep -v ^filter >"$tmp/here"
copy bash -c all_of | grep -v ^filter >"$tmp/there"
check 'they are all there' test "$(grep -c '^class' "$tmp/there")" -gt 10000
# There would be a megabyte to show.
check 'and the same' cmp "$tmp/here" "$tmp/there"
copy tc filter show dev wan0 >"$tmp/out"
[ -z "$has_flow" ] ||
	has 'with what leads into shards' "$tmp/out" 'flow.*map.*priority'
finish
