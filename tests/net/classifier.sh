# shellcheck shell=bash
# SPDX-License-Identifier: GPL-3.0-or-later
#
# classifier.sh - a tree whose packets are not led to their class by nftables,
# with both families, and back.

# leads CLASSIFIER EXPRESSION...: it does, and tc shows a filter like that.
leads() {
	local classifier=$1 status voice rest there
	shift

	tc qdisc show dev wan0 >"$tmp/qdisc.before"
	everything >"$tmp/before"
	tresse <<END >"$tmp/out" 2>"$tmp/err"
/classes create u device=wan0 default=rest classifier=$classifier
/classes/u create voice classid=1:10 mark=10 rate=1mbit burst=15k
/classes/u create rest classid=1:99 mark=99 rate=1mbit burst=15k
/classes/u/voice/match create sip proto=udp dport=5060
END
	status=$?
	is "a tree with classifier=$classifier is applied" $status 0
	[ $status = 0 ] || cat "$tmp/err"
	tc filter show dev wan0 >"$tmp/filters"
	has "there is a filter" "$tmp/filters" "$@"
	nft list ruleset >"$tmp/ruleset"
	# HTB asks its filters only where the packet's priority names no class.
	check 'and nft does not choose the class before it' \
		test -z "$(grep 'meta priority set' "$tmp/ruleset")"

	start "$tmp/sink" far traffic sink 60 udp:5060 udp:9999
	wait_for 10 grep -q ready "$tmp/sink"
	# sent CLASS: packets of it.
	sent() { class_count wan0 "$1" | cut -d' ' -f2; }
	for there in 192.0.2.1 2001:db8::1; do
		voice=$(sent 1:10) rest=$(sent 1:99)
		traffic send 5 "udp,to=$there,dport=5060,size=200,count=20" >/dev/null
		traffic send 5 "udp,to=$there,dport=9999,size=200,count=7" >/dev/null
		came() { [ "$(sent 1:10)" = $((voice + 20)) ]; }
		wait_for 10 came
		is "to $there: 20 packets are voice" $(($(sent 1:10) - voice)) 20
		is "to $there: 7 packets are rest" $(($(sent 1:99) - rest)) 7
	done

	run 0 'to nft and back' tresse /classes/u set classifier=nft
	tc filter show dev wan0 >"$tmp/filters"
	check 'the filters are gone' test ! -s "$tmp/filters"
	run 0 'the tree goes' tresse /classes delete u
	everything >"$tmp/after"
	same 'the host is as it was found' "$tmp/before" "$tmp/after"
}
