# SPDX-License-Identifier: GPL-2.0
"""vfio-user-fpr under test: guests for it, and what it keeps of them."""

import re

from harness import Running
from program import Program
from vfio_client import Client, Driver, Memory

MIB = 1 << 20
HIGH = 4 << 30


class Server(Program):
    def __init__(self, binary, *options, **more):
        self.guests = []
        super().__init__(binary, "--pressure=none", "--verbose", *options, **more)
        self.fds_at_start = self.fds()

    def maps(self):
        with open(f"/proc/{self.proc.pid}/maps", encoding="utf-8") as maps:
            return maps.read().count("/memfd:ram")

    def sleeps(self):
        """How often it had nothing to do, so far."""
        with open(f"/proc/{self.proc.pid}/status", encoding="utf-8") as status:
            return int(re.search(r"\nvoluntary_ctxt_switches:\t(\d+)", status.read())[1])

    def wait_idle(self):
        """Nothing of a client is left."""
        self.wait_for(lambda: self.fds() == self.fds_at_start and not self.maps(),
                      "the end of the session")

    def counter(self, name):
        return int(self.value("counters", name))

    def guest(self, msix=True, size=64 * MIB):
        """A client with memory in two regions, and a driver that has started."""
        client, memory = Client(self.path), Memory(size)
        memory.fill(0x5a)
        client.map(0, size // 2, memory.fd)
        client.map(HIGH, size // 2, memory.fd, size // 2)
        driver = Driver(client, memory, msix)
        driver.start()
        self.guests.append(driver)
        return driver

    def hang_up(self):
        while self.guests:
            driver = self.guests.pop()
            driver.client.close()
            driver.memory.close()

    def stop(self, *args):
        self.hang_up()
        return super().stop(*args)

    def clean_up(self):
        self.hang_up()
        super().clean_up()


class Serving(Running):
    kind = Server


def check_report(server, driver):
    memory, half = driver.memory, driver.memory.size // 2
    before, discarded_before = memory.used(), server.counter("discarded_bytes")
    low, high = (16 * MIB, 4 * MIB), (HIGH + 8 * MIB, 8 * MIB)
    assert driver.report(low, high) == (0, 12 * MIB, 0)
    assert before - memory.used() == 12 * MIB, before - memory.used()
    assert memory.map[16 * MIB:20 * MIB] == bytes(4 * MIB)
    assert memory.map[half + 8 * MIB:half + 16 * MIB] == bytes(8 * MIB)
    for at in (16 * MIB - 1, 20 * MIB, half + 8 * MIB - 1, half + 16 * MIB):
        assert memory.map[at] == 0x5a, hex(at)
    assert server.counter("discarded_bytes") - discarded_before == 12 * MIB
