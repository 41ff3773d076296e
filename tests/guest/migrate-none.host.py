# SPDX-License-Identifier: GPL-2.0
"""The host's part of migrate-none.sh: a migration that looks for what is dirty many
times before it may end, with all of QEMU on one processor, where a thread of it is
interrupted by the others anywhere.
"""

import os
import tempfile
import time

from hostside import sync

ROUNDS = 20
ENOUGH = 4
# It is over only when nothing is dirty, which it is between two of the load's processes.
ENDLESS = {"max_bandwidth": 400 << 20, "downtime_limit": 0}
LIMITS = {"max_bandwidth": 32 << 20, "downtime_limit": 4000}


def goes_on(qmp):
    while True:
        state = qmp.execute("query-migrate")
        if state["status"] not in ("setup", "active") or (
                state.get("ram", {}).get("dirty-sync-count", 0) >= ROUNDS):
            break
        time.sleep(0.1)
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
    vm.check(rounds >= ENOUGH, f"it was looked for what is dirty {rounds} times")
    vm.answer("migrated")
