#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# A preset: what leaves is the line's rate, counted in its cells or frames.
. "$(dirname "$0")/lib.sh"

uplink
start "$tmp/sink" far traffic sink 600 udp:9000
wait_for 5 grep -q ready "$tmp/sink"

# wire PRESET SIZE: bytes on the line of a packet of SIZE bytes on Ethernet. By
# hand, not by what Tresse thinks of it.
wire() {
	# shellcheck disable=SC2017 # cells are whole
	case $1 in
	pppoe-llc) echo $((($2 - 14 + 40 + 47) / 48 * 53)) ;;
	ethernet) echo $(($2 + 24 > 84 ? $2 + 24 : 84)) ;;
	esac
}

# fills PRESET BYTES: packets of BYTES of UDP fill a line of 768 kbit/s.
fills() {
	local size=$(($2 + 42)) rate off

	start "$tmp/send" traffic send 60 \
		"udp,to=192.0.2.1,dport=9000,size=$2,rate=1000000"
	sleep 1.5
	rate=$(($(class_rate wan0 1:10 4) * $(wire "$1" "$size") / size))
	stop "$pid"
	off=$(((rate - 768000) / 768))
	echo "# $1, $size bytes: $rate bit/s on the line"
	[ "${off#-}" -le 15 ]
}
# sends PRESET BYTES
sends() {
	check "$1: packets of $(($2 + 42)) bytes fill the line within 1.5 %" \
		undisturbed fills "$1" "$2"
}

run 0 'a tree with a preset is made' tresse <<END
/classes create u device=wan0 default=all preset=pppoe-llc
/classes/u create all rate=768kbit classid=1:10 leaf="pfifo limit 300"
END
tc -d class show dev wan0 >"$tmp/classes"
has 'of the 40 bytes above IP, HTB is told 26 on Ethernet' "$tmp/classes" \
	'linklayer atm' 'overhead 26 '
sends pppoe-llc 22
sends pppoe-llc 458
sends pppoe-llc 1358
run 0 'another preset in place' tresse /classes/u set preset=ethernet
tc -d class show dev wan0 >"$tmp/classes"
has 'ethernet is 24 more, and 84 at least' "$tmp/classes" \
	'linklayer ethernet' 'overhead 24 ' 'mpu 84b?'
sends ethernet 18
sends ethernet 1358

run 0 'what is given beside a preset is worth more' \
	tresse /classes/u set overhead=30 mpu=64
tc -d class show dev wan0 >"$tmp/classes"
has 'it is in the kernel' "$tmp/classes" 'overhead 30 ' 'mpu 64b?'
run 0 'a preset below 14 bytes is rounded up' \
	tresse /classes/u set preset=pppoa-vc overhead=auto mpu=auto
has 'it says by how much' "$tmp/said" 'adds 10 bytes' '4 bytes too many'
run 0 'PTM is said to be more than is counted' \
	tresse /classes/u set preset=pppoe-ptm
has 'it says how much' "$tmp/said" '64/65'

# A device without an Ethernet header, as ppp0 is.
if ip tuntap add tun7 mode tun 2>"$tmp/why"; then
	ip link set tun7 up
	run 0 'a tree on a device without a link header' tresse <<-END
	/classes create t device=tun7 default=all preset=pppoa-vc
	/classes/t create all rate=768kbit classid=1:10
	END
	tc -d class show dev tun7 >"$tmp/classes"
	has 'there all 10 bytes count' "$tmp/classes" 'overhead 10 '
else
	skip "a device without a link header: $(cat "$tmp/why")"
fi
finish
