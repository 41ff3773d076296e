# SPDX-License-Identifier: GPL-2.0
"""The host's part of reboot.sh: in which order the kernel says what, and when by its
own clock."""

import re

from vm import KERNEL


def seconds(line):
    """What the kernel's clock said then."""
    return float(re.search(r"\[ *(\d+\.\d+)\]", line.text).group(1))


def run(vm):
    vm.wait_exit()
    lines = [line for line in vm.console.lines if line.stream == KERNEL]
    begin = [line for line in lines if "mark restart" in line.text]
    back = [line for line in lines if "fpr: the system goes down: all memory is back" in line.text]
    down = [line for line in lines if "reboot: " in line.text]
    vm.check(len(back) == 1, "fpr stops")
    vm.check(down, "the guest restarts")
    vm.check(back and down and lines.index(back[0]) < lines.index(down[0]), "in this order")
    waited = seconds(back[0]) - seconds(begin[0]) if back and begin else 0
    vm.check(waited > 1, f"after waiting for the device, {waited:.1f} s")
