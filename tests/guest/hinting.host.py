# SPDX-License-Identifier: GPL-2.0
"""The host's part of hinting.sh: with the wrong queue nothing would be freed."""

from hostside import check_returns, sync


def run(vm):
    check_returns(vm, ["freed"], 200, share=0.9)
    vm.qmp.execute("migrate-set-parameters", max_bandwidth=1 << 20)
    for _ in range(2):
        sync(vm, "begin")
        vm.qmp.execute("migrate", uri="exec:cat >/dev/null")
        vm.answer("begin")
        sync(vm, "end")
        vm.qmp.execute("migrate_cancel")
        status = vm.wait_migration()["status"]
        vm.check(status == "cancelled", f"the migration was under way ({status})")
        vm.answer("end")
