# SPDX-License-Identifier: GPL-2.0
"""The host's part of inflate-unplug.sh: does what the guest says, and takes the
device away and puts another one in its place."""

from balloonside import serve


def run(vm):
    count = 0

    def unplug(vm, _):
        vm.qmp.execute("device_del", id=f"b{count}")
        while True:
            event = vm.qmp.wait_event("DEVICE_DELETED")
            if event["data"].get("device") == f"b{count}":
                return ""

    def plug(vm, _):
        nonlocal count
        count += 1
        vm.qmp.execute("device_add", **{"driver": "virtio-balloon-pci", "id": f"b{count}",
                                        "bus": "port0", "free-page-reporting": True})
        return ""

    serve(vm, unplug=unplug, plug=plug)
