# SPDX-License-Identifier: GPL-3.0-or-later
"""measure.py - what a command costs.

    measure.py COMMAND... <INPUT >OUTPUT

Prints to stderr, as the last line: wall time in us, processor time in us (of it
and what it starts), and the most memory it had, in KiB. Its exit status is the
command's.
"""
import os
import sys
import time

start = time.monotonic_ns()
pid = os.posix_spawnp(sys.argv[1], sys.argv[1:], os.environ)
_, status, used = os.wait4(pid, 0)
wall = time.monotonic_ns() - start
busy = used.ru_utime + used.ru_stime
print(wall // 1000, int(busy * 1e6), used.ru_maxrss, file=sys.stderr)
sys.exit(os.waitstatus_to_exitcode(status))
