# SPDX-License-Identifier: GPL-2.0
"""The host's balloon, for tests in which the guest says what is asked of it
(tests/guest/balloon-lib.sh).

serve() answers these markers of host_sync until "over" comes:

target-KIB    asks for a balloon of that size; answers at once
reached-KIB   waits until `actual` says exactly that; a point, and answers it
late-KIB      the guest has not reached that in time, by its own clock; the same point
short-KIB     the balloon stands still below that, as the guest says; a point of what
              `actual` says, and answers that
actual        answers the KiB that `actual` says
memory        answers the KiB that the guest occupies on the host
trace         from now on QEMU writes down what it discards
discards      no longer: answers the KiB discarded since, and those of them that
              were in pieces of 2 MiB or more
"""

import os
import re
import tempfile

import ballooning
from hostside import MIB, until

# Whatever the version of QEMU; see footprint.py
EVENT = re.compile(r"ram_block_discard_(?:shared_)?range \S+ ?\+ 0x([0-9a-f]+):")
PIECE = 2 << 20


def all_kib(vm):
    """The memory that a balloon is taken from, as QEMU has it: what virtio-mem has
    added does not count."""
    size = vm.qmp.execute("query-memory-size-summary")["base-memory"]
    size += sum(device["data"]["size"] for device in vm.qmp.execute("query-memory-devices")
                if device["type"] == "dimm")
    return size // 1024


def target(vm, kib):
    """Asks for a balloon of that size."""
    ballooning.ask(vm, (all_kib(vm) - kib) * 1024)


def actual(vm):
    """KiB in the balloon, as the guest has told the host."""
    return all_kib(vm) - ballooning.actual(vm) // 1024


def statistics(vm):
    """Statistics that arrive after polling has begun, twice; None if they do not."""
    ballooning.poll_stats(vm, 1)
    return ballooning.fresh_stats(vm)


def reached(vm, kib):
    until(vm, lambda: actual(vm) == kib)
    return late(vm, kib)


def late(vm, kib):
    got = actual(vm)
    vm.check(got == kib, f"actual: a balloon of {kib} KiB in time (got {got})")
    return str(got)


def short(vm, kib):
    got = actual(vm)
    vm.check(0 < got < kib, f"actual stands still short of {kib} KiB ({got // MIB} MiB)")
    return str(got)


def asked(vm, kib):
    target(vm, kib)
    return ""


HANDLERS = {
    "target": asked,
    "reached": reached,
    "late": late,
    "short": short,
    "actual": lambda vm, _: str(actual(vm)),
    "memory": lambda vm, _: str(vm.memory_kib()),
}


def set_trace(vm, enable):
    vm.qmp.execute("trace-event-set-state", name="ram_block_discard_*range", enable=enable)


def tracing(path):
    """The handlers of trace and discards; path: of QEMU's log."""
    def trace(vm, _):
        vm.qmp.execute("human-monitor-command", command_line=f"logfile {path}")
        set_trace(vm, True)
        return ""

    def discards(vm, _):
        set_trace(vm, False)
        with open(path, encoding="ascii", errors="replace") as file:
            sizes = [int(size, 16) for size in EVENT.findall(file.read())]
        return f"{sum(sizes) >> 10} {sum(size for size in sizes if size >= PIECE) >> 10}"

    return {"trace": trace, "discards": discards}


def serve(vm, **more):
    """Answers the guest until it says "over".  more: what else it may ask for, as
    NAME=function(vm, number), which returns the answer, or None where it has
    answered by itself."""
    with tempfile.TemporaryDirectory(prefix="fpr-trace-") as folder:
        handlers = {**HANDLERS, **tracing(os.path.join(folder, "log")), **more}
        while True:
            _, match = vm.wait_for(r"^sync (([a-z_]+)(?:-(\d+))?)$")
            marker, name, number = match.groups()
            if name == "over":
                vm.answer(marker)
                return
            text = handlers[name](vm, int(number or 0))
            if text is not None:
                vm.answer(marker, text)
