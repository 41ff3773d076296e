# SPDX-License-Identifier: GPL-2.0
"""The host's part of migrate-none.sh: a migration that looks for what is dirty many
times before it may end, with all of QEMU on one processor, where a thread of it is
interrupted by the others anywhere.
"""

import os
import tempfile
import time

from hostside import sync

ROUNDS_S = 20
# It never has less than it may send while the guest stands still.
ENDLESS = {"max_bandwidth": 400 << 20, "downtime_limit": 1}
LIMITS = {"max_bandwidth": 32 << 20, "downtime_limit": 4000}


def goes_on(qmp):
    time.sleep(ROUNDS_S)
    qmp.execute("migrate-set-parameters", **LIMITS)


def run(vm):
    sync(vm, "migrated")
    mine = os.sched_getaffinity(0)
    one = {max(mine)}
    for thread in os.listdir(f"/proc/{vm.proc.pid}/task"):
        os.sched_setaffinity(int(thread), one)
    # What this thread starts now, the other QEMU, inherits it.
    os.sched_setaffinity(0, one)
    try:
        with tempfile.TemporaryDirectory(prefix="fpr-") as folder:
            vm.qmp.execute("migrate-set-parameters", **ENDLESS)
            rounds = vm.migrate(folder, goes_on)["ram"]["dirty-sync-count"]
    finally:
        os.sched_setaffinity(0, mine)
    vm.check(rounds >= 4, f"it was looked for what is dirty {rounds} times")
    vm.answer("migrated")
