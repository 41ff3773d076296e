# SPDX-License-Identifier: GPL-2.0
"""The host's part of reboot.sh: in which order the kernel says what."""

from vm import KERNEL


def run(vm):
    vm.wait_exit()
    lines = [line for line in vm.console.lines if line.stream == KERNEL]
    back = [line for line in lines if "fpr: the system goes down: all memory is back" in line.text]
    down = [line for line in lines if "reboot: " in line.text]
    complete = [line for line in vm.console.lines if "fpr-guest-run-complete" in line.text]
    vm.check(len(back) == 1, "fpr stops")
    vm.check(down, "the guest restarts")
    vm.check(back and down and lines.index(back[0]) < lines.index(down[0]), "in this order")
    waited = back[0].time - complete[0].time if back and complete else 0
    vm.check(waited > 1, f"after waiting for the device, {waited:.1f} s")
