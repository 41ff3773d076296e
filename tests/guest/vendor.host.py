# SPDX-License-Identifier: GPL-2.0
"""The host's part of vendor.sh: is the memory really back, do the program's counters
agree with the guest's, does it answer."""

from control import ask, values
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
            vm.check(gone_mib(vm, full) < 8, "with a delay of ten minutes it stays")
            lines, end = request(vm)
            vm.check(end.startswith("ok"), f"a request is answered: {lines} {end}")
            back = gone_mib(vm, full)
            vm.check(back >= FILE_MIB * 0.9, f"requested: it has left the host ({back} MiB)")
        elif marker in ("critical", "none"):
            vm.check(ask(control, f"pressure {marker}")[1].startswith("ok"), f"pressure {marker}")
        elif marker in ("disable", "enable"):
            mode = "none" if marker == "disable" else "punch"
            vm.check(ask(control, f"discard {mode}")[1].startswith("ok"), f"discard {mode}")
        elif marker == "counters":
            break
        vm.answer(marker, "")
    counters = values(control, "counters")
    vm.check(int(counters["discarded_bytes"]) > 4 * FILE_MIB * MIB * MIB,
             f"discarded in all: {counters['discarded_bytes']}")
    vm.check(int(counters["refused_disabled_bytes"]) > 0, "refused while it was disabled")
    vm.check(int(counters["refused_granule_bytes"]) + int(counters["refused_range_bytes"])
             + int(counters["refused_error_bytes"]) == 0, f"nothing else was refused: {counters}")
    vm.answer("counters", "")
