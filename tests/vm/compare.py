# SPDX-License-Identifier: GPL-2.0
"""The host's part of compare.sh and compare-oom.sh: does the same to each driver,
and compares what it sees."""

import time

import ballooning
from ballooning import MIB
from hostside import sync, until

PAGE = 4096
# What the guest is asked to have, bytes; far from whole pages in between
SIZES = (("down", 724 * MIB), ("to the same", 724 * MIB), ("up", 924 * MIB),
         ("to an odd size", 800 * MIB + 1234567), ("to a byte less", 800 * MIB + 1234566),
         ("by one page", 800 * MIB + 1234566 - PAGE), ("to all", 1024 * MIB),
         ("above all", 5000 * MIB), ("to half a page less than all", 1024 * MIB - 2048),
         ("to one page less than all", 1024 * MIB - PAGE))
REFUSED = (0, -1)
LITTLE = 16 * MIB     # less than any guest can do with
# Between the drivers; the figures below are bytes.
NEAR = {"stat-total-memory": 8 * MIB, "stat-free-memory": 64 * MIB,
        "stat-available-memory": 64 * MIB, "stat-disk-caches": 24 * MIB}
LITTLE_NEAR = 64 * MIB
# Statistics by the guest's own name, and the unit; those that only grow
COUNTERS = {
    "stat-swap-in": ("pswpin", PAGE), "stat-swap-out": ("pswpout", PAGE),
    "stat-major-faults": ("pgmajfault", 1), "stat-minor-faults": ("pgfault", 1),
    "stat-htlb-pgalloc": ("htlb_buddy_alloc_success", 1),
    "stat-htlb-pgfail": ("htlb_buddy_alloc_fail", 1),
    "stat-oom-kills": ("oom_kill", 1), "stat-alloc-stalls": ("allocstall_", 1),
    "stat-async-scans": ("pgscan_kswapd", PAGE), "stat-direct-scans": ("pgscan_direct", PAGE),
    "stat-async-reclaims": ("pgsteal_kswapd", PAGE),
    "stat-direct-reclaims": ("pgsteal_direct", PAGE),
}
RECLAIMED = ("stat-async-reclaims", "stat-direct-reclaims")


def wait(vm, seconds):
    """Waits, by the guest's clock; QEMU's timers for its devices go by the same."""
    vm.answer("wait", str(seconds))
    vm.wait_for("^waited$")


class Changes:
    """BALLOON_CHANGE events of a guest."""

    def __init__(self, vm):
        self.vm, self.before = vm, ballooning.actual(vm)

    def _seen(self):
        self.vm.qmp.execute("query-status")
        return [event["data"]["actual"] for event in self.vm.qmp.events
                if event["event"] == "BALLOON_CHANGE"]

    def last(self):
        """What the last one says, once no more can come; None without."""
        vm, now = self.vm, ballooning.actual(self.vm)
        # QEMU holds events back for a second, a busy machine for longer.
        if now != self.before:
            until(vm, lambda: self._seen()[-1:] == [now])
        # Where none may come a busy machine can only miss it.
        time.sleep(1.3)
        found, self.before = self._seen(), now
        vm.qmp.events = [event for event in vm.qmp.events if event["event"] != "BALLOON_CHANGE"]
        return found[-1] if found else None


def sizes(vm, seen, changes):
    """The balloon up and down: what QEMU and its monitor say, and the last event."""
    for name, size in SIZES:
        refused = ballooning.ask(vm, size)
        now = ballooning.wait_actual(vm, ballooning.expected(vm, size))
        seen[name] = (refused, changes.last(), ballooning.actual(vm))
        vm.check(seen[name][2] == now == ballooning.expected(vm, size),
                 f"{name}: the guest has {seen[name][2]} bytes")
    for size in REFUSED:
        refused = ballooning.ask(vm, size)
        seen[f"to {size}"] = (refused, changes.last(), ballooning.actual(vm))
    ballooning.ask(vm, 600 * MIB)
    ballooning.ask(vm, 900 * MIB)
    ballooning.wait_actual(vm, 900 * MIB)
    seen["to another size, before it has the first"] = (changes.last(), ballooning.actual(vm))
    said = ballooning.monitor(vm, "balloon 700")
    ballooning.wait_actual(vm, 700 * MIB)
    seen["by the monitor"] = (said, ballooning.monitor(vm, "info balloon"), changes.last())


def figures(vm):
    """The guest's own: (name -> number of /proc/vmstat, of /proc/meminfo in bytes)."""
    vm.answer("figures")
    begin = vm.wait_for("^figures-begin$")[0].time
    end = vm.wait_for("^figures-end$")[0].time
    vmstat, meminfo = {}, {}
    for line in list(vm.console.lines):
        words = line.text.split()
        if begin <= line.time <= end and line.text.startswith("vmstat "):
            vmstat[words[1]] = int(words[2])
        elif begin <= line.time <= end and line.text.startswith("meminfo "):
            meminfo[words[1]] = int(words[2]) * 1024
    return vmstat, meminfo


def counter(vmstat, name):
    """A counter, or the sum of those of all zones."""
    if name.endswith("_"):
        return sum(value for key, value in vmstat.items() if key.startswith(name))
    return vmstat.get(name, 0)


def check_figures(vm, driver, values, before, after):
    """Statistics are what the guest itself says at that time."""
    reclaimed = [values[name] for name in RECLAIMED if name in values]
    vm.check(any(reclaimed) or not reclaimed, f"{driver}: something was reclaimed {reclaimed}")
    for name, (own, unit) in COUNTERS.items():
        if name in values:
            low, high = counter(before[0], own) * unit, counter(after[0], own) * unit
            vm.check(low <= values[name] <= high,
                     f"{driver}: {name} {values[name]}, by the guest {low} to {high}")
    for name, own in (("stat-total-memory", "MemTotal"), ("stat-free-memory", "MemFree"),
                      ("stat-available-memory", "MemAvailable")):
        wrong = abs(values[name] - after[1][own])
        vm.check(wrong <= (0 if own == "MemTotal" else 16 * MIB),
                 f"{driver}: {name} {values[name]}, by the guest {after[1][own]}")


def updates_in(vm, seconds):
    """How many different statistics are seen in a time, those from before included."""
    updates = set()

    def over():
        updates.add(ballooning.stats(vm)[0])
        return any(line.text == "waited" for line in vm.console.lines[begin:])

    begin = len(vm.console.lines)
    vm.answer("wait", str(seconds))
    until(vm, over)
    vm.wait_for("^waited$")
    return len(updates)


def statistics(vm, driver, seen):
    """What the guest says of itself, with a balloon and without."""
    vm.answer("settle")  # what is cached is history
    vm.wait_for("^settled$")
    ballooning.poll_stats(vm, 1)
    for name, size in (("with 300 MiB", 724), ("without", 1024)):
        ballooning.ask(vm, size * MIB)
        ballooning.wait_actual(vm, size * MIB)
        wait(vm, round(vm.slow))
        before = figures(vm)
        values = ballooning.fresh_stats(vm)
        if not vm.check(values is not None, f"{driver}: statistics come, {name}"):
            continue
        check_figures(vm, driver, values, before, figures(vm))
        seen[f"names of statistics {name}"] = sorted(values)
        seen[f"statistics {name}"] = values
    # As often as asked for, and no more
    ballooning.poll_stats(vm, 4)
    updates = updates_in(vm, 13)
    vm.check(3 <= updates <= 5, f"{driver}: every four seconds ({updates} in 13 s)")
    ballooning.poll_stats(vm, 0)
    wait(vm, 1)
    last, _ = ballooning.stats(vm)
    wait(vm, 5)
    seen["statistics after polling ended"] = ballooning.stats(vm)[0] - last


def little(vm, driver, seen, changes):
    """More is asked for than the guest can give; then it gets all back."""
    # Something that can be reclaimed, so that statistics have something to tell
    vm.answer("cache")
    vm.wait_for("^cached$")
    ballooning.ask(vm, LITTLE)
    # The kernel's own takes all there is, until the guest dies of it: not for long.
    left = ballooning.wait_still(vm, 1 if driver == "virtio_balloon" else 5)
    vm.check(LITTLE < left < 256 * MIB, f"{driver}: asked for nearly all, it keeps {left // MIB} MiB")
    seen["what it keeps"] = left
    ballooning.ask(vm, 1024 * MIB)
    ballooning.wait_actual(vm, 1024 * MIB)
    seen["all again"] = (ballooning.actual(vm), changes.last())


def memory_runs_out(vm, driver, seen):
    """A program needs what is in the balloon: it gets that, and lives."""
    ballooning.ask(vm, 424 * MIB)
    ballooning.wait_actual(vm, 424 * MIB)
    vm.answer("hog")
    _, found = vm.wait_for(r"^hog-(good|bad)$")
    wait(vm, 3)
    seen["a program that needs it"] = found.group(1)
    grown = ballooning.actual(vm) - 424 * MIB
    seen["the balloon has shrunk then"] = grown > 0
    vm.check(True, f"{driver}: {grown // MIB} MiB of the balloon were given back")
    ballooning.ask(vm, 524 * MIB)
    ballooning.wait_actual(vm, 524 * MIB)
    seen["and follows the host again"] = ballooning.actual(vm)


def drive(vm, driver):
    """All of it with one driver; name -> what was seen."""
    seen = {}
    changes = Changes(vm)
    changes.last()
    sizes(vm, seen, changes)
    little(vm, driver, seen, changes)
    statistics(vm, driver, seen)
    if "deflate-on-oom" in vm.balloon:
        memory_runs_out(vm, driver, seen)
    ballooning.ask(vm, 800 * MIB)
    ballooning.wait_actual(vm, 800 * MIB)
    return seen


def compare(vm, stock, fpr):
    """A point for each thing that was seen."""
    for name, value in stock.items():
        other = fpr.get(name)
        if name.startswith("names of"):
            missing = sorted(set(value) - set(other or ()))
            vm.check(not missing, f"{name}: {len(other or ())} of {len(value)}, without {missing}")
        elif isinstance(value, dict):
            for key, near in NEAR.items():
                vm.check(other and abs(value[key] - other[key]) <= near,
                         f"{name}, {key}: {value[key]} and {other and other[key]}")
        elif name == "what it keeps":
            vm.check(other and abs(value - other) <= LITTLE_NEAR, f"{name}: {value} and {other}")
        else:
            vm.check(value == other, f"{name}: {value} and {other}")


def run(vm):
    seen = []
    for driver in ("virtio_balloon", "virtio_fpr"):
        sync(vm, driver)
        seen.append(drive(vm, driver))
        vm.answer("done")
    compare(vm, *seen)
