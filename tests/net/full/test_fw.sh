#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# classifier=fw: tc's own filters choose the class by mark, both families.
# shellcheck source=../lib.sh
. "$(dirname "$0")/../lib.sh"
# shellcheck source=../classifier.sh
. "$root/tests/net/classifier.sh"

uplink
leads fw 'fw' '1:10'
finish
