# SPDX-License-Identifier: GPL-2.0
"""The host's part of hotplug-memmap.sh: memory modules of 512 MiB come and go."""

from hostside import MIB, until


def run(vm):
    number = 0
    while True:
        _, match = vm.wait_for(r"^sync (add|del|over)$")
        what = match.group(1)
        if what == "add":
            number += 1
            vm.qmp.execute("object-add", **{"qom-type": "memory-backend-ram",
                                            "id": f"more{number}", "size": 512 * MIB * 1024})
            vm.qmp.execute("device_add", driver="pc-dimm", id=f"dimm{number}",
                           memdev=f"more{number}")
        elif what == "del":
            vm.qmp.execute("device_del", id=f"dimm{number}")
            until(vm, lambda: not vm.qmp.execute("query-memory-devices"))
        vm.answer(what, "")
        if what == "over":
            vm.check(True, f"{number} memory modules came")
            return
