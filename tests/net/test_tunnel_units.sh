#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# How the engine is started: by a socket that systemd hands over, as somebody who
# is named; and what it has given up once it runs. Who it is by itself shows
# test_tunnel_rights.sh. Whole units are tried on the stock kernel,
# full/test_systemd.sh.
# shellcheck disable=SC2154 # pid_home, pid_gw come by eval
. "$(dirname "$0")/lib.sh"
# shellcheck source=tests/net/tunnel.sh
. "$(dirname "$0")/tunnel.sh"

[ "$TRESSE_TEST_SPACE" = root ] || skip_all 'needs root, to become somebody else'
type perl jq systemd-socket-activate >/dev/null ||
	skip_all 'perl, jq or systemd-socket-activate is missing (make deps)'

pings() { home ping -c 2 -i 0.1 -W 1 -q 10.77.0.1 >/dev/null 2>&1; }
of() { awk -v name="$2:" '$1 == name { print $2 }' "/proc/$1/status"; }

# --- nobody ------------------------------------------------------------------
engine='tressed --user nobody'
place direct
tunnel 2
check 'engines that are nobody carry a tunnel' pings
is 'nobody is who they are' "$(of "$pid_home" Uid)" "$(id -u nobody)"
is 'they hold two capabilities: NET_ADMIN, NET_RAW' \
	"$(of "$pid_home" CapEff) $(of "$pid_home" CapPrm)" \
	'0000000000003000 0000000000003000'
is 'they can gain none' "$(of "$pid_home" CapInh) $(of "$pid_home" NoNewPrivs)" \
	'0000000000000000 1'
is 'and make few system calls' "$(of "$pid_home" Seccomp)" 2
kill_engine home KILL
start "$tmp/again" ip netns exec home tressed --user nobody \
	--socket "$tmp/home.sock" --store "$tmp/home.db"
pid_home=$pid
# jq is content with nothing at all.
answers() { [ -n "$(figure home .name 2>/dev/null)" ]; }
check 'it starts again' wait_for 20 answers
check 'and carries the tunnel again, with keys that it may not read' wait_for 15 pings
unplace

# --- a socket that is handed over ---------------------------------------------
ip netns add home
ip -n home link set lo up
# A program that is told when its child is ready, as systemd is.
cat >"$tmp/notified" <<'END'
use Socket;
socket(S, PF_UNIX, SOCK_DGRAM, 0) && bind(S, sockaddr_un($ARGV[0])) or die $!;
$| = 1;
print "listens\n";
while (recv(S, $said, 4096, 0), 1) { print "$said\n" }
END
start "$tmp/notices" perl "$tmp/notified" "$tmp/notify.sock"
wait_for 5 grep -q listens "$tmp/notices"
start "$tmp/activated" ip netns exec home systemd-socket-activate \
	--listen="$tmp/home.sock" --setenv="NOTIFY_SOCKET=$tmp/notify.sock" \
	tressed --store "$tmp/home.db"
pid_home=$pid
wait_for 5 test -S "$tmp/home.sock"
is 'nobody has asked yet: there is no engine' \
	"$(tr '\0' ' ' <"/proc/$pid_home/cmdline" | grep -c '^tressed')" 0
run 0 'who makes a link asks' home tresse /links create home0 role=server \
	device=tun0 local=10.77.0.1/24 listen=5000
check 'and so it was started' grep -q '^tressed' "/proc/$pid_home/cmdline"
is 'it said that it is ready' "$(grep -c READY=1 "$tmp/notices")" 1
is 'it carries the link' "$(figure home .name)" home0
kill -HUP "$pid_home"
twice() { [ "$(grep -c READY=1 "$tmp/notices")" = 2 ]; }
check 'it says when it has read the store again' wait_for 5 twice
has 'and before' "$tmp/notices" RELOADING=1
stop "$pid_home"
check 'a socket that is not its own it leaves' test -S "$tmp/home.sock"

# --- the units themselves ------------------------------------------------------
if type systemd-analyze >/dev/null; then
	mkdir -p "$tmp/units" "$tmp/bin"
	for kind in service tresse-follow.service tressed.service tressed.socket; do
		sed "s|/usr/bin/tresse|$build/tresse|" "$root/debian/tresse.$kind" \
			>"$tmp/units/${kind/#service/tresse.service}"
	done
	run 0 'systemd has no complaint of the units' systemd-analyze verify \
		--man=no "$tmp/units/"*
	check 'nor a warning' test ! -s "$tmp/said"
	sed 's/^/# /' "$tmp/said"
	for unit in tresse tresse-follow tressed; do
		most=55
		[ $unit != tressed ] || most=45
		run 0 "$unit.service is shut in (systemd-analyze security)" \
			systemd-analyze security --offline=yes \
			--threshold=$most "$tmp/units/$unit.service"
		grep -o 'exposure level.*' "$tmp/out"
	done
else
	skip 'units: no systemd-analyze here'
fi
finish
