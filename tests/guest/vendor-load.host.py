# SPDX-License-Identifier: GPL-2.0
"""The host's part of vendor-load.sh: pressure and requests while the load runs, and
what the guest occupies before and after."""

import itertools
import threading

from control import ask, values
from hostside import MIB, mib_back, sync

LEVELS = ("critical", "none", "high", "low")
BACK_MIB = 250


class Wanting(threading.Thread):
    """Changes the pressure every second, and asks for everything each other time;
    keeps the most that the guest occupied."""

    def __init__(self, vm):
        super().__init__(daemon=True)
        self.vm = vm
        self.control = vm.backend.control
        self.peak = 0
        self.over = threading.Event()
        self.answers = []
        self.error = None

    def run(self):
        try:
            for turn, level in enumerate(itertools.cycle(LEVELS)):
                if self.over.wait(1):
                    return
                self.peak = max(self.peak, self.vm.memory_kib())
                self.answers.append(ask(self.control, f"pressure {level}")[1])
                if turn % 2:
                    self.answers.append(ask(self.control, "request 4096 30")[1])
        except OSError as err:
            self.error = err


def run(vm):
    sync(vm, "loading")
    wanting = Wanting(vm)
    wanting.start()
    vm.answer("loading", "")
    sync(vm, "loaded", vm.time_limit_s)
    wanting.over.set()
    wanting.join(60)
    vm.check(not wanting.is_alive() and not wanting.error, f"the host was heard: {wanting.error}")
    vm.check(len(wanting.answers) > 10 and set(wanting.answers) == {"ok"},
             f"{len(wanting.answers)} wishes: {set(wanting.answers)}")
    vm.answer("loaded", "")
    sync(vm, "flushed")
    # A slow kernel's load does not get as far.
    enough = BACK_MIB if vm.slow == 1 else BACK_MIB // 2
    back = mib_back(vm, wanting.peak, enough)
    vm.check(back >= enough, f"{back} MiB less than the {wanting.peak // MIB} MiB at most")
    counters = values(vm.backend.control, "counters")
    refused = {key: value for key, value in counters.items() if key.startswith("refused_")}
    vm.check(set(refused.values()) == {"0"}, f"nothing was refused: {refused}")
    vm.answer("flushed", "")
