#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# Without rights: what only reads works, what writes names the capability.
. "$(dirname "$0")/lib.sh"

[ "$TRESSE_TEST_SPACE" = root ] || skip_all 'needs root, to become somebody else'

uplink
tresse <"$root/man/examples/adsl.tresse" >"$tmp/out" 2>&1 ||
	skip_all 'the policy could not be applied'
everything >"$tmp/before"
store >"$tmp/store.before"

# A clone below /root is not for others to run from.
mkdir "$tmp/bin"
cp "$build/tresse" "$tmp/bin/tresse"
chmod 755 "$tmp" "$tmp/bin"
nobody() {
	setpriv --reuid 65534 --regid 65534 --clear-groups \
		env HOME=/ XDG_STATE_HOME=/nonexistent "$@"
}

reads() {
	run 0 "$2 $1" "${@:3}"
	check "$2 $1 has nothing to complain of" test ! -s "$tmp/err"
}

for words in 'ls' '/classes ls' 'pwd' '/classes/uplink/internet/ssh get rate' \
	'/classes/uplink/internet/ssh info' 'help' 'help create' \
	'version' '-j /classes ls'; do
	# shellcheck disable=SC2086
	reads "$words" 'nobody may' nobody "$tmp/bin/tresse" $words
done
run 0 'nobody may ask for the status' nobody "$tmp/bin/tresse" status
nobody "$tmp/bin/tresse" /classes/uplink/internet/ssh get rate >"$tmp/out"
has 'and sees what is set' "$tmp/out" 64kbit

for words in '/classes/uplink create more rate=10kbit' \
	'/classes delete uplink' '/classes/uplink/internet/ssh set rate=65kbit' \
	'clearconfig confirm=yes'; do
	# shellcheck disable=SC2086
	run 4 "nobody may not $words" nobody "$tmp/bin/tresse" $words
	has "it is said why ($words)" "$tmp/err" 'CAP_[A-Z_]+|permission|may not'
done
# shellcheck disable=SC2086
run 4 'root without CAP_NET_ADMIN may not either' \
	setpriv --bounding-set -net_admin --inh-caps -net_admin \
	"$tmp/bin/tresse" /classes delete uplink
has 'the capability is named' "$tmp/err" CAP_NET_ADMIN

everything >"$tmp/after"
same 'nothing changed on the host' "$tmp/before" "$tmp/after"
store >"$tmp/store.after"
same 'nothing changed in the store' "$tmp/store.before" "$tmp/store.after"
finish
