# SPDX-License-Identifier: GPL-2.0
"""The host's part of hotplug-grow.sh: adds a memory module of 4 GiB."""

from hostside import add_dimm, sync


def run(vm):
    sync(vm, "add")
    add_dimm(vm, 4096)
    vm.check(True, "4 GiB added")
    vm.answer("add", "")
