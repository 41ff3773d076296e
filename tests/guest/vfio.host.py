# SPDX-License-Identifier: GPL-2.0
"""The host's part of vfio.sh: is the memory really back, do the program's counters
agree with the guest's, does it answer."""

from control import values
from hostside import MIB, gone_mib, mib_back, request

FILE_MIB = 256


def run(vm):
    control = vm.backend.control
    full = 0
    while True:
        _, match = vm.wait_for(r"^sync (\w+)$")
        marker = match.group(1)
        if marker == "filled":
            full = vm.memory_kib()
        elif marker == "freed":
            back = mib_back(vm, full, FILE_MIB * 0.9)
            vm.check(back >= FILE_MIB * 0.9, f"freed: it has left the host ({back} MiB)")
        elif marker == "request":
            lines, end = request(vm)
            vm.check(end.startswith("ok"), f"a request is answered: {lines} {end}")
            back = gone_mib(vm, full)
            vm.check(back >= FILE_MIB * 0.9, f"requested: it has left the host ({back} MiB)")
        elif marker == "counters":
            break
        vm.answer(marker, "")
    counters = values(control, "counters")
    vm.check(int(counters["discarded_bytes"]) > 2 * FILE_MIB * MIB * MIB * 0.9,
             f"discarded in all: {counters['discarded_bytes']}")
    vm.answer("counters", "")
