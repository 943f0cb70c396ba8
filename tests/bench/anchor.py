# SPDX-License-Identifier: GPL-3.0-or-later
"""anchor.py - targetcli's shell over a tree of our own, for tests/bench/shell.sh.

    anchor.py OBJECTS [WORDS...]        one command, as `targetcli WORDS...` has it
    anchor.py OBJECTS -- <BATCH         commands from stdin, as `targetcli <BATCH`
    anchor.py OBJECTS --tab TEXT        what TAB costs, in us, in a shell that runs

The shell, its preferences and its nodes are those of the packages targetcli-fb
and python3-configshell-fb; what hangs in the tree is made up, in memory, so
neither configfs nor the kernel is touched. The file of preferences is in
$TARGETCLI_HOME, where targetcli has it.
"""
import os
import sys
import time
from importlib.machinery import SourceFileLoader
from importlib.util import module_from_spec, spec_from_loader

from configshell_fb import ExecutionError, shell as shell_module
from targetcli.ui_node import UINode

loader = SourceFileLoader("targetcli_program", "/usr/bin/targetcli")
spec = spec_from_loader("targetcli_program", loader)
program = module_from_spec(spec)
sys.dont_write_bytecode = True
loader.exec_module(program)


class Net(UINode):
    def __init__(self, name, parent):
        UINode.__init__(self, name, parent)

    def summary(self):
        return ("bridge mtu 1500", True)


class Nets(UINode):
    def __init__(self, parent):
        UINode.__init__(self, "nets", parent)

    def summary(self):
        return ("Nets: %d" % len(self.children), None)

    def ui_command_create(self, name, kind="bridge"):
        """Creates a net."""
        self.assert_root()
        node = Net(name, self)
        self.shell.log.info("Created net %s." % name)
        return self.new_node(node)


class Root(UINode):
    as_root = True

    def __init__(self, shell):
        UINode.__init__(self, "/", shell=shell)


def batch(shell):
    """The loop of run_interactive() without a terminal."""
    for line in sys.stdin:
        try:
            shell.run_cmdline(line.strip())
        except ExecutionError as error:
            shell.log.error(str(error))


def tab(shell, text):
    class Line:
        """What readline would say of the line."""

        def __getattr__(self, name):
            return getattr(original, name)

        get_line_buffer = staticmethod(lambda: text)
        get_begidx = staticmethod(lambda: 0)
        get_endidx = staticmethod(lambda: len(text))

    original = shell_module.readline
    shell_module.readline = Line()
    best = None
    for _ in range(3):
        start = time.perf_counter()
        first = shell._complete(text, 0)
        took = time.perf_counter() - start
        best = took if best is None or took < best else best
    assert first, "TAB found nothing"
    print(int(best * 1e6))


def main():
    count, words = int(sys.argv[1]), sys.argv[2:]
    shell = program.TargetCLI(os.environ["TARGETCLI_HOME"])
    root = Root(shell)
    nets = Nets(root)
    for number in range(count):
        Net("n%d" % number, nets)
    shell.attach_root_node(root)
    if words[:1] == ["--"]:
        batch(shell)
    elif words[:1] == ["--tab"]:
        tab(shell, words[1])
    else:
        shell.run_cmdline(" ".join(words))


main()
