# SPDX-License-Identifier: GPL-2.0
"""The host's part of vendor-gigabyte.sh: what one report took with it."""

from control import values
from hostside import MIB, mib_back, sync

FILE_MIB = 1500


def counters(vm):
    """The program's counters that are compared."""
    got = values(vm.backend.control, "counters")
    return {name: int(got[name]) for name in ("reports", "ranges", "discarded_bytes")}


def run(vm):
    sync(vm, "filled")
    full, before = vm.memory_kib(), counters(vm)
    vm.answer("filled", "")
    sync(vm, "freed")
    back, after = mib_back(vm, full, FILE_MIB * 0.9), counters(vm)
    vm.check(back >= FILE_MIB * 0.9, f"it has left the host ({back} MiB)")
    more = {name: after[name] - before[name] for name in after}
    vm.check(more["discarded_bytes"] >= FILE_MIB * MIB * MIB, f"it was discarded: {more}")
    vm.answer("freed", "")
