#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# What the kernel can only make anew loses nothing with its own queues and
# filters either: fq_codel and sfq, classifier=fw. Slowly, for this machine is.
# shellcheck source=../lib.sh
. "$(dirname "$0")/../lib.sh"
# shellcheck source=../hitless.sh
. "$root/tests/net/hitless.sh"

uplink
shape='rate=2mbit ceil=2mbit burst=20k'
send=4000000
chunk=300 low=150
# sfq keeps 127 packets of a flow at most.
flows=30
# It is to lead packets to their class: what it drops is no part of this.
calm='fq_codel limit 10000 target 100s interval 100s'
hitless nft 'sfq depth 127 limit 3000' "$calm"
hitless fw 'sfq depth 127 limit 3000' "$calm"
finish
