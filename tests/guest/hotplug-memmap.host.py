# SPDX-License-Identifier: GPL-2.0
"""The host's part of hotplug-memmap.sh: memory modules of 512 MiB come and go."""

from hostside import add_dimm, until


def run(vm):
    number = 0
    while True:
        _, match = vm.wait_for(r"^sync (add|del|over)$")
        what = match.group(1)
        if what == "add":
            number += 1
            add_dimm(vm, 512, number)
        elif what == "del":
            vm.qmp.execute("device_del", id=f"dimm{number}")
            until(vm, lambda: not vm.qmp.execute("query-memory-devices"))
        vm.answer(what, "")
        if what == "over":
            vm.check(True, f"{number} memory modules came")
            return
