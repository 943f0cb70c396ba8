#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# The units of the package under a real systemd: it starts the engine when
# somebody asks, and at boot, is told when it is ready, brings it back when it
# dies, reloads and stops it; and what has to stay, stays. systemd is the first
# process of a namespace of its own, so that no second machine has to boot.
#
#   gw, by hand --w1-- here, by systemd
# shellcheck source=../lib.sh
. "$(dirname "$0")/../lib.sh"

[ "$(hostname)" = fullkernel ] || skip_all 'only where the machine is ours: emulated'
[ -x /lib/systemd/systemd ] || skip_all 'no systemd here'
[ -e /sys/fs/cgroup/cgroup.controllers ] || skip_all 'no cgroup v2 here'
modprobe tun 2>/dev/null
(exec 3<>/dev/net/tun) 2>/dev/null || skip_all '/dev/net/tun may not be opened here'

# --- what is installed -------------------------------------------------------
# Programs where the package puts them; of systemd's own units, the least.
cp "$build/tresse" "$build/tressed" /usr/bin/
units=$tmp/units
mkdir -p "$units" /var/lib/tresse "$tmp/none"
for unit in basic sysinit sockets multi-user network timers paths slices \
	local-fs shutdown; do
	cp "/lib/systemd/system/$unit.target" "$units/"
done
ln -s multi-user.target "$units/default.target"
for unit in service tresse-follow.service tressed.service tressed.socket; do
	cp "$root/debian/tresse.$unit" "$units/${unit/#service/tresse.service}"
done
mkdir "$units/multi-user.target.wants" "$units/sockets.target.wants"
ln -s ../tresse.service ../tressed.service "$units/multi-user.target.wants/"
ln -s ../tressed.socket "$units/sockets.target.wants/"
mount --bind "$units" /lib/systemd/system
for folder in /etc/systemd/system /etc/init.d /lib/systemd/system-generators; do
	mount --bind "$tmp/none" $folder
done
# As the package's adduser makes it.
cp /etc/passwd "$tmp/passwd"
sed -i '/^tressed:/d' "$tmp/passwd"
echo 'tressed:x:4321:8765::/nonexistent:/usr/sbin/nologin' >>"$tmp/passwd"
mount --bind "$tmp/passwd" /etc/passwd
mkdir /run/systemd
echo on >/proc/sys/kernel/printk_devkmsg
unset TRESSE_STORE TRESSE_SOCKET XDG_STATE_HOME

# --- systemd -----------------------------------------------------------------
# boot: and $init is its process.
boot() {
	unshare --pid --fork --mount --mount-proc --cgroup --uts --kill-child \
		env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin container=tresse \
		/lib/systemd/systemd --system --log-target=kmsg \
		--default-standard-output=kmsg &
	started+=($!)
	wait_for 20 pgrep -P $! >/dev/null
	init=$(pgrep -P $!)
}
sc() { nsenter -t "$init" -p -m systemctl --no-pager "$@"; }
is_up() { sc is-active "$1" >/dev/null 2>&1; }
shown() { sc show -p "$1" --value "${2:-tressed.service}"; }
pings() { ping -c 2 -i 0.2 -W 1 -q 10.77.0.1 >/dev/null 2>&1; }
# who FIELD PID: of each thread of a process there, once if they are alike
who() {
	nsenter -t "$init" -p -m sh -c "cat /proc/$2/task/*/status" |
		awk -v name="$1:" '$1 == name { print $2 }' | sort -u
}
keeper() { nsenter -t "$init" -p -m pgrep -P "$(shown MainPID)" -x tressed-keeper; }
gw() { TRESSE_SOCKET=$tmp/gw.sock TRESSE_STORE=$tmp/gw.db ip netns exec gw "$@"; }
has_device() { ip link show tun0 >/dev/null 2>&1; }
not_in_there() { ! nsenter -t "$init" -p -m test -e "/proc/$1"; }
not_there() { [ ! -e "/proc/$1" ]; }
key_of() { "$@" tresse /links/home0 get public-key | sed 's/[^=]*=\([^ ]*\).*/\1/'; }

boot
check 'systemd is up' wait_for 60 is_up multi-user.target
check 'the socket waits' is_up tressed.socket
is 'for root alone' "$(stat -c '%U %a' /run/tresse/engine.sock)" 'root 660'
check 'and at boot the engine is started' is_up tressed.service
run 0 'it can be stopped' sc stop tressed.service
check 'and is not there any more' test "$(shown MainPID)" = 0

# --- by its socket -----------------------------------------------------------
ip netns add gw
ip -n gw link set lo up
ip link add w1 type veth peer name w1 netns gw
ip addr add 10.201.1.2/24 dev w1
ip -n gw addr add 10.201.1.1/24 dev w1
ip link set w1 up
ip -n gw link set w1 up
ip netns exec gw tressed --socket "$tmp/gw.sock" &
started+=($!)
wait_for 20 test -S "$tmp/gw.sock"
gw tresse -q /links create home0 role=server device=tun0 local=10.77.0.1/24 listen=5000
tresse -q /paths create line1 device=w1 gateway=10.201.1.1
run 0 'a link is made' tresse /links create home0 role=client device=tun0 \
	local=10.77.0.2/24 peer=10.201.1.1:5000 "peer-key=$(key_of gw)"
gw tresse -q /links/home0/peers create home "key=$(key_of env)" address=10.77.0.2
run 0 'and a member' tresse /links/home0/members create line1
check 'the engine was started by that' is_up tressed.service
is 'it says that it is ready' "$(shown Type) $(shown SubState)" 'notify running'
check 'the tunnel is up' wait_for 30 pings
pid=$(shown MainPID)
check 'the engine is the one of the unit' \
	grep -q tressed.service <(sc status tressed.service)

is 'it is user tressed, in all its threads' \
	"$(who Uid "$pid") $(who Gid "$pid") $(who CapEff "$pid")" '4321 8765 0000000000003000'
keeper=$(keeper)
is 'its keeper is root, and may nothing' \
	"$(who Uid "$keeper") $(who CapEff "$keeper") $(who Seccomp "$keeper")" \
	'0 0000000000000000 2'
is 'the keys are for root alone' \
	"$(stat -c '%U %a' /var/lib/tresse/tresse.db-secrets)" 'root 600'
has 'systemctl says who it is' <(sc status tressed.service) 'Status: .*user tressed \(uid 4321\)'

# --- bad days ----------------------------------------------------------------
run 0 'it is told to read the store again' sc reload tressed.service
is 'and is the same process' "$(shown MainPID)" "$pid"
check 'the tunnel has not noticed' pings
run 0 'it is killed' sc kill --signal=KILL --kill-whom=main tressed.service
again() { [ "$(shown NRestarts)" = 1 ] && is_up tressed.service; }
check 'systemd brings it back' wait_for 20 again
check 'and the store its tunnel' wait_for 30 pings
check 'the keeper has ended with it' not_in_there "$keeper"
is 'and there is another' "$(who Uid "$(keeper)")" 0
run 0 'it is stopped' sc stop tressed.service
check 'its device stays' has_device
has 'with its address' <(ip addr show dev tun0) 10.77.0.2/24
check 'its store stays' test -s /var/lib/tresse/tresse.db
check 'the socket waits' is_up tressed.socket
run 0 'whoever asks' tresse status
check 'starts it' wait_for 10 is_up tressed.service
check 'and the tunnel is back' wait_for 30 pings
run 0 'the engine is stopped, and its socket' sc stop tressed.service tressed.socket
run 0 'who needs it' nsenter -t "$init" -p -m tresse repair
check 'has it from systemd' is_up tressed.service
pid=$(shown MainPID)
run 0 'so it may crash' sc kill --signal=SEGV --kill-whom=main tressed.service
is_another() { [ "$(shown MainPID)" != "$pid" ] && is_up tressed.service; }
check 'and comes back by itself' wait_for 20 is_another
check 'with its tunnel' wait_for 30 pings

# --- from the beginning ------------------------------------------------------
run 0 'the engine and its socket are stopped' sc stop tressed.service tressed.socket
ip link del tun0
kill -KILL "$init"
check 'systemd itself is gone' wait_for 10 not_there "$init"
find /run/tresse /run/systemd -mindepth 1 -delete
boot
check 'it boots again' wait_for 60 is_up multi-user.target
is 'what was left is restored' "$(shown Result tresse.service)" success
check 'the device is there' has_device
check 'the engine is up' is_up tressed.service
check 'and so is the tunnel' wait_for 30 pings
run 0 'what others change is looked after' sc start tresse-follow.service
check 'as long as it is wanted' is_up tresse-follow.service
run 0 'it ends when it is told to' sc stop tresse-follow.service
is 'nothing has failed' "$(sc list-units --failed --plain --no-legend)" ''
[ $failures = 0 ] || dmesg | grep -E 'systemd|tresse' | tail -n 40
finish
