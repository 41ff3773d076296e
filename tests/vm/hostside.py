# SPDX-License-Identifier: GPL-2.0
"""What the host's parts of several guest tests share.

Nothing here is soon enough or too late by the clock of this machine, which may be
busy: what has to come is waited for until the guest has gone, and whether it came in
time the guest says, by its own clock and counters.
"""

import time

from control import ANSWER_S, ask

MIB = 1024  # KiB
RED_S = 5


def sync(vm, marker):
    """Waits until the guest is at host_sync MARKER."""
    vm.wait_for(rf"^sync {marker}$")


def add_dimm(vm, mib, number=0):
    """Plugs in a memory module of that size; it is called dimmNUMBER."""
    vm.qmp.execute("object-add", **{"qom-type": "memory-backend-ram", "id": f"dimm{number}m",
                                    "size": mib * MIB * 1024})
    vm.qmp.execute("device_add", driver="pc-dimm", id=f"dimm{number}", memdev=f"dimm{number}m")


def is_red(vm):
    """Whether a point of the test that the guest runs has failed."""
    for line in reversed(list(vm.console.lines)):
        if line.text.startswith(("not ok ", "KTAP version")):
            return line.text.startswith("not ok ")
    return False


def until(vm, condition):
    """vm.until(), but for a guest that has failed already: what is late then may never
    come, and the verdict is known.  What condition() said last."""
    end = met = None

    def over():
        nonlocal end, met
        met = condition()
        if end is None and is_red(vm):
            end = time.monotonic() + RED_S
        return met or (end is not None and time.monotonic() > end)

    vm.until(over)
    return met


def gone_mib(vm, full_kib):
    """MiB that have gone back since full_kib by now; none if all of the guest has gone."""
    try:
        kib = vm.memory_kib()
    except OSError:
        kib = 0
    return (full_kib - kib) // MIB if kib else 0


def mib_back(vm, full_kib, enough_mib):
    """MiB that went back since full_kib; waits until it is enough."""
    until(vm, lambda: gone_mib(vm, full_kib) >= enough_mib)
    return gone_mib(vm, full_kib)


def enough_mib(vm, file_mib, share):
    """That share of a file, but for what the kernel's checks may keep of it."""
    return file_mib * share - vm.keeps_mib


def check_returns(vm, markers, file_mib, share=0.95):
    """For a guest that syncs "filled", and MARKER each time after it has freed
    the file, and has seen it reported in time: that share of it has to leave the host."""
    sync(vm, "filled")
    full = vm.memory_kib()
    vm.check(full > file_mib * MIB, f"the file is in the guest's memory ({full // MIB} MiB)")
    vm.answer("filled", "")
    for marker in markers:
        sync(vm, marker)
        mib = mib_back(vm, full, enough_mib(vm, file_mib, share))
        vm.check(mib >= enough_mib(vm, file_mib, share), f"{marker}: it has left the host ({mib} MiB)")
        vm.answer(marker, "")
    return full


def request(vm):
    """Has the guest's program ask it for all that is free; what it answers."""
    return ask(vm.backend.control, f"request 4096 {ANSWER_S}")
