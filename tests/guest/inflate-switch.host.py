# SPDX-License-Identifier: GPL-2.0
"""The host's part of inflate-switch.sh: QEMU's figure of the balloon agrees,
whichever driver has it."""

import time

import ballooning
from ballooning import MIB
from hostside import sync

RACE_ROUNDS = 15  # of two seconds


def agrees(vm, marker, mib):
    """At this point QEMU says that the balloon has so much."""
    sync(vm, marker)
    found = ballooning.wait_actual(vm, (vm.mem_mib - mib) * MIB)
    vm.check(found == (vm.mem_mib - mib) * MIB, f"{marker}: QEMU says {found // MIB} MiB")
    vm.answer(marker)


def inflate(vm, marker, mib):
    """The host asks for a balloon of that size, and gets it."""
    sync(vm, marker)
    size = (vm.mem_mib - mib) * MIB
    ballooning.ask(vm, size)
    found = ballooning.wait_actual(vm, size)
    vm.check(found == size, f"{marker}: QEMU says {found // MIB} MiB")
    vm.answer(marker)


def is_at(vm, marker):
    """Whether the guest has come to that point."""
    return any(line.text == f"sync {marker}" for line in vm.console.lines[-50:])


def run(vm):
    inflate(vm, "inflate", 300)
    agrees(vm, "taken", 300)
    agrees(vm, "given", 300)
    sync(vm, "race")
    vm.answer("race")
    seen = set()
    # Then it has made up its mind, so that fprctl, which waits for as long as the balloon
    # comes nearer to what is asked for, comes to an end.
    for _ in range(RACE_ROUNDS):
        if not vm.running() or is_at(vm, "raced"):
            break
        for mib in (100, 400, 0, 250):
            ballooning.ask(vm, (vm.mem_mib - mib) * MIB)
            time.sleep(0.5)
            seen.add(ballooning.balloon_mib(vm))
    vm.check(len(seen) > 3, f"the balloon was of {len(seen)} sizes meanwhile")
    inflate(vm, "raced", 200)
    inflate(vm, "empty", 0)
