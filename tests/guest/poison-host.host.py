# SPDX-License-Identifier: GPL-2.0
"""The host's part of poison-host.sh: what the guest is warned of is so."""

from hostside import MIB, sync


def run(vm):
    sync(vm, "filled")
    full = vm.memory_kib()
    vm.answer("filled", "")
    sync(vm, "freed")
    kept = vm.memory_kib()
    vm.check(kept > full - 50 * MIB, f"QEMU discards nothing of it ({(full - kept) // MIB} MiB)")
    vm.answer("freed", "")
