# SPDX-License-Identifier: GPL-2.0
"""A guest that gives back all that waits, by "fprctl flush": how long that takes,
beside what discarding as much memory takes on this machine by itself.

The guest's part is SCRIPT, for a script that has loaded fpr; its reporting waits
for ten minutes by itself, so whatever comes back comes for the flush.
"""

import time

import punch
from vm import VMError

MIB = 1024 * 1024
STAYS_S, STAYS_KIB = 2, 8 * 1024  # nothing comes back by itself: for so long, but for this

SCRIPT = """
fpr_set delay_ms 600000
fillfile /tmp/file {size} || bail "cannot fill {size} MiB"
echo flush-begin
fprctl flush || bail "fprctl flush"
echo flush-end
fprctl flush || bail "fprctl flush, again"
echo flush-idle-end
"""


def measure(vm, size_mib, discards, say):
    """name -> (value, unit)."""
    vm.wait_for(r"^filled$", 300)
    full = vm.memory_kib()
    vm.send("delete")
    vm.wait_for(r"^delete-end$", 120)
    time.sleep(STAYS_S)
    if full - vm.memory_kib() > STAYS_KIB:
        raise VMError(f"{(full - vm.memory_kib()) // 1024} MiB of {size_mib} came back before "
                      "the flush")
    discards.update()
    vm.send("done")
    begin = vm.wait_for(r"^flush-begin$", 60)[0].time
    end = vm.wait_for(r"^flush-end$", 120)[0].time
    back_mib = (full - vm.memory_kib()) / 1024
    number, size = discards.since(begin)
    idle = vm.wait_for(r"^flush-idle-end$", 60)[0].time - end
    if back_mib < 0.9 * size_mib or size < 0.9 * size_mib * MIB:
        raise VMError(f"the flush brought {back_mib:.0f} MiB of {size_mib}")
    bare_s, _ = punch.measure(size, number, vm.backing)
    say(f"flush: {back_mib:.0f} MiB in {end - begin:.2f} s, {idle:.2f} s with nothing to give; "
        f"{number} bare discards take {bare_s:.2f} s")
    return {"flush_s": (end - begin, "s"), "flush_idle_s": (idle, "s"),
            "flush_bare_s": (bare_s, "s"), "flush_over_bare_s": (end - begin - bare_s, "s"),
            "flush_discards": (number, ""), "flush_discarded_mib": (size / MIB, "MiB")}
