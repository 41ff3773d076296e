# SPDX-License-Identifier: GPL-2.0
"""What the host sees of a guest's memory: when it has settled, how fast it
falls, how many discards QEMU made for it.

Discards are counted where they happen, in QEMU's own trace of
ram_block_discard_range or by the program that serves the device, not by anything
that the guest says.
"""

import bisect
import collections
import datetime
import os
import re
import threading
import time

from control import values
from vm import SHARED, VMError

# QEMU 7.2: "PID@SECONDS:ram_block_discard_range ..."; QEMU 11 has another name for
# the event, and begins with "2026-01-02T03:04:05.678901Z ".
EVENT = "ram_block_discard_*range"
DISCARD = re.compile(r"(?:@(\d+\.\d+):|^(\S+)Z )ram_block_discard_(?:shared_)?range \S+ ?"
                     r"\+ 0x([0-9a-f]+):.* ret: (-?\d+)")


def trace_args(path):
    """QEMU arguments that write each discard to a file, with the time."""
    return ["-msg", "timestamp=on", "-D", path, "-trace", f"enable={EVENT}"]


def parse_discard(line):
    """(seconds since the epoch, bytes) of a discard that was made, or None."""
    match = DISCARD.search(line)
    if not match or match.group(4) != "0":
        return None
    seconds = match.group(1) or datetime.datetime.fromisoformat(
        match.group(2) + "+00:00").timestamp()
    return float(seconds), int(match.group(3), 16)


class Discards:
    """Reads the trace as it grows."""

    def __init__(self, path):
        self._path = path
        self._offset = 0
        self._rest = ""
        self._to_monotonic = time.monotonic() - time.time()
        self.times, self.sizes = [], []

    def update(self):
        """Takes in what is new; returns how many there are."""
        try:
            with open(self._path, encoding="ascii", errors="replace") as file:
                file.seek(self._offset)
                text = self._rest + file.read()
                self._offset = file.tell()
        except FileNotFoundError:
            return 0
        lines = text.split("\n")
        self._rest = lines.pop()
        for line in lines:
            discard = parse_discard(line)
            if discard:
                self.times.append(discard[0] + self._to_monotonic)
                self.sizes.append(discard[1])
        return len(self.times)

    def since(self, begin, end=float("inf")):
        """(number, bytes) of the discards from then on."""
        self.update()
        first, last = (bisect.bisect_left(self.times, when) for when in (begin, end))
        return last - first, sum(self.sizes[first:last])


class ProgramDiscards:
    """The same from the counters of a backend, each time they are looked at."""

    def __init__(self, control):
        self._control = control
        self._seen = [(0.0, 0, 0)]  # time, ranges, bytes
        self.times = []

    def update(self):
        """Looks; returns how many there are."""
        counters = values(self._control, "counters")
        ranges, size = int(counters["ranges"]), int(counters["discarded_bytes"])
        if (ranges, size) != self._seen[-1][1:]:
            self.times.append(time.monotonic())
            self._seen.append((self.times[-1], ranges, size))
        return ranges

    def since(self, begin):
        """(number, bytes) of the discards since the last look before then."""
        self.update()
        _, ranges, size = [seen for seen in self._seen if seen[0] < begin][-1]
        return self._seen[-1][1] - ranges, self._seen[-1][2] - size


def memfd_kib(pid):
    """What the memfds of a process have of the host's memory, whoever maps them."""
    kib = {}
    folder = f"/proc/{pid}/fd"
    for name in os.listdir(folder):
        path = os.path.join(folder, name)
        try:
            if os.readlink(path).startswith("/memfd:"):
                file = os.stat(path)
                kib[file.st_ino] = file.st_blocks // 2
        except FileNotFoundError:
            continue
    return sum(kib.values())


def mapped_kib(smaps, size_kib):
    """What of a mapping of that size is there, by the text of /proc/PID/smaps."""
    sizes = re.findall(r"^Size: +(\d+) kB$.*?^Rss: +(\d+) kB$", smaps, re.MULTILINE | re.DOTALL)
    return max((int(rss) for size, rss in sizes if int(size) == size_kib), default=None)


def ram_kib(vm):
    """The guest's own memory on the host.  All of QEMU's (vm.memory_kib()) has with it
    what the emulator keeps: it grows with the code that it has translated."""
    if vm.backing in SHARED:
        return memfd_kib(vm.proc.pid)
    with open(f"/proc/{vm.proc.pid}/smaps", encoding="utf-8", errors="replace") as file:
        kib = mapped_kib(file.read(), vm.mem_mib * 1024)
    if kib is None:
        raise VMError(f"QEMU has no mapping of {vm.mem_mib} MiB")
    return kib


# A sample, and what the guest said of its free memory then: KiB, one number or more
Tick = collections.namedtuple("Tick", "time kib free")


class RamSampler:
    """Samples that while it is entered, whenever the guest prints "tick SECONDS KIB...";
    the time of a sample is the guest's.  That is its own where it is emulated by counting
    instructions, and the same as here, but for a constant, where it is not."""

    def __init__(self, vm):
        self._vm = vm
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._sample, daemon=True)
        self.samples = []

    def _sample(self):
        seen = len(self._vm.console.lines)
        while not self._end.is_set():
            console = self._vm.console
            with console.changed:
                console.changed.wait_for(lambda: len(console.lines) > seen, 0.5)
                new, seen = console.lines[seen:], len(console.lines)
            ticks = [line.text.split()[1:] for line in new
                     if re.match(r"tick [\d.]+( \d+)+$", line.text)]
            try:
                # Of several the last: the others have gone by
                if ticks:
                    self.samples.append(Tick(float(ticks[-1][0]), ram_kib(self._vm),
                                             tuple(map(int, ticks[-1][1:]))))
            except (OSError, VMError):
                return  # the guest has gone

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_exc):
        self._end.set()
        self._thread.join()


def gib_min(samples, begin, end):
    """Memory times time between two times, GiB*min: a sample counts until the next,
    the last of them to the end, the first from the beginning."""
    inside = [sample for sample in samples if sample.time < end]
    total = 0.0
    for index, sample in enumerate(inside):
        since = begin if index == 0 else max(begin, sample.time)
        until = inside[index + 1].time if index + 1 < len(inside) else end
        total += sample.kib * max(0.0, until - since)
    return total / 2**20 / 60


def spread(samples, since):
    """Largest difference in KiB among the samples from `since` on."""
    values = [sample.kib for sample in samples[-20000:] if sample.time >= since]
    return max(values) - min(values) if values else 0


def wait_flat(vm, discards, flat_s, limit_s, tolerance_kib=4096, progress=None):
    """Waits until the memory has stayed as it is and no discard was made for
    flat_s seconds.  Returns False when that has not come within limit_s."""
    begin = quiet_since = time.monotonic()
    count = discards.update()
    told = begin
    while True:
        time.sleep(0.1)
        now = time.monotonic()
        if discards.update() != count or spread(vm.samples, max(begin, now - flat_s)) > tolerance_kib:
            count = discards.update()
            quiet_since = now
        if now - quiet_since >= flat_s and now - begin >= flat_s:
            return True
        if now - begin > limit_s or not vm.running():
            return False
        if progress and now - told >= 5:
            told = now
            progress(f"{vm.samples[-1].kib // 1024} MiB, {count} discards so far")


def level(samples, begin, end):
    """Median memory between two times, KiB."""
    values = sorted(sample.kib for sample in samples if begin <= sample.time <= end)
    return values[len(values) // 2] if values else 0


def time_back(samples, begin, start_kib, size_kib, share):
    """When that share of size_kib had come off start_kib, or None."""
    goal = start_kib - share * size_kib
    for sample in samples:
        if sample.time >= begin and sample.kib <= goal:
            return sample.time
    return None
