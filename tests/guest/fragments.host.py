# SPDX-License-Identifier: GPL-2.0
"""The host's part of fragments.sh."""

import re

from hostside import MIB, mib_back, sync

# The guest has seen nine tenths of it reported; what it has used since then is not back.
SHARE = 0.8


def run(vm):
    sync(vm, "fragmented")
    freed = [int(line.text.split()[2]) for line in vm.console.lines
             if re.search(r"^# freed \d+ MiB in pieces", line.text)][-1]
    full = vm.memory_kib()
    vm.check(full > freed * MIB, f"the guest has its memory ({full // MIB} MiB)")
    vm.answer("fragmented", "")
    sync(vm, "given")
    mib = mib_back(vm, full, freed * SHARE)
    vm.check(mib >= freed * SHARE, f"of {freed} MiB in pieces {mib} have left the host")
    vm.answer("given", "")
