# SPDX-License-Identifier: GPL-2.0
"""The host's part of balloon.sh: is the memory really back, are the statistics
real, does the balloon follow."""

import ballooning
from hostside import MIB, check_returns, enough_mib, mib_back, sync

FILE_MIB = 400


def guest_stats(vm):
    """Statistics that arrive after polling has begun: two, so that the queue has
    been used again."""
    ballooning.poll_stats(vm, 1)
    return ballooning.fresh_stats(vm)


def becomes_actual(vm, size):
    """The guest has so many bytes, soon."""
    return ballooning.wait_actual(vm, size, 10) == size


def run(vm):
    full = check_returns(vm, ["freed"], FILE_MIB)
    sync(vm, "paused")
    kept = vm.memory_kib()
    vm.check(kept > full - 50 * MIB, f"paused, it stays ({kept // MIB} MiB)")
    vm.answer("paused", "")
    for marker in ("resumed", "flushed"):
        sync(vm, marker)
        mib = mib_back(vm, full, enough_mib(vm, FILE_MIB, 0.95))
        vm.check(mib >= enough_mib(vm, FILE_MIB, 0.95), f"{marker}: it has left the host ({mib} MiB)")
        vm.answer(marker, "")

    sync(vm, "stats")
    stats = guest_stats(vm)
    vm.check(stats is not None, "statistics arrive, more than once")
    if stats:
        total, free = stats["stat-total-memory"], stats["stat-free-memory"]
        all_of_it = vm.mem_mib * MIB * MIB
        vm.check(all_of_it * 3 // 4 < total <= all_of_it, f"total memory {total}")
        vm.check(total / 2 < free < total, f"free memory {free}")
        vm.check(0 < stats["stat-available-memory"] <= total, "available memory")
        vm.check(stats["stat-minor-faults"] > 0, "minor faults")
    vm.answer("stats", "")

    for marker, mib in (("inflate", vm.mem_mib - 100), ("deflate", vm.mem_mib)):
        sync(vm, marker)
        vm.qmp.execute("balloon", value=mib * MIB * MIB)
        vm.check(becomes_actual(vm, mib * MIB * MIB), f"{marker}: {mib} MiB are the guest's")
        vm.answer(marker, "")
