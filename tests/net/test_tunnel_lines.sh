#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
#
# Lines as they are: devices that are renamed, go and come back as others, here and
# at the gateway; addresses that change; two lines in one network.
. "$(dirname "$0")/lib.sh"
# shellcheck source=tests/net/tunnel.sh
. "$(dirname "$0")/tunnel.sh"

get() { home tresse "/links/home0/members/$1" get "$2" | sed 's/[^=]*=//; s/  read-only.*//'; }
up() { [ "$(get "$1" state)" = up ]; }
says() { get "$1" error | grep -qE -- "$2"; }
# carries DEVICE MEMBER: the member is up, and what is sent goes by the device
carries() { up "$2" && goes_by "$1"; }

place direct
tunnel 2
check 'both lines are up' wait_for 15 carries w1 line1
check 'and the second' wait_for 15 carries w2 line2

# --- another name ------------------------------------------------------------
ping_start 0.01
sleep 0.3
ip -n home link set w1 down
ip -n home link set w1 name was1
ip -n home link set was1 up
check 'a device that has another name now is missed' \
	wait_for 10 says line1 'device w1 is not there'
home tresse status >"$tmp/status"
has 'status says so' "$tmp/status" '^  line1 +bad +ERROR device w1 is not there'
check 'it is not up' lacks home /links/home0/members/line1 state =up

# --- the name is another device's --------------------------------------------
ip link add w1 netns home type veth peer name n1 netns gw
address gw n1 10.201.3.1/24
address home w1 10.201.3.2/24
home tresse -q /paths/line1 set gateway=10.201.3.1
check 'another device of that name is taken' wait_for 10 carries w1 line1
check 'and it has no complaint' says line1 '^$'

# --- gone, and back ----------------------------------------------------------
ip -n home link del w1
check 'a device that goes is missed' \
	wait_for 10 says line1 'device w1 is not there'
ip link add w1 netns home type veth peer name n1 netns gw
address gw n1 10.201.3.1/24
address home w1 10.201.3.2/24
run 0 'its routes come back' home tresse -q repair
check 'a device that comes back is taken' wait_for 10 carries w1 line1
is 'none of this lost a ping' "$(ping_lost)" 0

# --- the same at the gateway ---------------------------------------------------
# Its devices go and come back (a PPP session, say), which its clients do not see.
wans() { # DEVICE ADDRESS: on top of the line's device, in its place
	ip -n gw link del "wan$1" 2>/dev/null
	ip -n gw addr flush dev "$1"
	ip -n gw link add "wan$1" link "$1" type macvlan mode bridge
	address gw "wan$1" "$2"
}
ping_start 0.01
wans n1 10.201.3.1/24
check 'a device of the gateway is another one: the line is back' wait_for 20 carries w1 line1
wans w2 10.201.2.1/24
check 'so is the second' wait_for 20 carries w2 line2
wans n1 10.201.3.1/24
check 'and the first, once more' wait_for 20 carries w1 line1
is 'none of this lost a ping, either' "$(ping_lost)" 0
ip -n gw link del wann1
ip -n gw link del wanw2
down() { ! up line1 && ! up line2; }
check 'without any both lines are missed' wait_for 20 down
wans n1 10.201.3.1/24
wans w2 10.201.2.1/24
check 'and both are back with them' wait_for 20 carries w1 line1
check 'the second, too' wait_for 20 carries w2 line2

# --- another address ------------------------------------------------------------
ping_start 0.01
sleep 0.3
ip -n gw addr add 10.201.4.1/24 dev wanw2
ip -n home addr del 10.201.2.2/24 dev w2
ip -n home addr add 10.201.4.2/24 dev w2
run 0 'the provider gives another network' home tresse -q /paths/line2 set gateway=10.201.4.1
check 'its line goes on' wait_for 20 carries w2 line2
is 'and no ping is lost' "$(ping_lost)" 0

# --- two lines in one network ------------------------------------------------------
ip -n gw link add lan type bridge
ip -n gw link set wann1 down
ip -n gw link del wann1
ip -n gw link del wanw2
ip -n gw link set n1 master lan
ip -n gw link set w2 master lan
address gw lan 10.201.5.1/24
ip -n home addr flush dev w1 scope global
ip -n home addr flush dev w2 scope global
ip -n home addr add 10.201.5.2/24 dev w1
ip -n home addr add 10.201.5.3/24 dev w2
home tresse -q /paths/line1 set gateway=10.201.5.1
home tresse -q /paths/line2 set gateway=10.201.5.1
check 'two lines in one network: the first carries' wait_for 20 carries w1 line1
check 'and the second' wait_for 20 carries w2 line2

unplace
finish
