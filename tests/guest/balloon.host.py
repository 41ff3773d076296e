# SPDX-License-Identifier: GPL-2.0
"""The host's part of balloon.sh: is the memory really back, are the statistics
real, does the balloon follow."""

import balloonside
from hostside import MIB, check_returns, enough_mib, mib_back, sync

FILE_MIB = 400


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
    stats = balloonside.statistics(vm)
    vm.check(stats is not None, "statistics arrive, more than once")
    if stats:
        total, free = stats["stat-total-memory"], stats["stat-free-memory"]
        all_of_it = vm.mem_mib * MIB * MIB
        vm.check(all_of_it * 3 // 4 < total <= all_of_it, f"total memory {total}")
        vm.check(total / 2 < free < total, f"free memory {free}")
        vm.check(0 < stats["stat-available-memory"] <= total, "available memory")
        vm.check(stats["stat-minor-faults"] > 0, "minor faults")
    vm.answer("stats", "")

    for marker, mib in (("inflate", 100), ("deflate", 0)):
        sync(vm, marker)
        balloonside.target(vm, mib * MIB)
        balloonside.reached(vm, mib * MIB)
        vm.answer(marker, "")
