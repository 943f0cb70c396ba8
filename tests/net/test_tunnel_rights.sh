#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# Who the engine is once it runs, every thread of it, and its keeper: not root,
# and root without a right. What needs root's files works nevertheless, and goes
# on when one of the two is killed. What neither of them can do is tried in
# tests/unit/test_sandbox.c.
# shellcheck disable=SC2154 # pid_home, pid_gw come by eval
. "$(dirname "$0")/lib.sh"
# shellcheck source=tests/net/tunnel.sh
. "$(dirname "$0")/tunnel.sh"

[ "$TRESSE_TEST_SPACE" = root ] || skip_all 'needs root, to become somebody else'
type perl jq setpriv >/dev/null || skip_all 'perl, jq or setpriv is missing (make deps)'

setpriv --reuid 65534 --regid 65534 --clear-groups true 2>/dev/null ||
	skip_all 'root may not become somebody else here'

pings() { home ping -c 2 -i 0.1 -W 1 -q "${1:-10.77.0.1}" >/dev/null 2>&1; }
keeper_of() { pgrep -P "$1" -x tressed-keeper; }
not_there() { [ ! -e "/proc/$1" ]; }
# jq is content with nothing at all.
answers() { [ -n "$(figure home .name 2>/dev/null)" ]; }
nobody() { setpriv --reuid 65534 --regid 65534 --clear-groups "$@"; }

# Once if its threads are alike: who they are, what they may.
rights() { # PID
	awk '/^(Uid|Gid|Groups|CapInh|CapPrm|CapEff|CapBnd|CapAmb|NoNewPrivs|Seccomp):/ {
			printf "%s", $1; for (i = 2; i <= NF; i++) printf " %s", $i; printf "; " }
		/^nonvol/ { print "" }' "/proc/$1"/task/*/status | sort -u
}
# Groups has nothing, the kernel's tab and blank aside.
expected() { # UID GID CAPABILITIES
	local none=0000000000000000

	echo "Uid: $1 $1 $1 $1; Gid: $2 $2 $2 $2; Groups:; CapInh: $none; CapPrm: $3;" \
		"CapEff: $3; CapBnd: $none; CapAmb: $none; NoNewPrivs: 1; Seccomp: 2; "
}
network=0000000000003000 none=0000000000000000

# Who it is to be: the user of the package, if that is installed here.
cp /etc/passwd "$tmp/passwd"
sed -i '/^tressed:/d' "$tmp/passwd"
mount --bind "$tmp/passwd" /etc/passwd
uid=65534 gid=65534

all_rights() { # WHEN
	local n pid keeper

	for n in home gw; do
		eval "pid=\$pid_$n"
		is "$1: each thread of the engine is nobody ($n, $(cd "/proc/$pid/task" && echo * | wc -w))" \
			"$(rights "$pid")" "$(expected $uid $gid $network)"
		keeper=$(keeper_of "$pid")
		is "$1: its keeper is root, and may nothing ($n)" \
			"$(rights "$keeper")" "$(expected 0 0 $none)"
	done
}

# Some hosts have it so: for root alone.
mknod -m 600 "$tmp/tun" c 10 200 && mount --bind "$tmp/tun" /dev/net/tun
echo '10.200.0.1 gw.test' >"$tmp/hosts"
mount --bind "$tmp/hosts" /etc/hosts
chmod 755 "$tmp"

# --- as it is by default -------------------------------------------------------
place direct >"$tmp/place.log" 2>&1
tunnel 2
check 'a tunnel is carried' pings
has 'the log has who they are' "$tmp/place.log" 'tressed: user nobody \(uid 65534, there is no user tressed\)'
all_rights 'at first'
is 'the keys are for root alone' "$(stat -c '%U %a' "$tmp/home.db-secrets")" 'root 600'
is 'so is the socket' "$(stat -c '%U %a' "$tmp/home.sock")" 'root 660'
for what in environ maps mem fd/0 root/etc/shadow; do
	# shellcheck disable=SC2016
	run 1 "another process of nobody may not look: $what" \
		nobody sh -c '! head -c 1 "$1" >/dev/null 2>&1 || exit 0; exit 1' - \
		"/proc/$pid_home/$what"
done

kill -HUP "$pid_home" "$pid_gw"
check 'the store is read again' pings
gw tresse -q /links create more role=server device=tun1 local=10.78.0.1/24 listen=5001
run 0 'a client is made at run time, of a server with a name' home tresse -q \
	/links create more role=client device=tun1 local=10.78.0.2/24 \
	peer=gw.test:5001 peer-key="$(key_of gw more)"
run 0 'and its server knows it' gw tresse -q /links/more/peers create home \
	"key=$(key_of home more)" \
	address=10.78.0.2
home tresse -q /links/more/members create line1
check 'it carries' wait_for 15 pings 10.78.0.1
all_rights 'with more links'

# --- who may tell it what --------------------------------------------------------
ask() { # REQUEST: by whoever runs this
	perl -e '
use Socket;
socket(S, PF_UNIX, SOCK_STREAM, 0) && connect(S, sockaddr_un($ARGV[0])) or die "refused\n";
syswrite(S, "$ARGV[1]\n");
print scalar <S>;' "$tmp/home.sock" "$1" 2>&1
}
export tmp
export -f ask
# shellcheck disable=SC2016
as_nobody() { nobody bash -c 'ask "$1"' - "$1"; }
remove='{"protocol": 1, "do": "remove", "link": "more"}'
is 'nobody else may ask' "$(as_nobody "$remove")" refused
chgrp 65534 "$tmp/home.sock"
has 'who was let in may look' <(as_nobody '{"protocol": 1, "do": "hello"}') '"uid": ?65534'
has 'but change nothing, though the engine is nobody, too' <(as_nobody "$remove") \
	'only root may'
check 'and nothing was changed' pings 10.78.0.1

# --- the one without the other ---------------------------------------------------
keeper=$(keeper_of "$pid_home")
kill -TERM "$keeper"
kill -HUP "$keeper"
kill -INT "$keeper"
kill -HUP "$pid_home"
check 'who asks all processes to end does not end the keeper first' pings
is 'it is the same' "$(keeper_of "$pid_home")" "$keeper"
kill_engine home KILL
check 'the engine is killed: its keeper is gone' wait_for 10 not_there "$keeper"
start "$tmp/home.log" ip netns exec home tressed --socket "$tmp/home.sock" --store "$tmp/home.db"
pid_home=$pid
check 'the next one has all from the store, keys included' wait_for 15 pings
check 'both tunnels' wait_for 15 pings 10.78.0.1
all_rights 'from the store'

keeper=$(keeper_of "$pid_home")
kill -9 "$keeper"
check 'the keeper is killed' wait_for 10 not_there "$keeper"
says() { grep -q "$1" "$tmp/home.log"; }
check 'the engine says so' wait_for 10 says "keeper (process $keeper) has ended"
check 'tunnels go on' pings
check 'all of them' pings 10.78.0.1
has 'each says what is wrong' <(home tresse /links/more get error) 'keeper has ended: restart tressed'
kill -HUP "$pid_home"
check 'it cannot read the store again, and says so' wait_for 10 says "$tmp/home.db: the engine's keeper"
run 1 'nor make what is new' home tresse /links create third role=server \
	device=tun2 local=10.79.0.1/24 listen=5002
has 'which says why' "$tmp/err" 'keeper has ended: restart tressed'
is 'and nothing is left of it' "$(ip -n home -o link show tun2 2>/dev/null)" ''
check 'tunnels go on nevertheless' pings
is 'the log has it once' "$(grep -c 'process .* has ended' "$tmp/home.log")" 1
kill "$pid_home"
wait "$pid_home" 2>/dev/null

# --- others -------------------------------------------------------------------------
# As root is after a login, with groups.
one_engine() { # ARGUMENTS: in home; its pid is in $pid_home
	rm -f "$tmp/home.sock"
	start "$tmp/home.log" ip netns exec home setpriv --groups 4,27 tressed --socket "$tmp/home.sock" \
		--store "$tmp/home.db" "$@"
	pid_home=$pid
	wait_for 10 answers
}
echo 'tressed:x:4321:8765::/nonexistent:/usr/sbin/nologin' >>"$tmp/passwd"
check 'where there is a user tressed' one_engine
is 'the engine is that' "$(rights "$pid_home")" "$(expected 4321 8765 $network)"
is 'its keeper is root' "$(rights "$(keeper_of "$pid_home")")" "$(expected 0 0 $none)"
has 'the log says so' "$tmp/home.log" 'tressed: user tressed \(uid 4321\)'
check 'it carries' wait_for 15 pings
keeper=$(keeper_of "$pid_home")
kill -TERM "$pid_home"
wait "$pid_home" 2>/dev/null
check 'told to end, both have ended' wait_for 10 not_there "$keeper"
check 'and their socket is gone' test ! -e "$tmp/home.sock"

check 'with --user root' one_engine --user root
is 'it stays root' "$(rights "$pid_home")" "$(expected 0 0 $network)"
has 'and says so' "$tmp/home.log" 'tressed: user root \(uid 0, as it was told to stay\)'
check 'and carries' wait_for 15 pings
stop "$pid_home"
run 1 'an unknown user' ip netns exec home tressed --socket "$tmp/home.sock" \
	--store "$tmp/home.db" --user no-such-user
is 'is one sentence' "$(cat "$tmp/err")" \
	'tressed: --user no-such-user: there is no such user: make it, or leave that out'
check 'and leaves no socket' test ! -e "$tmp/home.sock"
run 1 'root that may not become anybody' ip netns exec home \
	setpriv --bounding-set=-setuid,-setgid --inh-caps=-all \
	tressed --socket "$tmp/home.sock" --store "$tmp/home.db"
has 'is told what is missing' "$tmp/err" 'lacks CAP_SETUID or CAP_SETGID: .*--user root'

run 0 'tresse starts one itself' home tresse repair
pid_home=$(perl -e 'print 0 + ($ARGV[0] =~ /"pid": ?(\d+)/)[0]' \
	"$(ask '{"protocol": 1, "do": "hello"}')")
is 'which is not root either' "$(rights "$pid_home")" "$(expected 4321 8765 $network)"
check 'and carries' wait_for 15 pings
unplace
finish
