# shellcheck shell=bash
# SPDX-License-Identifier: GPL-3.0-or-later
#
# magazine.sh - the ADSL tree of the magazine article, by hand and with tc: what
# man/examples/adsl.tresse has to come out as. Its link layer stands on the
# leaves only, as in the article.

# magazine_tree DEVICE QUEUE...: QUEUE is the qdisc of the slow classes.
magazine_tree() {
	local device=$1 class
	shift

	class() {
		local parent=$1 id=$2
		shift 2
		tc class add dev "$device" parent "$parent" classid "$id" htb "$@"
	}
	tc qdisc add dev "$device" root handle 1: htb default 99 r2q 5
	class 1: 1:1 rate 768kbit ceil 768kbit
	class 1: 1:1000 rate 1gbit ceil 1gbit
	class 1:1 1:10 rate 128kbit ceil 200kbit burst 5k prio 1 linklayer atm
	class 1:1 1:20 rate 64kbit ceil 768kbit burst 300 prio 2 linklayer atm
	class 1:1 1:30 rate 64kbit ceil 300kbit burst 2k prio 3 linklayer atm
	class 1:1 1:40 rate 256kbit ceil 768kbit burst 2k prio 4
	class 1:40 1:41 rate 100kbit ceil 768kbit burst 2k prio 4 linklayer atm
	class 1:40 1:42 rate 100kbit ceil 768kbit burst 2k prio 4 linklayer atm
	class 1:40 1:49 rate 56kbit ceil 768kbit burst 2k prio 4 linklayer atm
	class 1:1 1:50 rate 128kbit ceil 768kbit prio 5 linklayer atm
	class 1:1 1:99 rate 128kbit ceil 768kbit prio 5 linklayer atm
	for class in 10 20; do
		tc qdisc add dev "$device" parent 1:$class handle 1$class: \
			pfifo limit 1000
	done
	for class in 30 41 42 49 50 99; do
		tc qdisc add dev "$device" parent 1:$class handle 1$class: "$@"
	done
}

# The article has no link layer on 1:1 and 1:40, and so counts 14 % too little.
without_inner_linklayer() {
	sed -E '/^class htb 1:(1|40) /s/ linklayer (atm|ethernet)//'
}
