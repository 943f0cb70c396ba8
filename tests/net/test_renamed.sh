#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# A device gets another name: the tree on it is still ours, and goes on as it
# stands when it is told the name. What others made is not taken for ours.
. "$(dirname "$0")/lib.sh"

uplink
ip link add wan1 address 02:00:00:00:01:02 type veth peer name peer1
ip link set wan1 up
ip link set peer1 up
cat >"$tmp/policy" <<'END'
/paths create adsl0 device=wan0 gateway=192.0.2.1 source=192.0.2.2/24
/classes create uplink path=adsl0 default=other
/classes/uplink create voice rate=1mbit burst=15k leaf="pfifo limit 30"
/classes/uplink create other rate=1mbit burst=15k
END
run 0 'a tree' tresse <"$tmp/policy"
# rename FROM TO
rename() {
	ip link set "$1" down
	ip link set "$1" name "$2"
	ip link set "$2" up
}
# Counters that begin anew show a tree that was made anew.
ping -c 3 -i 0.01 -q 192.0.2.1 >/dev/null
sent() { tc -s class show dev "$1" | awk '$1 == "Sent" { sum += $4 } END { print sum }'; }
tree wan0 >"$tmp/before"
before=$(sent wan0)
check 'packets went through it' test "$before" -ge 3

rename wan0 wan9
run 0 'it is told the name' tresse /paths/adsl0 set device=wan9
tree wan9 >"$tmp/after"
same 'the tree stands as it stood' "$tmp/before" "$tmp/after"
check 'it is the same one' test "$(sent wan9)" -ge "$before"
run 0 'so that' tresse drift
has 'all agrees' "$tmp/said" 'agrees with the store'

# Something else is committed while nobody knows the name.
rename wan9 wan7
run 0 'another change' tresse /paths create lte0 device=wan1 gateway=none \
	source=198.51.100.2
run 0 'then it is told the name' tresse /paths/adsl0 set device=wan7
tree wan7 >"$tmp/after"
same 'the tree stands as it stood' "$tmp/before" "$tmp/after"
rename wan7 wan0
run 0 'it may get its old one' tresse /paths/adsl0 set device=wan0
tree wan0 >"$tmp/after"
same 'the tree stands as it stood' "$tmp/before" "$tmp/after"

# A tree of somebody else's that looks the same, on another device.
rename wan0 wan9
tc qdisc add dev wan1 root handle 1: htb
for minor in 1 2; do
	tc class add dev wan1 parent 1: classid 1:$minor htb rate 1mbit
done
tree wan1 >"$tmp/theirs"
run 1 'one that others made is refused' tresse /paths/adsl0 set device=wan1
has 'and says so' "$tmp/said" 'wan1 has a root qdisc htb 1:.*did not make'
tree wan1 >"$tmp/after"
same 'nothing has changed there' "$tmp/theirs" "$tmp/after"
tree wan9 >"$tmp/after"
same 'nor where ours is' "$tmp/before" "$tmp/after"

# A new device with the old name is another one.
ip link add wan0 type veth peer name peer0
tc qdisc add dev wan0 root handle 2: htb
run 1 'what others made on a new one is refused' tresse repair
has 'and says so' "$tmp/said" 'wan0 has a root qdisc htb 2:'
ip link del wan0
run 0 'ours is told its name' tresse /paths/adsl0 set device=wan9
tree wan9 >"$tmp/after"
same 'the tree stands as it stood' "$tmp/before" "$tmp/after"
run 0 'it goes' tresse /classes delete uplink force=yes
is 'with all its classes' "$(tc class show dev wan9)" ''
tc qdisc add dev wan9 root handle 1: htb
run 1 'what others make there is not ours' tresse /classes create up path=adsl0
has 'and says so' "$tmp/said" 'wan9 has a root qdisc htb 1:'
finish
