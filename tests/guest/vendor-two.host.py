# SPDX-License-Identifier: GPL-2.0
"""The host's part of vendor-two.sh: two guests that do the same, and what the host
says to the one at a time."""

import time

from control import ask, values
from hostside import gone_mib, mib_back, request, sync

FILE_MIB = 128
QUIET_S = 3  # long enough for a report that should not come
SHARE = FILE_MIB * 0.9


def discarded(vm):
    """Bytes that the guest's program has discarded."""
    return int(values(vm.backend.control, "counters")["discarded_bytes"])


def check_alone(vm, asked, other, name, full):
    """One guest gives its memory back when it is asked; nothing happens to the other."""
    before, rss = discarded(other), other.memory_kib()
    lines, end = request(asked)
    vm.check(end == "ok", f"{name}: a request is answered: {lines} {end}")
    back = mib_back(asked, full[asked], SHARE)
    vm.check(back >= SHARE, f"{name}: its memory has left the host ({back} MiB)")
    vm.check(ask(asked.backend.control, "pressure high")[1] == "ok", f"{name}: pressure")
    # A busy machine can only miss it.
    time.sleep(QUIET_S * vm.slow)
    gone = gone_mib(other, rss)
    vm.check(gone < 8, f"{name}: the other's stays ({gone} MiB)")
    vm.check(discarded(other) == before, f"{name}: the other's counter stands still")


def run(vm):
    with vm.twin() as twin:
        guests = (vm, twin)
        full = {}
        for each in guests:
            sync(each, "filled")
            full[each] = each.memory_kib()
            vm.check(full[each] > FILE_MIB * 1024, f"filled ({full[each]} KiB)")
            each.answer("filled", "")
        for each in guests:
            sync(each, "freed")
        check_alone(vm, vm, twin, "the first", full)
        vm.answer("freed", "1 high")
        # The second looks at itself before its turn comes.
        twin.answer("freed", "0 low")
        for each in guests:
            sync(each, "end")
        check_alone(vm, twin, vm, "the second", full)
        for each in guests:
            made = values(each.backend.control, "counters")["requests_made"]
            vm.check(made == "1", f"one request of each: {made}")
            each.answer("end", "1 high")
