# SPDX-License-Identifier: GPL-2.0
"""The host's part of vendor-load.sh: pressure and requests while the load runs, and
what the guest occupies before and after."""

import contextlib
import itertools
import threading

from control import ask, values
from footprint import memfd_kib
from hostside import MIB, request, sync, until

LEVELS = ("critical", "none", "high", "low")
BACK_MIB = 250


class Peak(threading.Thread):
    """The most that the guest's memory has of the host's, KiB, until it is over.  A busy
    machine looks less often, at a guest that is as much slower."""

    def __init__(self, vm):
        super().__init__(daemon=True)
        self.pid, self.kib, self.over = vm.proc.pid, 0, threading.Event()

    def run(self):
        with contextlib.suppress(OSError):  # the guest has gone
            while not self.over.wait(0.1):
                self.kib = max(self.kib, memfd_kib(self.pid))


def want(vm):
    """Changes the pressure each time that the guest says "turn", and asks for everything
    each other time, until the load is over; what it was answered."""
    answers = []
    for turn, level in enumerate(itertools.cycle(LEVELS)):
        _, match = vm.wait_for("^(turn|sync loaded)$")
        if match.group(1) != "turn":
            return answers
        answers.append(ask(vm.backend.control, f"pressure {level}")[1])
        if turn % 2:
            answers.append(request(vm)[1])


def run(vm):
    sync(vm, "loading")
    peak = Peak(vm)
    peak.start()
    vm.answer("loading", "")
    answers = want(vm)
    peak.over.set()
    peak.join()
    vm.check(len(answers) > 10 and set(answers) == {"ok"}, f"{len(answers)} wishes: {set(answers)}")
    vm.answer("loaded", "")
    sync(vm, "flushed")
    # A slow kernel's load does not get as far.
    enough = BACK_MIB if vm.slow == 1 else BACK_MIB // 2

    def back():
        return (peak.kib - memfd_kib(vm.proc.pid)) // MIB

    until(vm, lambda: back() >= enough)
    vm.check(back() >= enough, f"{back()} MiB less than the {peak.kib // MIB} MiB at most")
    counters = values(vm.backend.control, "counters")
    refused = {key: value for key, value in counters.items() if key.startswith("refused_")}
    vm.check(set(refused.values()) == {"0"}, f"nothing was refused: {refused}")
    vm.answer("flushed", "")
