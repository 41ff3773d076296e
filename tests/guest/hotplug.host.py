# SPDX-License-Identifier: GPL-2.0
"""The host's part of hotplug.sh: adds a memory module of 1 GiB."""

from hostside import add_dimm, sync


def run(vm):
    sync(vm, "add")
    add_dimm(vm, 1024)
    vm.check(True, "1 GiB added")
    vm.answer("add", "")
