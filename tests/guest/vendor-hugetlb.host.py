# SPDX-License-Identifier: GPL-2.0
"""The host's part of vendor-hugetlb.sh: its pool of huge pages."""

import hugepages
from control import values
from hostside import request, sync, until

FILE_PAGES = 200 // hugepages.PAGE_MIB


def pages_free():
    """Huge pages that anybody on the host may have."""
    return hugepages.count("free_hugepages") - hugepages.count("resv_hugepages")


def pages_more(vm, before, enough):
    """How many more there are than before; waits until it is enough."""
    until(vm, lambda: pages_free() - before >= enough)
    return pages_free() - before


def check_freed(vm, marker, ask_for_it):
    """The guest fills memory and frees it: its pages are in the pool again."""
    sync(vm, "filled")
    full = pages_free()
    vm.answer("filled", "")
    sync(vm, marker)
    if ask_for_it:
        lines, end = request(vm)
        vm.check(end == "ok", f"a request is answered: {lines} {end}")
    more = pages_more(vm, full, FILE_PAGES * 0.9)
    vm.check(more >= FILE_PAGES * 0.9, f"{marker}: {more} of {FILE_PAGES} pages are free")
    vm.answer(marker, "")


def run(vm):
    check_freed(vm, "freed", False)
    status = values(vm.backend.control, "status")
    vm.check(int(status["granule_bytes"]) == 2 << 20, f"granule: {status['granule_bytes']}")
    check_freed(vm, "requested", True)
    sync(vm, "counters")
    counters = values(vm.backend.control, "counters")
    refused = {key: value for key, value in counters.items() if key.startswith("refused_")}
    vm.check(set(refused.values()) == {"0"}, f"nothing was refused: {refused}")
    vm.answer("counters", "")
