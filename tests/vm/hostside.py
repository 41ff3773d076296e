# SPDX-License-Identifier: GPL-2.0
"""What the host's parts of several guest tests share."""

import time

MIB = 1024  # KiB


def sync(vm, marker, timeout_s=120):
    """Waits until the guest is at host_sync MARKER."""
    vm.wait_for(rf"^sync {marker}$", timeout_s)


def mib_back(vm, full_kib, enough_mib, timeout_s=5):
    """MiB that went back since full_kib; waits until it is enough."""
    end = time.monotonic() + timeout_s * vm.slow
    while True:
        mib = (full_kib - vm.memory_kib()) // MIB
        if mib >= enough_mib or time.monotonic() > end:
            return mib
        time.sleep(0.05)


def enough_mib(vm, file_mib, share):
    """That share of a file, but for what the kernel's checks may keep of it."""
    return file_mib * share - vm.keeps_mib


def check_returns(vm, markers, file_mib, share=0.95):
    """For a guest that syncs "filled", and MARKER each time after it has freed
    the file: that share of it has to leave the host."""
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
