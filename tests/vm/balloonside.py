# SPDX-License-Identifier: GPL-2.0
"""The host's balloon, for tests in which the guest says what is asked of it
(tests/guest/balloon-lib.sh).

serve() answers these markers of host_sync until "over" comes:

target-KIB    asks for a balloon of that size; answers at once
reached-KIB   waits until `actual` says exactly that; a point, and answers it
past-KIB      waits until `actual` says at least that, and answers what it says
short-KIB     waits until `actual` has stood still for a while, below that; a
              point, and answers what it says
actual        answers the KiB that `actual` says
memory        answers the KiB that the guest occupies on the host
"""

import time

from hostside import MIB

STILL_S = 2


def balloon_path(vm):
    """QOM path of the one balloon device; LookupError without one."""
    for kind in ("peripheral-anon", "peripheral"):
        for item in vm.qmp.execute("qom-list", path=f"/machine/{kind}"):
            if item["type"].startswith("child<virtio-balloon-pci"):
                return f"/machine/{kind}/{item['name']}"
    raise LookupError("no balloon device")


def all_kib(vm):
    """The memory that the guest has without a balloon."""
    info = vm.qmp.execute("query-memory-size-summary")
    return (info["base-memory"] + info.get("plugged-memory", 0)) // 1024


def target(vm, kib):
    """Asks for a balloon of that size."""
    vm.qmp.execute("balloon", value=(all_kib(vm) - kib) * 1024)


def actual(vm):
    """KiB in the balloon, as the guest has told the host."""
    return all_kib(vm) - vm.qmp.execute("query-balloon")["actual"] // 1024


def wait_actual(vm, good, timeout_s):
    """Waits until good(KiB in the balloon); returns what it was last."""
    end = time.monotonic() + timeout_s * vm.slow
    while True:
        kib = actual(vm)
        if good(kib) or time.monotonic() > end or not vm.running():
            return kib
        time.sleep(0.05)


def wait_still(vm, timeout_s):
    """Waits until `actual` has not changed for a while; returns it."""
    end = time.monotonic() + timeout_s * vm.slow
    kib, since = actual(vm), time.monotonic()
    while time.monotonic() < min(end, since + STILL_S * vm.slow):
        time.sleep(0.1)
        now = actual(vm)
        if now != kib:
            kib, since = now, time.monotonic()
    return kib


def statistics(vm, timeout_s=20):
    """Statistics that arrive after polling has begun, and once more, which proves
    that the queue goes on working; None if they do not."""
    path = balloon_path(vm)
    vm.qmp.execute("qom-set", path=path, property="guest-stats-polling-interval", value=1)
    end = time.monotonic() + timeout_s * vm.slow
    first = 0
    while time.monotonic() < end:
        stats = vm.qmp.execute("qom-get", path=path, property="guest-stats")
        if first and stats["last-update"] > first:
            return stats["stats"]
        first = first or stats["last-update"]
        time.sleep(0.2)
    return None


def reached(vm, kib):
    got = wait_actual(vm, lambda now: now == kib, 50)
    vm.check(got == kib, f"actual: a balloon of {kib} KiB (got {got})")
    return str(got)


def past(vm, kib):
    return str(wait_actual(vm, lambda now: now >= kib, 50))


def short(vm, kib):
    got = wait_still(vm, 50)
    vm.check(0 < got < kib, f"actual stands still short of {kib} KiB ({got // MIB} MiB)")
    return str(got)


def asked(vm, kib):
    target(vm, kib)
    return ""


HANDLERS = {
    "target": asked,
    "reached": reached,
    "past": past,
    "short": short,
    "actual": lambda vm, _: str(actual(vm)),
    "memory": lambda vm, _: str(vm.memory_kib()),
}


def serve(vm, **more):
    """Answers the guest until it says "over".  more: what else it may ask for, as
    NAME=function(vm, number), which returns the answer, or None where it has
    answered by itself."""
    handlers = {**HANDLERS, **more}
    while True:
        _, match = vm.wait_for(r"^sync (([a-z_]+)(?:-(\d+))?)$", vm.time_limit_s)
        marker, name, number = match.groups()
        if name == "over":
            vm.answer(marker)
            return
        text = handlers[name](vm, int(number or 0))
        if text is not None:
            vm.answer(marker, text)
