# SPDX-License-Identifier: GPL-2.0
"""The host's part of hotplug-grow.sh: adds a memory module of 4 GiB."""

from hostside import MIB, sync


def run(vm):
    sync(vm, "add")
    vm.qmp.execute("object-add", **{"qom-type": "memory-backend-ram", "id": "more",
                                    "size": 4096 * MIB * 1024})
    vm.qmp.execute("device_add", driver="pc-dimm", id="dimm0", memdev="more")
    vm.check(True, "4 GiB added")
    vm.answer("add", "")
