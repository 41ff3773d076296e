# SPDX-License-Identifier: GPL-2.0
"""The host's part of smoke.sh."""


def run(vm):
    vm.wait_for(r"^sync hello$")
    vm.check(vm.memory_kib() > 20 * 1024, "the guest's memory is seen on the host")
    vm.check(vm.qmp.execute("query-status")["status"] == "running", "QMP answers")
    vm.answer("hello", "from the host")
