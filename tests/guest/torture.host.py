# SPDX-License-Identifier: GPL-2.0
"""The host's part of torture.sh: plugs and unplugs what the guest asks for."""

import re

import balloonside
from hostside import MIB, add_dimm
from qmp import QMPError
from vm import KERNEL, VMError


def plug(vm, number):
    vm.qmp.execute("device_add", **{"driver": "virtio-balloon-pci", "id": f"b{number}",
                                    "bus": "port0", "free-page-reporting": True,
                                    "deflate-on-oom": True})


def unplug(vm, number):
    """Takes the balloon device away; the event comes for its parts too."""
    vm.qmp.execute("device_del", id=f"b{number}")
    while vm.qmp.wait_event("DEVICE_DELETED")["data"].get("device") != f"b{number}":
        pass


def resize(vm, mib):
    vm.qmp.execute("qom-set", path="/machine/peripheral/vmem0", property="requested-size",
                   value=mib * MIB * 1024)


def balloon(vm, kib):
    """Asks for a balloon; there is no device where it is unplugged."""
    try:
        balloonside.target(vm, kib)
    except QMPError:
        return


def wake(vm):
    """Wakes the guest if it sleeps, until it says that it is awake."""
    while True:
        try:
            vm.wait_for(r"^sync awake$", 1)
            return
        except VMError:
            if not vm.running():
                raise
        # The event comes before it can be woken, and once; so not by that.
        if vm.qmp.execute("query-status")["status"] == "suspended":
            vm.qmp.execute("system_wakeup")


def traces_through_fpr(lines):
    """Lines of stack traces in fpr, but for who allocated a page that is dumped."""
    owner = False
    for line in lines:
        if "page last " in line:
            owner = True
        elif not re.search(r"\+0x\w+/0x\w+", line):
            owner = False
        elif not owner and re.search(r" \[(virtio_)?fpr\]", line):
            yield line


def run(vm):
    balloons = dimms = done = 0
    while True:
        _, match = vm.wait_for(r"^sync (\w+)(?:-(\d+))?$")
        what, number = match.group(1), match.group(2)
        if what == "over":
            vm.answer("over")
            break
        if what == "add":
            add_dimm(vm, 128, dimms)
            dimms += 1
        elif what == "unplug":
            unplug(vm, balloons)
            balloons += 1
        elif what == "plug":
            plug(vm, balloons)
        elif what == "balloon":
            balloon(vm, int(number))
        elif what == "suspend":
            vm.answer("suspend")
            wake(vm)
            vm.answer("awake")
            done += 1
            continue
        elif what == "vmem":
            resize(vm, int(number))
        else:
            raise VMError(f"no idea what '{what}' is")
        done += 1
        vm.answer(match.group(0)[len("sync "):])
    vm.wait_exit()
    log = [line.text for line in vm.console.lines if line.stream == KERNEL]
    breaches = [line for line in log if "VIOLATION" in line]
    vm.check(not breaches, f"no breach of the contract {breaches[:1]}")
    # "allow=trace" is for others.
    traces = list(traces_through_fpr(log))
    vm.check(not traces, f"no trace in the log goes through fpr {traces[:1]}")
    victims = [line for line in log if re.search(r"Killed process \d+ \((?!hog\))", line)]
    vm.check(not victims, f"nobody but the hog is killed for memory {victims[:1]}")
    vm.check(done > 0, f"the host did {done} things")
