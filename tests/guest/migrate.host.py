# SPDX-License-Identifier: GPL-2.0
"""The host's part of migrate.sh: migrates the guest without hints, cancels two
migrations, and migrates it with hints, and with reports at the same time.

QEMU sends what the guest uses as "normal" pages, and what reads as zeros as
"duplicate" ones; what is hinted it does not send at all.
"""

import tempfile
import time

from hostside import sync

MIB_PAGES = 256
# 32 MiB/s, so that there is time for hints, and an end when 128 MiB are left,
# more than the load changes in a round.
LIMITS = {"max_bandwidth": 32 << 20, "downtime_limit": 4000}
FREE_MIB = 320
# While the guest gets to know, while it names memory, and after it has.
# By this machine's clock, so not always at the same point; it is never over before that.
ENDLESS = {"max_bandwidth": 1 << 20, "downtime_limit": 1}
CANCEL_S = (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.8, 1.5)


def migrate(vm, folder, name):
    """MiB that were sent, as content and as zeros."""
    sync(vm, name)
    vm.qmp.execute("migrate-set-parameters", **LIMITS)
    ram = vm.migrate(folder)["ram"]
    mib = ram["normal"] // MIB_PAGES, ram["duplicate"] // MIB_PAGES
    vm.check(vm.qmp.execute("query-status")["status"] == "running",
             f"{name}: it goes on after {mib[0]} MiB of content and {mib[1]} MiB of zeros")
    vm.answer(name)
    return sum(mib)


def cancel(vm, after_s):
    """Begins a migration to nowhere and cancels it."""
    vm.qmp.execute("migrate-set-parameters", **ENDLESS)
    vm.qmp.execute("migrate", uri="exec:cat >/dev/null")
    time.sleep(after_s)
    vm.qmp.execute("migrate_cancel")
    status = vm.wait_migration()["status"]
    vm.check(status == "cancelled", f"cancelled after {after_s} s ({status})")


def run(vm):
    with tempfile.TemporaryDirectory(prefix="fpr-") as folder:
        without = migrate(vm, folder, "unnamed")
        sync(vm, "cancelled")
        for after_s in CANCEL_S:
            cancel(vm, after_s)
        vm.answer("cancelled")
        with_hints = migrate(vm, folder, "named")
        migrate(vm, folder, "reporting")
    vm.check(with_hints < without - FREE_MIB * 0.8,
             f"what is free was left out: {with_hints} MiB instead of {without} MiB")
