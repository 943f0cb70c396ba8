#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# classifier=bpf: one filter of tc's chooses the class by mark, both families.
. "$(dirname "$0")/lib.sh"
# shellcheck source=classifier.sh
. "$root/tests/net/classifier.sh"

uplink
tc qdisc replace dev lo root pfifo
tc qdisc add dev lo clsact
tc filter add dev lo ingress bpf bytecode '1,6 0 0 0' 2>/dev/null ||
	skip_all 'no bpf filter here'
tc qdisc del dev lo clsact
tc qdisc del dev lo root
leads bpf 'bpf .*bytecode'
finish
