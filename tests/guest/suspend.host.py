# SPDX-License-Identifier: GPL-2.0
"""The host's part of suspend.sh: wakes the guest."""

import time

from hostside import MIB, sync


def run(vm):
    sync(vm, "suspend")
    vm.answer("suspend", "")
    vm.qmp.wait_event("SUSPEND")
    asleep = vm.memory_kib()
    # A busy machine can only miss what should not be.
    time.sleep(1)
    shrunk = asleep - vm.memory_kib()
    vm.check(shrunk < 2 * MIB, f"nothing is given back while asleep ({shrunk} KiB)")
    vm.qmp.execute("system_wakeup")
