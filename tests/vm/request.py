# SPDX-License-Identifier: GPL-2.0
"""A host that asks a guest for its free memory, now: how long it takes until the
guest's answer, how fast that is, and whether all sides count the same.

The guest's part is SCRIPT, for a script that has loaded fpr; its reporting waits
for ten minutes by itself, so whatever comes back comes for the request.
"""

import statistics
import time

import punch
from control import ask, values
from footprint import memfd_kib
from parts import stat
from vm import VMError

MIB, GIB = 1024 * 1024, 1024 * 1024 * 1024
STAYS_S, STAYS_KIB = 2, 8 * 1024  # nothing comes back by itself: for so long, but for this
ANSWER_S = 60

SCRIPT = """
dev=$(echo /sys/bus/virtio/drivers/virtio_fpr_vendor/virtio*/fpr)
counters() {{ echo "counters $(fpr stats/reported_bytes) $(cat "$dev/discarded_bytes")"; }}
fpr_set delay_ms 600000
while [ "$(host_sync round 600)" = more ]; do
	fpr_set flush 1
	counters
	fillfile /tmp/file {size} || bail "cannot fill {size} MiB"
	counters
done
"""


class View:
    """What the host sees and what the program counts at one moment."""

    def __init__(self, vm):
        self.qemu_kib = vm.memory_kib()
        self.memfd_kib = memfd_kib(vm.proc.pid)
        self.cpu_s = stat(vm.backend.pid)[1]
        self.program = {name: int(value) for name, value in
                        values(vm.backend.control, "counters").items()}

    def more(self, before, name):
        """By how much a counter of the program has grown since."""
        return self.program[name] - before.program[name]


def guest_counters(vm):
    """(reported, discarded) bytes as the guest has them."""
    _, match = vm.wait_for(r"^counters (\d+) (\d+)$", 120)
    return int(match.group(1)), int(match.group(2))


def fill_and_free(vm, size_mib):
    """The guest has a file and deletes it, and keeps the memory: the view then."""
    vm.wait_for(r"^filled$", 300)
    full = vm.memory_kib()
    vm.send("delete")
    vm.wait_for(r"^delete-end$", 120)
    time.sleep(STAYS_S)
    view = View(vm)
    if full - view.qemu_kib > STAYS_KIB:
        raise VMError(f"{(full - view.qemu_kib) // 1024} MiB of {size_mib} came back before "
                      "the host had asked")
    return view


def one_round(vm, size_mib, smallest):
    """Fills, deletes, asks for pieces from smallest ("2M") on, and waits until the
    guest is idle; name -> value."""
    vm.answer("round", "more")
    reported, counted = guest_counters(vm)
    before = fill_and_free(vm, size_mib)
    begin = time.monotonic()
    lines, end = ask(vm.backend.control, f"request {smallest} {ANSWER_S}", ANSWER_S + 10)
    seconds = time.monotonic() - begin
    after = View(vm)
    if end != "ok":
        raise VMError(f"the request was not answered: {' '.join(lines)} {end}")
    vm.send("done")
    reported_after, counted_after = guest_counters(vm)
    vm.wait_for(r"^sync round$", 60)
    size, ranges = after.more(before, "discarded_bytes"), after.more(before, "ranges")
    if size < 0.9 * size_mib * MIB:
        raise VMError(f"the request brought {size // MIB} MiB of {size_mib}")
    counts = (size, reported_after - reported, counted_after - counted)
    punch_s, punch_cpu_s = punch.measure(size, ranges)
    return {
        "request_s": seconds,
        "request_discard_s": after.more(before, "reports_us") / 1e6,
        "request_cpu_s": after.cpu_s - before.cpu_s,
        "request_gib_per_s": size / GIB / seconds,
        "request_reports": after.more(before, "reports"),
        "request_ranges": ranges,
        "request_program_mib": size / MIB,
        "request_reported_mib": counts[1] / MIB,
        "request_answered_mib": counts[2] / MIB,
        "request_differ_bytes": max(counts) - min(counts),
        "request_memfd_mib": (before.memfd_kib - after.memfd_kib) / 1024,
        "request_qemu_mib": (before.qemu_kib - after.qemu_kib) / 1024,
        "punch_gib_per_s": size / GIB / punch_s,
        "punch_cpu_s": punch_cpu_s,
        # Of one round: what else this machine does changes.
        "request_vs_punch": punch_s / seconds,
    }


def unit(name):
    """That of a value, from its name."""
    last = name.split("_")[-1]
    return "GiB/s" if name.endswith("gib_per_s") else {"mib": "MiB", "punch": "x"}.get(last, last)


def measure(vm, size_mib, smallest, rounds, say):
    """name -> (median of the rounds, unit)."""
    results = []
    vm.wait_for(r"^sync round$", 60)
    for number in range(rounds):
        results.append(one_round(vm, size_mib, smallest))
        last = results[-1]
        say(f"request {number + 1}: {last['request_program_mib']:.0f} MiB in "
            f"{last['request_s']:.2f} s, {last['request_discard_s']:.2f} s of it discarding "
            f"{last['request_ranges']} ranges; {last['request_gib_per_s']:.2f} GiB/s, "
            f"a bare punch-hole {last['punch_gib_per_s']:.2f} GiB/s")
    vm.answer("round", "end")
    return {name: (statistics.median(result[name] for result in results), unit(name))
            for name in results[0]}
