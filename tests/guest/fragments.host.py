# SPDX-License-Identifier: GPL-2.0
"""The host's part of fragments.sh."""

import re
import time

from hostside import MIB, mib_back, sync

COLD_S = 2 + 5  # cold_ms, and as long as it may take then
SHARE = 0.9


def run(vm):
    sync(vm, "fragmented", 300)
    freed = [int(line.text.split()[2]) for line in vm.console.lines
             if re.search(r"^# freed \d+ MiB in pieces", line.text)][-1]
    full = vm.memory_kib()
    vm.check(full > freed * MIB, f"the guest has its memory ({full // MIB} MiB)")
    vm.answer("fragmented", "")
    begin = time.monotonic()
    sync(vm, "given")
    # A machine that does other things as well may take longer.
    mib = mib_back(vm, full, freed * SHARE, 4 * COLD_S)
    vm.check(mib >= freed * SHARE, f"of {freed} MiB in pieces {mib} have left the host, "
             f"in {time.monotonic() - begin:.1f} s")
    vm.answer("given", "")
