#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
#
# A server that serves a client while somebody sends it inits at full speed: one
# recorded from the true client, random ones, cut off ones. The tunnel goes on,
# memory stays what it was, each datagram is counted by its reason. FLOOD= how
# many of each (300,000).
# shellcheck disable=SC2154,SC2016 # pid_home, pid_gw come by eval; awk and jq
. "$(dirname "$0")/lib.sh"
# shellcheck source=tests/net/tunnel.sh
. "$(dirname "$0")/tunnel.sh"

type perl jq flood >/dev/null || skip_all 'perl, jq or build/flood is missing (make check-net)'
count=${FLOOD:-300000}

refused() { figure gw .refused >"$tmp/refused.$1"; }
# more REASON: since refused before.
more() {
	jq -n --slurpfile a "$tmp/refused.before" --slurpfile b "$tmp/refused.after" \
		"\$b[0][\"$1\"] - \$a[0][\"$1\"]"
}
all_more() {
	jq -n --slurpfile a "$tmp/refused.before" --slurpfile b "$tmp/refused.after" \
		'($b[0] | add) - ($a[0] | add)'
}
# What the kernel dropped before the server could look, all its sockets.
unseen() { gw awk '$2 ~ /:1388$/ { sum += $NF } END { print sum + 0 }' /proc/net/udp /proc/net/udp6; }
resident() { awk '/VmRSS/ { print $2 }' "/proc/$pid_gw/status"; }
ticks() { awk '{ print $14 + $15 }' "/proc/$pid_gw/stat"; }

place direct
: >"$tmp/recorder"
start "$tmp/recorder" gw flood record w1 "$tmp/init"
wait_for 5 grep -q ready "$tmp/recorder"
tunnel 2
wait_for 5 test -s "$tmp/init"
# The attacker sits elsewhere, and knows the way.
ip netns add evil
ip link add e0 netns evil type veth peer name e0 netns gw
address evil e0 10.201.9.2/24
address gw e0 10.201.9.1/24
sleep 1
era=$(figure home '.peers[0]["up-us"]')

# The attacker has a machine of its own in truth: nice keeps it from having ours.
# evil NICE COUNT KIND: for 20 s at most
evil() { nice -n "$1" ip netns exec evil flood send 10.201.9.1 5000 "$2" 20 "$3" "$tmp/init"; }
# flood_by KIND: where there is too little to do it with, it gets more.
flood_by() {
	local before lost gap dropped off nice

	for nice in 19 10 0; do
		before=$(unseen)
		refused before
		ping_start 0.02
		read -r sent ms < <(evil "$nice" "$count" "$1")
		sleep 0.5
		ping_end
		[ $((sent / (ms + 1))) -lt 10 ] || break
		echo "# $1: only $sent in $ms ms with nice $nice"
	done
	refused after
	dropped=$(($(unseen) - before))
	read -r _ gap <<<"$(ping_losses)"
	lost=$(awk '/packets transmitted/ { print $1 - $4 }' "$tmp/ping")
	off=$(($(all_more) + dropped - sent))
	echo "# $1: $sent in $ms ms; $dropped dropped by the kernel;" \
		"$(jq -c 'with_entries(select(.value > 0))' "$tmp/refused.after")"
	check "$1: no more than two pings of $((ms / 20)) are lost ($lost; $gap ms)" \
		[ "$lost" -le 2 ]
	check "$1: each is counted by its reason, or dropped by the kernel ($off)" \
		[ "${off#-}" -le $((sent / 1000)) ]
}

undisturbed flood_by replay # all memory that floods need is there from now on
few=$(resident)
for kind in replay random short; do
	undisturbed flood_by $kind
	case $kind in
	replay)
		check 'the load is seen: cookies are asked for' [ "$(more no-cookie)" -gt 0 ]
		check 'those that were worked on were had before' [ "$(more old-init)" -gt 0 ]
		check 'and few were: 200 a second' \
			[ "$(more old-init)" -le $((200 * (ms + 2000) / 1000)) ]
		;;
	random) check 'what knows no key is not answered' [ "$(more bad-mac)" = "$(all_more)" ] ;;
	short) check 'lengths that no init has are refused first' [ "$(more bad-mac)" = 0 ] ;;
	esac
done
# Or, if the first flood was too thin to need all of it, from here on.
stays() {
	echo "# $few kB, now $(resident) kB"
	[ $(($(resident) - few)) -gt 256 ] || return 0
	few=$(resident)
	for kind in replay random short; do
		evil 10 "$count" "$kind"
	done
	echo "# $few kB, now $(resident) kB"
	[ $(($(resident) - few)) -le 256 ]
}
check 'memory stays what it was' undisturbed stays
sleep 1
before=$(ticks)
sleep 3
check "and the processor is idle again ($((($(ticks) - before) * 10 / 3)) ms a second)" \
	[ $(($(ticks) - before)) -le 30 ]
check 'the tunnel is the one it was' \
	[ "$(figure home '.peers[0]["up-us"]')" -gt "$era" ]

# Under the flood the true client gets in, by a cookie. The flood ends when it is told to.
nice -n 19 ip netns exec evil flood send 10.201.9.1 5000 \
	$((count * 1000000)) 600 replay "$tmp/init" >/dev/null &
flooder=$!
kill_engine home KILL
engine_of home
pings() { home ping -c 1 -W 1 -q 10.77.0.1 >/dev/null; }
check 'a client that begins anew gets in meanwhile' wait_for 10 pings
check 'the flood was going on all the time' kill -0 "$flooder"
kill "$flooder" 2>/dev/null
unplace
finish
