#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# A change of tunnels that fails at any message, or dies there, is undone in the
# engine too, like everything else (test_undo.sh).
. "$(dirname "$0")/lib.sh"

type -P strace >/dev/null || skip_all 'no strace (make deps)'
(exec 3<>/dev/net/tun) 2>/dev/null || skip_all '/dev/net/tun may not be opened here'
uplink
export TRESSE_SOCKET=$tmp/engine.sock
start "$tmp/engine" tressed --socket "$TRESSE_SOCKET"
wait_for 5 test -S "$TRESSE_SOCKET"
keys=()
for ((i = 0; i < 3; i++)); do
	tresse -q /links create k$i role=server device=k$i listen=700$i 2>/dev/null
	keys+=("$(tresse /links/k$i get public-key | sed 's/[^=]*=\([^ ]*\).*/\1/')")
done
cat >"$tmp/first" <<END
/paths create adsl0 device=wan0 gateway=192.0.2.1 source=192.0.2.2/24
/links create gw role=server device=tun0 local=10.77.0.1/24 listen=5000
/links/gw/peers create alice key=${keys[0]} address=10.77.0.2
/links/gw/peers create bob key=${keys[1]} address=10.77.0.3
/links create home role=client device=tun1 local=10.78.0.2/24 peer=192.0.2.1:5000 peer-key=${keys[2]}
/links/home/members create adsl0
/links create away role=server device=tun2 local=10.79.0.1/24 listen=5002
END
# Made, changed, deleted, made anew: links, their ends, devices and addresses.
cat >"$tmp/second" <<END
/links/gw set local=10.77.0.9/24 isolate=yes
/links/gw/peers/alice set address=10.77.0.4 up=1mbit
/links/gw/peers delete bob
/links/gw/peers create carol key=${keys[2]} address=10.77.0.5
/links/home set mode=tap
/links/home/members/adsl0 set sockets=2
/links delete away
/links create more role=server device=tun3 local=10.80.0.1/24 listen=5003
/paths/adsl0 set gateway=192.0.2.7
END
# told: the links that the engine runs, as it was told of them.
told() {
	python3 -c '
import json, os, socket
s = socket.socket(socket.AF_UNIX)
s.connect(os.environ["TRESSE_SOCKET"])
f = s.makefile("rw")
print(json.dumps({"protocol": 1, "id": 1, "do": "get"}), file=f, flush=True)
done = json.loads(f.readline())["done"]
print(json.dumps(sorted(done, key=str), indent=1, sort_keys=True))'
}
# A device that was made anew has another number, and an address of its own; that it
# is UP the kernel says up to a second after it is (net/core/link_watch.c).
state() {
	ip -o link show | sed -E 's/^[0-9]+: //; s/([0-9a-f]{2}:){5}[0-9a-f]{2}/MAC/g
		/^tun/s/ state UNKNOWN / state UP /' | sort
	ip -o -4 addr show | sed 's/^[0-9]*: //' | sort
	ip rule show
	ip -4 route show table all | sort
	told
}
run 0 'nothing is left of the first three' tresse clearconfig confirm=yes
run 0 'the first links are made' tresse <"$tmp/first"
# carrier: which comes a moment after the engine opened the device.
carrier() { [ "$(ip -o link show | grep -c 'tun[0-9]: .*LOWER_UP')" = 3 ]; }
check 'and up' wait_for 10 carrier
told >"$tmp/told"
has 'the engine tells of them' "$tmp/told" '"tun0"' '"tun1"' '"tun2"' 10.77.0.3
all=sendmsg,sendto,sendmmsg
traced() { strace -qq -e trace=$all -o "$tmp/calls" "$@"; }
run 0 'the second ones are' traced tresse <"$tmp/second"
calls=$(grep -cE '^send(msg|to|mmsg)\(' "$tmp/calls")
check 'it takes some messages' test "$calls" -ge 20
applied() { [ "$(told | grep -c '"tun3"')" = 1 ]; }
check 'they run' applied

again() {
	if ! tresse restoreconfig "$tmp/first" >"$tmp/out" 2>&1 ||
		! wait_for 10 carrier; then
		not_ok "back to the first links: $(cat "$tmp/out")"
	fi
	state >"$tmp/before" # with a new key of the link that was away
	store >"$tmp/store.before"
}
is_before() {
	state >"$tmp/after" && cmp -s "$tmp/before" "$tmp/after"
}
# as_before WHAT
as_before() {
	wait_for 5 is_before && return
	same "$1: all is as it was" "$tmp/before" "$tmp/after"
	return 1
}
again

# One in five of them, here and there: STEP=1 tries all.
step=${STEP:-5}
undone=0
for ((n = step; n <= calls; n += step)); do
	status=0
	traced -e inject=$all:error=ENOBUFS:when="$n" tresse <"$tmp/second" \
		>"$tmp/out" 2>&1 || status=$?
	if [ $status = 0 ]; then
		again # it could do without that one
		continue
	fi
	if [ $status != 1 ]; then
		cat "$tmp/out"
		not_ok "call $n fails: exit status 1 (got $status)"
	fi
	if as_before "call $n fails"; then
		undone=$((undone + 1))
		store >"$tmp/store.after"
		cmp -s "$tmp/store.before" "$tmp/store.after" ||
			not_ok "call $n fails: the store is as it was"
	else
		again
	fi
done
check "a failure at one in $step of $calls calls is undone ($undone)" \
	test "$undone" -ge 5

undone=0 stands=0 tried=0
for ((n = 1; n <= calls; n += step)); do
	tried=$((tried + 1))
	traced -e inject=$all:signal=KILL:when="$n" tresse <"$tmp/second" \
		>"$tmp/out" 2>&1
	tresse restoreconfig >"$tmp/out" 2>&1 || {
		cat "$tmp/out"
		not_ok "killed at call $n: the next start works"
	}
	tresse drift >"$tmp/out" 2>&1 || {
		cat "$tmp/out"
		not_ok "killed at call $n: store, kernel and engine agree"
	}
	if applied; then
		stands=$((stands + 1))
		again
	elif as_before "killed at call $n"; then
		undone=$((undone + 1))
	else
		again
	fi
done 2>/dev/null
check "a death at any call is undone ($undone), or stands ($stands)" \
	test $((undone + stands)) = "$tried" -a "$undone" -ge 5
finish
