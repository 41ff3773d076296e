# SPDX-License-Identifier: GPL-2.0
"""The host's part of unplug.sh."""

from hostside import sync


def run(vm):
    sync(vm, "unplug")
    vm.qmp.execute("device_del", id="b0")
    vm.qmp.wait_event("DEVICE_DELETED")
    vm.answer("unplug", "")
    sync(vm, "plug")
    vm.qmp.execute("device_add", **{"driver": "virtio-balloon-pci", "id": "b1",
                                    "bus": "port0", "free-page-reporting": True})
    vm.answer("plug", "")
    vm.check(True, "unplugged and plugged in again")
