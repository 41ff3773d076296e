# SPDX-License-Identifier: GPL-2.0
"""The host's side of a balloon, through QMP and HMP: for the host's parts of guest
tests."""

import time

from hostside import until
from qmp import QMPError

MIB = 1 << 20
ABSENT = 2**64 - 1  # what QEMU says of a figure that the guest did not give


def device_path(vm):
    """QOM path of the one balloon device."""
    for kind in ("peripheral-anon", "peripheral"):
        for item in vm.qmp.execute("qom-list", path=f"/machine/{kind}"):
            if item["type"].startswith("child<virtio-balloon-pci"):
                return f"/machine/{kind}/{item['name']}"
    raise LookupError("no balloon device")


def actual(vm):
    """Memory that QEMU says the guest has, bytes."""
    return vm.qmp.execute("query-balloon")["actual"]


def balloon_mib(vm):
    """Size of the balloon by that, MiB."""
    return vm.mem_mib - actual(vm) // MIB


def ask(vm, size):
    """Asks the guest to have so much memory, bytes; "" or what QEMU says against it."""
    try:
        vm.qmp.execute("balloon", value=size)
        return ""
    except QMPError as err:
        return str(err)


def monitor(vm, line):
    """What the human monitor says to a line."""
    return vm.qmp.execute("human-monitor-command", command_line=line).strip()


def expected(vm, size):
    """What query-balloon has to say after ask(vm, size): whole pages of 4 KiB."""
    whole = vm.mem_mib * MIB
    return whole - max(0, whole - size) // 4096 * 4096


def wait_actual(vm, size):
    """Waits until QEMU says that the guest has so much; what it says in the end."""
    until(vm, lambda: actual(vm) == size)
    return actual(vm)


def wait_still(vm, quiet_s=5):
    """Waits until the balloon has not changed for a while; what QEMU says then.  The
    while is in looks, of which a busy machine takes as many, later: but a guest that it
    does not run at all, and nothing else, stands still too."""
    last, looks = actual(vm), 0
    while looks < quiet_s * 10 * vm.slow:
        time.sleep(0.1)
        now = actual(vm)
        looks = looks + 1 if now == last else 0
        last = now
    return last


def poll_stats(vm, seconds):
    """Sets how often QEMU asks the guest for statistics; 0: never."""
    vm.qmp.execute("qom-set", path=device_path(vm), property="guest-stats-polling-interval",
                   value=seconds)


def stats(vm):
    """(time of the last update, {name: value} of what the guest gave)."""
    found = vm.qmp.execute("qom-get", path=device_path(vm), property="guest-stats")
    return found["last-update"], {name: value for name, value in found["stats"].items()
                                  if value != ABSENT and value != -1}


def fresh_stats(vm):
    """Statistics that the guest collected after this call; None if none come."""
    begin, _ = stats(vm)
    updates = {}

    # The buffer that is under way now may have been filled before.
    def two():
        when, values = stats(vm)
        if when > begin:
            updates[when] = values
        return len(updates) >= 2

    return updates[max(updates)] if until(vm, two) else None
