# SPDX-License-Identifier: GPL-2.0
"""The host's part of inflate-suspend.sh: does what the guest says, and wakes it."""

import time

from balloonside import actual, serve
from hostside import MIB


def suspend(vm, _):
    """Sleeps, without a balloon, until it is woken."""
    vm.answer("suspend")
    vm.qmp.wait_event("SUSPEND")
    kib, asleep = actual(vm), vm.memory_kib()
    # A busy machine can only miss what should not be.
    time.sleep(1)
    shrunk = asleep - vm.memory_kib()
    vm.check(kib == 0, f"asleep, there is no balloon ({kib} KiB)")
    vm.check(shrunk < 2 * MIB, f"nothing is given back while asleep ({shrunk} KiB)")
    vm.qmp.execute("system_wakeup")


def run(vm):
    serve(vm, suspend=suspend)
