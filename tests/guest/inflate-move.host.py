# SPDX-License-Identifier: GPL-2.0
"""The host's part of inflate-move.sh: does what the guest says, and adds memory."""

from balloonside import serve
from hostside import MIB


def add(vm, _):
    """A memory module of 256 MiB"""
    vm.qmp.execute("object-add", **{"qom-type": "memory-backend-ram", "id": "more",
                                    "size": 256 * MIB * 1024})
    vm.qmp.execute("device_add", driver="pc-dimm", id="dimm0", memdev="more")
    return ""


def run(vm):
    serve(vm, add=add)
