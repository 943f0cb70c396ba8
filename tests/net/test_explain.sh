#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# explain says what is in the kernel, and asks matches in nftables' order.
. "$(dirname "$0")/lib.sh"

uplink
run 0 'adsl.tresse is applied' tresse <"$root/man/examples/adsl.tresse"
run 0 'the preset of the line' tresse /classes/uplink set preset=pppoe-llc

run 0 'a class is explained' tresse explain /classes/uplink/internet/ssh
has 'with its burst, queue and link layer' "$tmp/out" \
	'2048 bytes: 256 ms at rate' '27.8 s at rate, 5.9 s at ceil' \
	'overhead +26 +preset=pppoe-llc of /classes/uplink'
has 'with its objects' "$tmp/out" 'class wan0 1:30 parent 1:1 .*overhead 26' \
	'1:30$'

# Matches by the rules' comments, which name their node.
nft list chain inet tresse conn_uplink |
	sed -n 's/.*comment "\(.*\)"/\1/p' | uniq >"$tmp/chain"
check 'the chain has matches' test -s "$tmp/chain"
: >"$tmp/asked"
count=$(wc -l <"$tmp/chain")
for ((turn = 1; turn <= count; turn++)); do
	while read -r match; do
		tresse explain "$match" | grep -q "^[^ ]* *$turn of $count asked" &&
			echo "$match" >>"$tmp/asked"
	done <"$tmp/chain"
done
same 'explain counts the matches as the chain has them' "$tmp/chain" \
	"$tmp/asked"

run 0 'a path is explained' tresse explain /paths/adsl0
has 'with its rules and routes' "$tmp/out" 'rule 20000 from 192.0.2.2' \
	'route default via 192.0.2.1 dev wan0 table 20000 src 192.0.2.2'
run 0 'in JSON too' tresse -j explain /classes/uplink/internet/ssh
check 'which can be read' python3 -c \
	'import json, sys; assert json.load(sys.stdin)["rates"]' <"$tmp/out"
finish
