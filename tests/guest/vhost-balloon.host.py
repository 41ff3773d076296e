# SPDX-License-Identifier: GPL-2.0
"""The host's part of vhost-balloon.sh."""

import socket

from hostside import MIB, mib_back, sync

FILE_MIB = 256
# The kernel's driver takes whole free 2 MiB blocks: what shares one stays.
SHARE = 0.8


def ask(vm, command):
    """What the program's control socket answers, as a dictionary."""
    with socket.socket(socket.AF_UNIX) as sock:
        sock.connect(vm.backend.control)
        sock.sendall(command.encode() + b"\n")
        text = b""
        while not text.endswith(b"ok\n"):
            more = sock.recv(4096)
            if not more or more.startswith(b"error:"):
                raise OSError(f"{command}: {(text + more).decode()}")
            text += more
    return dict(line.split(" ", 1) for line in text.decode().splitlines() if " " in line)


def run(vm):
    for filled, freed in (("filled", "freed"), ("again", "gone")):
        sync(vm, filled)
        full = vm.memory_kib()
        before = int(ask(vm, "counters")["discarded_bytes"])
        vm.check(full > FILE_MIB * MIB, f"the file is in the guest's memory ({full // MIB} MiB)")
        vm.answer(filled, "")
        sync(vm, freed)
        mib = mib_back(vm, full, FILE_MIB * SHARE)
        vm.check(mib >= FILE_MIB * SHARE, f"{freed}: it has left the host ({mib} MiB)")
        counted = (int(ask(vm, "counters")["discarded_bytes"]) - before) >> 20
        # What the guest touched meanwhile came back, and is not seen in its memory.
        vm.check(mib - 8 <= counted, f"the program has counted it ({counted} MiB)")
        vm.answer(freed, "")
    status = ask(vm, "status")
    vm.check(status["state"] == "ok" and status["memory_bytes"] == str(768 << 20),
             f"the program is well: {status}")
