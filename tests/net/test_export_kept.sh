#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# What import leaves as it is, export says in tc's words: run elsewhere, they make
# the same, to the last bit that the kernel tells. Trees by hand with all that
# this kernel has (the stock one: everything), then random ones.
. "$(dirname "$0")/lib.sh"

uplink
ip link add mir0 type veth peer name mir1
ip netns add copy
copy() { ip netns exec copy "$@"; }
copy ip link add wan0 numtxqueues 1 numrxqueues 1 txqlen 1000 \
	type veth peer name peer0
copy ip link add mir0 type veth peer name mir1
for link in wan0 mir0; do
	copy ip link set "$link" up
done
ip link set mir0 up

common() {
	tc qdisc add dev wan0 root handle 1: htb default 30
	tc class add dev wan0 parent 1: classid 1:1 htb rate 100mbit burst 30k
	tc class add dev wan0 parent 1:1 classid 1:30 htb rate 1mbit burst 20k
}
# all_of DEVICE: filters in the order in which they are asked, which counts.
all_of() {
	objects "$1" >"$tmp/all"
	grep -v ^filter "$tmp/all" | sort
	grep ^filter "$tmp/all" | sort -s -k3,3
}
export -f all_of
export tmp
# fresh: neither here nor there is anything.
fresh() {
	tresse clearconfig confirm=yes >/dev/null 2>&1
	tc qdisc del dev wan0 root 2>/dev/null
	tc qdisc del dev wan0 ingress 2>/dev/null
	copy tc qdisc del dev wan0 root 2>/dev/null
	copy tc qdisc del dev wan0 ingress 2>/dev/null
	common
}
# goes_round NAME: what stands on wan0 is taken over, said, and made again. On
# the stock kernel, which is slow, by one run of tc.
goes_round() {
	run 0 "$1: imported" tresse /classes import wan0 u filters=keep
	all_of wan0 >"$tmp/here"
	run 0 "$1: exported" tresse export tc "$tmp/tc.sh"
	sed -n 's/^tc //p' "$tmp/tc.sh" >"$tmp/batch"
	if [ -n "$stock" ]; then
		run 0 "$1: tc takes it" copy tc -batch "$tmp/batch"
	else
		run 0 "$1: tc takes it" copy sh -e "$tmp/tc.sh"
	fi
	copy bash -c 'all_of wan0' >"$tmp/there"
	same "$1: it is the same ($(wc -l <"$tmp/here") objects)" \
		"$tmp/here" "$tmp/there"
	run 0 "$1: nothing has changed" tresse drift
}
stock=''
has_qdisc sfq && stock=1
# try WORDS...: to be made with the others, as far as this kernel has it.
try() { printf '%s ' "${@@Q}" >>"$tmp/words" && echo >>"$tmp/words"; }
# make_all LEAST: of all that was tried. The stock kernel has everything.
make_all() {
	local all lacks

	all=$(wc -l <"$tmp/words")
	tc -force -batch "$tmp/words" 2>"$tmp/why"
	lacks=$(grep -c '^Command failed' "$tmp/why")
	if [ -n "$stock" ]; then
		[ "$lacks" = 0 ] || cat "$tmp/why" "$tmp/words"
		is 'this kernel has all of them' "$lacks" 0
	else
		[ "$lacks" = 0 ] || skip "$lacks of $all: not in this kernel" \
			"(the stock one has them: make check-full)"
		check 'this kernel has some' test $((all - lacks)) -ge "$1"
	fi
	rm "$tmp/words"
}

# ---- queues of each kind ----

fresh
next=255
# queue WORDS...: in a class of its own, whose number is in $leaf.
queue() {
	next=$((next + 1))
	leaf=$(printf %x $next)
	try class add dev wan0 parent 1:1 classid "1:$leaf" \
		htb rate 1mbit burst 20k
	try qdisc add dev wan0 parent "1:$leaf" handle "$leaf:" "$@"
}
# below WORDS...: a queue in a class of the last one.
below() {
	local minor=$1
	shift

	next=$((next + 1))
	try qdisc add dev wan0 parent "$leaf:$minor" \
		handle "$(printf %x $next):" "$@"
}
queue pfifo_head_drop limit 33
queue prio bands 4 priomap 1 2 2 2 1 2 0 0 1 1 1 1 1 1 3 1
below 1 pfifo limit 7
below 2 tbf rate 1234567bit burst 5k limit 9000
below 3 sfq perturb 7 limit 99
below 4 fq_codel target 7ms interval 77ms limit 777 ecn
queue ets bands 5 strict 2 quanta 4000 3000 2000 \
	priomap 0 1 2 3 4 4 3 2 1 0 0 0 0 0 0 1
below 3 codel target 3ms
queue drr
for minor in 1 2 3; do
	try class add dev wan0 parent "$leaf:" classid "$leaf:$minor" \
		drr quantum $((1500 + minor))
done
below 2 bfifo limit 12345
try filter add dev wan0 parent "$leaf:" protocol ip pref 1 u32 \
	match ip dport 53 0xffff flowid "$leaf:1"
queue hfsc default 12
try class add dev wan0 parent "$leaf:" classid "$leaf:1" \
	hfsc sc rate 1mbit ul rate 1500kbit
try class add dev wan0 parent "$leaf:1" classid "$leaf:11" \
	hfsc rt m1 700kbit d 13ms m2 123457bit ls rate 300kbit
try class add dev wan0 parent "$leaf:1" classid "$leaf:12" \
	hfsc ls m1 0bit d 7us m2 1bps
below 11 netem delay 3ms 1ms loss 1.5% 25% limit 50
queue qfq
try class add dev wan0 parent "$leaf:" classid "$leaf:1" \
	qfq weight 7 maxpkt 2000
try class add dev wan0 parent "$leaf:" classid "$leaf:2" qfq weight 33
queue htb default 1 r2q 3
try class add dev wan0 parent "$leaf:" classid "$leaf:1" \
	htb rate 777kbit ceil 10mbit burst 3k cburst 4k prio 2 quantum 2345
try class add dev wan0 parent "$leaf:1" classid "$leaf:2" \
	htb rate 12345678bit overhead 14 mpu 64 linklayer atm
try class add dev wan0 parent "$leaf:1" classid "$leaf:3" htb rate 40gbit
below 2 tbf rate 3mbit burst 2k latency 20ms peakrate 4mbit mtu 1600
try filter add dev wan0 parent "$leaf:" protocol all pref 3 u32 \
	match u32 0 0 flowid "$leaf:2"
try filter add dev wan0 parent "$leaf:1" protocol all pref 4 u32 \
	match u32 0x40000000 0xf0000000 at 0 flowid "$leaf:2"
queue red limit 60000 min 10000 max 30000 avpkt 1000 burst 15 \
	bandwidth 1mbit probability 0.07 ecn
below 1 pfifo limit 9
queue red limit 400000 min 30000 max 90000 avpkt 1500 burst 55 \
	bandwidth 100mbit adaptive harddrop
queue choke limit 60 min 10 max 30 burst 15 avpkt 1000 bandwidth 1mbit \
	probability 0.03
queue pie target 20001us tupdate 32ms limit 500 alpha 3 beta 15 ecn
queue fq_pie flows 64 target 13ms ecn
queue fq limit 777 flow_limit 33 quantum 3000 initial_quantum 4000 \
	maxrate 2mbit buckets 512 orphan_mask 255
queue fq nopacing horizon 3s horizon_cap timer_slack 12us ce_threshold 3ms
queue hhf limit 333 hh_limit 99 quantum 1600 non_hh_weight 3
queue skbprio limit 44
queue cake bandwidth 3mbit diffserv4 nat wash rtt 77ms overhead -4 mpu 64 \
	ack-filter memlimit 1000000 dual-srchost fwmark 0xff
queue cake unlimited besteffort flowblind raw atm ingress no-split-gso
queue codel target 3ms interval 33ms limit 99 ce_threshold 2ms noecn
queue fq_codel flows 128 quantum 300 memory_limit 1234567 drop_batch 17 \
	ce_threshold 1ms noecn
queue sfq perturb 13 divisor 256 flows 100 depth 30 headdrop quantum 3000
queue netem delay 7777us rate 1234567bit 20 100 5 reorder 25% 50% gap 3 \
	corrupt 0.1% ecn loss gemodel 1% 10% 70% 0.1%
queue netem loss state 1% 2% 3% 4% 5% slot 800us 1ms packets 3 bytes 9999
queue pfifo_fast
queue tbf rate 1mbit burst 3k limit 5k
below 1 prio
make_all 25
goes_round 'queues of each kind'

# ---- filters, and what they do ----

fresh
tc class add dev wan0 parent 1:1 classid 1:10 htb rate 1mbit burst 20k
tc class add dev wan0 parent 1:1 classid 1:20 htb rate 1mbit burst 20k
on=(filter add dev wan0 parent 1:)
# ...of u32: tables, links, offsets, hashes; and roots of several prefs.
try "${on[@]}" protocol ip pref 5 handle 1: u32 divisor 256
try "${on[@]}" protocol ip pref 5 handle 2: u32 divisor 1
try "${on[@]}" protocol ip pref 5 u32 ht 1:6: match ip dport 25 0xffff flowid 1:10
try "${on[@]}" protocol ip pref 5 u32 ht 1:11: match ip src 10.0.0.0/9 \
	match ip tos 0x10 0xff flowid 1:20
try "${on[@]}" protocol ip pref 5 u32 ht 2: match tcp dst 80 0xffff flowid 1:20
try "${on[@]}" protocol ip pref 5 u32 match ip protocol 6 0xff \
	offset at 0 mask 0x0f00 shift 6 plus 0 eat link 2:
try "${on[@]}" protocol ip pref 5 u32 ht 800: match u8 0 0 \
	hashkey mask 0x00ff0000 at 8 link 1:
try "${on[@]}" protocol ipv6 pref 2 u32 match ip6 dst 2001:db8::/33 flowid 1:10
try "${on[@]}" protocol 802.1Q pref 3 u32 match u16 0x0800 0xffff at -2 flowid 1:10
try "${on[@]}" protocol all pref 4 u32 match u32 0 0 at nexthdr+4 \
	flowid 1:10 action mirred egress mirror dev mir0
try "${on[@]}" protocol ip pref 6 u32 match ip dport 26 0xffff flowid 1:10 \
	action mirred ingress redirect dev mir0
try "${on[@]}" protocol ip pref 7 u32 match mark 7 0xff flowid 1:10
try "${on[@]}" protocol ip pref 7 u32 match ip dport 9 0xffff flowid 1:10 \
	action police rate 1234567bit burst 10k mtu 2000 conform-exceed drop/pipe
try "${on[@]}" protocol ip pref 7 u32 match ip dport 10 0xffff \
	police rate 1mbit burst 3k peakrate 2mbit mtu 1600 drop flowid 1:10
# ...others.
try "${on[@]}" protocol ip pref 10 handle 10 fw flowid 1:10
try "${on[@]}" protocol all pref 11 handle 0x30/0xff fw flowid 1:20 \
	action skbedit mark 5/0xf priority 1:10 queue_mapping 0
try "${on[@]}" protocol ip pref 12 flower ip_proto tcp dst_port 80 \
	src_ip 10.0.0.0/8 dst_mac 02:00:00:00:00:01 tcp_flags 0x2/0x12 \
	flowid 1:10
try "${on[@]}" protocol ip pref 12 flower ip_proto udp src_port 1000-2000 \
	ip_tos 0x10/0xfc ip_ttl 64 ip_flags nofrag flowid 1:20
try "${on[@]}" protocol ipv6 pref 13 flower ip_proto icmpv6 type 128 code 0 \
	dst_ip 2001:db8::/64 action drop
try "${on[@]}" protocol 802.1q pref 14 flower vlan_id 77 vlan_prio 3 \
	vlan_ethtype ipv4 ip_proto tcp dst_port 22 action vlan pop pipe \
	action gact pass
try "${on[@]}" protocol arp pref 15 flower arp_op request \
	arp_tip 192.0.2.0/24 action pass
try "${on[@]}" protocol ip pref 16 flower ct_state +trk+est-new \
	ct_mark 0x10/0xf0 src_mac 02:00:00:00:00:00/ff:00:00:00:00:ff \
	flowid 1:10
try "${on[@]}" protocol ip pref 17 basic match \
	'cmp(u16 at 2 layer 1 mask 0xffff gt 100) and not (u32(u32 0x11 0xff at 8) or nbyte("ab" at 3 layer 2))' \
	flowid 1:10
try "${on[@]}" protocol ip pref 17 basic match 'cmp(u8 at 9 layer 1 eq 6)' \
	action csum ip4h tcp udp
try "${on[@]}" protocol all pref 18 matchall action sample rate 7 group 3 trunc 99
try "${on[@]}" protocol all pref 19 bpf bytecode \
	'4,40 0 0 12,21 0 1 2048,6 0 0 1,6 0 0 0' flowid 1:10
try "${on[@]}" protocol all pref 19 bpf bytecode '1,6 0 0 65552' flowid 1:20 \
	action gact drop random netrand pipe 10 action gact continue
try "${on[@]}" protocol ip pref 20 handle 5 flow hash keys src,dst,proto-dst \
	divisor 7 baseclass 1:10 perturb 10
try "${on[@]}" protocol ip pref 21 handle 6 flow map key dst and 0xff \
	addend -16 rshift 1 baseclass 1:10
try "${on[@]}" protocol ip pref 22 route to 7 from 3 classid 1:10
try "${on[@]}" protocol ip pref 23 chain 7 flower dst_ip 192.0.2.9 flowid 1:20
try "${on[@]}" protocol ip pref 24 flower dst_ip 192.0.2.9 action goto chain 7
try "${on[@]}" protocol ip pref 25 flower dst_ip 192.0.2.10 \
	action pedit ex munge ip ttl add 0xff munge ip src set 10.1.2.3 \
	munge eth dst set 02:00:00:00:00:09 munge eth src set 02:00:00:00:00:08 \
	munge udp dport set 53 pipe action csum ip4h udp
try "${on[@]}" protocol ip pref 26 flower dst_ip 192.0.2.11 \
	action pedit munge offset 8 u32 set 0x12340000 retain 0xffff0000 \
	munge offset 12 u32 invert retain 0xff pipe \
	action nat egress 192.0.2.0/24 10.0.0.0 continue
try "${on[@]}" protocol ip pref 27 flower dst_ip 192.0.2.12 \
	action connmark zone 3 pipe action ctinfo dscp 0xfc000000 0x01000000 \
	action simple sdata "it's me" pass cookie 0a1b2c
try "${on[@]}" protocol ip pref 28 flower dst_ip 192.0.2.13 \
	action police index 77 rate 3mbit burst 20k drop
try "${on[@]}" protocol ip pref 28 flower dst_ip 192.0.2.14 \
	action police index 77
try "${on[@]}" protocol ip pref 29 flower skip_hw indev mir0 \
	action vlan push id 9 protocol 802.1ad priority 3 no_percpu
try filter add dev wan0 parent 1:1 protocol ip pref 9 u32 \
	match ip dport 22 0xffff flowid 1:20
try qdisc add dev wan0 clsact
try filter add dev wan0 ingress protocol ip pref 3 u32 match u32 0 0 \
	action mirred egress mirror dev mir0
try filter add dev wan0 egress protocol ip pref 4 bpf direct-action \
	bytecode '1,6 0 0 0'
# A last one that no match can stand for, so that all those before it stay.
try "${on[@]}" protocol all pref 99 u32 match u32 0x12345678 0xff0ff0ff at 0 flowid 1:10
make_all 15
goes_round 'filters of each kind'
if [ -z "$stock" ]; then
	copy tc qdisc del dev wan0 root
	copy tc qdisc del dev wan0 clsact
	run 0 'tc -batch takes it, too' copy tc -batch "$tmp/batch"
	copy bash -c 'all_of wan0' >"$tmp/there"
	same 'and makes the same' "$tmp/here" "$tmp/there"
fi

# ---- what cannot be said is said to be so ----

fresh
ip link add gone0 type veth peer name gone1
try filter add dev wan0 parent 1: protocol ip pref 5 u32 \
	match ip dport 26 0xffff action mirred egress mirror dev gone0
try filter add dev wan0 parent 1: protocol ip pref 6 u32 \
	match ip dport 27 0xffff action mirred egress mirror dev mir0
if [ -n "$stock" ]; then
	try class add dev wan0 parent 1:1 classid 1:10 htb rate 1mbit burst 20k
	try qdisc add dev wan0 parent 1:10 handle 10: sfb
	try qdisc add dev wan0 parent 10:1 handle 11: pfifo limit 7
	try filter add dev wan0 parent 10: protocol ip pref 7 matchall action pass
	try filter add dev wan0 parent 1: protocol ip pref 7 basic match \
		'meta(nf_mark eq 7)' flowid 1:30
fi
make_all 2
ip link del gone0
run 0 'imported' tresse /classes import wan0 u filters=keep
run 1 'export ends with 1 where something cannot be said' \
	tresse export tc "$tmp/tc.sh"
has 'names it, and why' "$tmp/err" \
	'filter u32 pref 5 .* of wan0 is not exported: the device .* not there' \
	'for each a line of comment|instead a line of comment'
has 'and what is written does, too' "$tmp/tc.sh" \
	'^# not exported: filter u32 pref 5 .* of wan0: the device' \
	'^tc filter add dev wan0 parent 1: protocol ip pref 6 '
run 0 'the rest can be made' copy tc -batch \
	<(sed -n 's/^tc //p' "$tmp/tc.sh")
if [ -n "$stock" ]; then
	has 'nor what stands on it' "$tmp/tc.sh" \
		'^# not exported: qdisc sfb 10: .*does not know' \
		'^# not exported: qdisc pfifo 11: .*what it stands on' \
		'^# not exported: filter basic pref 7 .*extended match of kind 4'
fi
run 1 'for programs, too' tresse -j export tc
is 'with what is missing' "$(jq '.error.findings | length > 0' "$tmp/err")" true

# ---- random ones ----

RANDOM=${SEED:-4711}
kinds=(htb pfifo bfifo tbf pfifo_head_drop)
[ -z "$stock" ] || kinds+=(prio drr hfsc ets sfq fq_codel red netem)
# grow PARENT DEPTH: a queue there, and perhaps more in what it has.
grow() {
	local kind=${kinds[RANDOM % ${#kinds[@]}]} parent=$1 depth=$2 major i

	[ "$depth" -lt 3 ] || kind=pfifo
	next=$((next + 1))
	major=$(printf %x $next)
	on=(qdisc add dev wan0 parent "$parent" handle "$major:")
	case $kind in
	htb | drr | hfsc) try "${on[@]}" "$kind" ;;
	prio) try "${on[@]}" prio bands $((RANDOM % 5 + 3)) ;;
	ets) try "${on[@]}" ets bands 3 quanta $((RANDOM + 1500)) 3000 2000 ;;
	tbf) try "${on[@]}" tbf rate $((RANDOM * 97 + 90000))bit \
		burst $((RANDOM + 2000)) limit $((RANDOM + 5000)) ;;
	red) try "${on[@]}" red limit 60000 min $((RANDOM % 4000 + 6000)) \
		max 30000 avpkt 1000 burst $((RANDOM % 9 + 15)) \
		bandwidth $((RANDOM % 50 + 1))mbit probability 0.0$((RANDOM % 99 + 1)) ;;
	netem) try "${on[@]}" netem delay $((RANDOM + 1))us limit $((RANDOM + 1)) ;;
	sfq) try "${on[@]}" sfq perturb $((RANDOM % 60)) quantum $((RANDOM + 1500)) ;;
	fq_codel) try "${on[@]}" fq_codel target $((RANDOM + 1))us \
		interval $((RANDOM * 9 + 1))us ;;
	bfifo) try "${on[@]}" bfifo limit $((RANDOM + 1)) ;;
	*) try "${on[@]}" "$kind" limit $((RANDOM + 1)) ;;
	esac
	for ((i = 1; i <= RANDOM % 3 + 1; i++)); do
		case $kind in
		htb)
			try class add dev wan0 parent "$major:" \
				classid "$major:$i" htb \
				rate $((RANDOM * 977 + 90000))bit \
				ceil $((RANDOM * 977 + 40000000))bit \
				burst $((RANDOM + 1600)) cburst $((RANDOM + 1600)) \
				prio $((RANDOM % 8)) quantum $((RANDOM + 1500)) ;;
		drr)
			try class add dev wan0 parent "$major:" \
				classid "$major:$i" drr quantum $((RANDOM + 64)) ;;
		hfsc)
			try class add dev wan0 parent "$major:" \
				classid "$major:$i" hfsc \
				sc m1 $((RANDOM * 91 + 8))bit \
				d $((RANDOM + 1))us m2 $((RANDOM * 9 + 800))bit ;;
		prio | ets) [ "$i" -le 3 ] || return ;;
		*) return ;;
		esac
		[ $((RANDOM % 2)) = 0 ] || grow "$major:$i" $((depth + 1))
		case $kind in
		htb | drr | hfsc | prio)
			try filter add dev wan0 parent "$major:" protocol all \
				pref $((RANDOM % 3 + 1)) u32 match u32 \
				$((RANDOM * 7919)) "$(printf 0x%x $((RANDOM * 65537)))" \
				at $((RANDOM % 9 * 4)) flowid "$major:$i" ;;
		esac
	done
}
trees=1
[ -n "$stock" ] || trees=4
for ((tree = 1; tree <= trees; tree++)); do
	fresh
	next=255
	for ((j = 1; j <= 12; j++)); do
		leaf=$(printf %x $((j + 63)))
		try class add dev wan0 parent 1:1 classid "1:$leaf" \
			htb rate 1mbit burst 20k
		grow "1:$leaf" 1
	done
	make_all 24
	goes_round "random tree $tree"
done
finish
