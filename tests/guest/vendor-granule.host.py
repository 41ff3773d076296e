# SPDX-License-Identifier: GPL-2.0
"""The host's part of vendor-granule.sh: nothing came, and the program goes on."""

from control import ask, values
from hostside import sync


def run(vm):
    control = vm.backend.control
    sync(vm, "counters")
    counters = values(control, "counters")
    vm.check(counters["reports"] == "0", f"no report has come: {counters}")
    status = values(control, "status")
    vm.check(status["granule_bytes"] == str(1 << 30), f"the granule: {status['granule_bytes']}")
    end = ask(control, "request 4096 1")[1]
    vm.check(end.startswith("error"), f"a request is not answered, and that is said: {end}")
    vm.answer("counters", "")
