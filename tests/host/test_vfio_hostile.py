# SPDX-License-Identifier: GPL-2.0
"""What no VMM says, and how the program gets over it."""

import errno
import os
import struct
import time

import vfio_client as vfio
from harness import equal, test
from vfio_client import (FD_TRIGGER, NONE_TRIGGER, Client, Closed, Event, Memory,
                         Refused, access, irq_set)
from vfio_server import MIB, Serving, check_report

U32 = 0xffffffff
U64 = 0xffffffffffffffff

# Name, command, payload, files (m: memory, e: eventfd, n: /dev/null, p: pipe), and
# what follows: the connection closed, or an errno
HOSTILE = [
    ("second version", vfio.VERSION, struct.pack("=HH", 0, 0), "", "close"),
    ("map, short", vfio.DMA_MAP, bytes(31), "", "close"),
    ("map, empty", vfio.DMA_MAP, b"", "", "close"),
    ("map, two files", vfio.DMA_MAP, struct.pack("=IIQQQ", 32, 3, 0, 0, 4096), "mm", "close"),
    ("map, argsz", vfio.DMA_MAP, struct.pack("=IIQQQ", 31, 3, 0, 0, 4096), "m", "EINVAL"),
    ("map, size 0", vfio.DMA_MAP, struct.pack("=IIQQQ", 32, 3, 0, 0, 0), "m", "EINVAL"),
    ("map, wraps", vfio.DMA_MAP, struct.pack("=IIQQQ", 32, 3, 0, U64, 2), "m", "EINVAL"),
    ("map, all", vfio.DMA_MAP, struct.pack("=IIQQQ", 32, 3, 0, 1, U64), "m", "EINVAL"),
    ("unmap, short", vfio.DMA_UNMAP, bytes(23), "", "close"),
    ("unmap, file", vfio.DMA_UNMAP, struct.pack("=IIQQ", 24, 0, 0, 4096), "m", "close"),
    ("unmap, argsz", vfio.DMA_UNMAP, struct.pack("=IIQQ", 0, 0, 0, 4096), "", "EINVAL"),
    ("unmap, nothing there", vfio.DMA_UNMAP, struct.pack("=IIQQ", 24, 0, 0, 4096), "", "ENOENT"),
    ("unmap, all but not", vfio.DMA_UNMAP, struct.pack("=IIQQ", 24, 2, 0, 4096), "",
     "EOPNOTSUPP"),
    ("info, short", vfio.GET_INFO, bytes(15), "", "close"),
    ("info, argsz", vfio.GET_INFO, bytes(16), "", "EINVAL"),
    ("info, file", vfio.GET_INFO, struct.pack("=IIII", 16, 0, 0, 0), "e", "close"),
    ("region info, short", vfio.GET_REGION_INFO, bytes(31), "", "close"),
    ("region info, argsz", vfio.GET_REGION_INFO, bytes(32), "", "EINVAL"),
    ("region info, index", vfio.GET_REGION_INFO,
     struct.pack("=IIIIQQ", 32, 0, U32, 0, 0, 0), "", "EINVAL"),
    ("irq info, short", vfio.GET_IRQ_INFO, bytes(15), "", "close"),
    ("irq info, index", vfio.GET_IRQ_INFO, struct.pack("=IIII", 16, 0, U32, 0), "", "EINVAL"),
    ("irqs, short", vfio.SET_IRQS, bytes(19), "", "close"),
    ("irqs, argsz", vfio.SET_IRQS, irq_set(NONE_TRIGGER, 2, 0, 1, 0), "", "EINVAL"),
    ("irqs, index", vfio.SET_IRQS, irq_set(NONE_TRIGGER, 9, 0, 1), "", "EINVAL"),
    ("irqs, none of the kind", vfio.SET_IRQS, irq_set(FD_TRIGGER, 1, 0, 1), "e", "EINVAL"),
    ("irqs, start", vfio.SET_IRQS, irq_set(NONE_TRIGGER, 2, 3, 0), "", "EINVAL"),
    ("irqs, count", vfio.SET_IRQS, irq_set(NONE_TRIGGER, 2, 0, 3), "", "EINVAL"),
    ("irqs, wraps", vfio.SET_IRQS, irq_set(NONE_TRIGGER, 2, 1, U32), "", "EINVAL"),
    ("irqs, start wraps", vfio.SET_IRQS, irq_set(NONE_TRIGGER, 2, U32, 2), "", "EINVAL"),
    ("irqs, no action", vfio.SET_IRQS, irq_set(vfio.DATA_NONE, 2, 0, 1), "", "EINVAL"),
    ("irqs, two actions", vfio.SET_IRQS, irq_set(0x31, 2, 0, 1), "", "EINVAL"),
    ("irqs, no data", vfio.SET_IRQS, irq_set(vfio.ACTION_MASK, 2, 0, 1), "", "EINVAL"),
    ("irqs, two kinds of data", vfio.SET_IRQS, irq_set(0x25, 2, 0, 1), "", "EINVAL"),
    ("irqs, more flags", vfio.SET_IRQS, irq_set(0x61, 2, 0, 1), "", "EINVAL"),
    ("irqs, mask none", vfio.SET_IRQS, irq_set(9, 2, 0, 0), "", "EINVAL"),
    ("irqs, too few files", vfio.SET_IRQS, irq_set(FD_TRIGGER, 2, 0, 2), "e", "close"),
    ("irqs, too many files", vfio.SET_IRQS, irq_set(FD_TRIGGER, 2, 0, 1), "ee", "close"),
    ("irqs, files for nothing", vfio.SET_IRQS, irq_set(NONE_TRIGGER, 2, 0, 1), "e", "close"),
    ("irqs, a disk file", vfio.SET_IRQS, irq_set(FD_TRIGGER, 2, 0, 1), "m", "EINVAL"),
    ("irqs, a device", vfio.SET_IRQS, irq_set(FD_TRIGGER, 2, 0, 1), "n", "EINVAL"),
    ("irqs, a pipe", vfio.SET_IRQS, irq_set(FD_TRIGGER, 2, 0, 1), "p", "EINVAL"),
    ("irqs, one of two no eventfd", vfio.SET_IRQS, irq_set(FD_TRIGGER, 2, 0, 2), "en", "EINVAL"),
    ("irqs, too few values", vfio.SET_IRQS, irq_set(0x22, 2, 0, 2) + b"\1", "", "close"),
    ("read, short", vfio.REGION_READ, bytes(15), "", "close"),
    ("read, long", vfio.REGION_READ, bytes(17), "", "close"),
    ("read, too much", vfio.REGION_READ, access(0, 0, 4097), "", "EINVAL"),
    ("read, very much", vfio.REGION_READ, access(7, 0, U32), "", "EINVAL"),
    ("read, beyond", vfio.REGION_READ, access(7, 255, 2), "", "EINVAL"),
    ("read, wraps", vfio.REGION_READ, access(0, U64, 2), "", "EINVAL"),
    ("read, no region", vfio.REGION_READ, access(U32, 0, 1), "", "EINVAL"),
    ("read, empty region", vfio.REGION_READ, access(6, 0, 1), "", "EINVAL"),
    ("read, file", vfio.REGION_READ, access(7, 0, 1), "n", "close"),
    ("write, short", vfio.REGION_WRITE, bytes(15), "", "close"),
    ("write, less than said", vfio.REGION_WRITE, access(7, 0, 4, b"abc"), "", "close"),
    ("write, more than said", vfio.REGION_WRITE, access(7, 0, 2, b"abc"), "", "close"),
    ("write, all said", vfio.REGION_WRITE, access(7, 0, U32, b"abc"), "", "close"),
    ("write, beyond", vfio.REGION_WRITE, access(1, 0xfff, 2, b"ab"), "", "EINVAL"),
    ("write, no region", vfio.REGION_WRITE, access(8, 0, 2, b"ab"), "", "EINVAL"),
    ("reset with a payload", vfio.RESET, b"\0", "", "close"),
    ("command 0", 0, b"", "", "EOPNOTSUPP"),
    ("command of the server's", 11, bytes(16), "", "EOPNOTSUPP"),
    ("region files", 6, bytes(16), "", "EOPNOTSUPP"),
    ("migration", 16, bytes(8), "", "EOPNOTSUPP"),
    ("several writes, not agreed on", 15, bytes(32), "", "EOPNOTSUPP"),
    ("command 65535", 0xffff, bytes(100), "mmee", "EOPNOTSUPP"),
    ("all the files there may be", 0xffff, b"", "m" * 16, "EOPNOTSUPP"),
    ("a file more", vfio.RESET, b"", "m" * 17, "close"),
    ("very many files", vfio.RESET, b"", "n" * 200, "close"),
]

# Whole messages, after the version
RAW = [
    ("size 0", vfio.header(vfio.RESET, 0)),
    ("size 15", vfio.header(vfio.RESET, 15)),
    ("size beyond", vfio.header(vfio.RESET, 16 + 4096 + 65)),
    ("size without end", vfio.header(vfio.RESET, U32)),
    ("a reply", vfio.header(vfio.RESET, 16, flags=vfio.REPLY)),
    ("another type", vfio.header(vfio.RESET, 16, flags=7)),
]
# Before the version
FIRST = [
    ("no version", vfio.header(vfio.GET_INFO, 32) + struct.pack("=IIII", 16, 0, 0, 0)),
    ("reset first", vfio.header(vfio.RESET, 16)),
    ("version, empty", vfio.header(vfio.VERSION, 16)),
    ("version, short", vfio.header(vfio.VERSION, 19) + bytes(3)),
    ("version, major 1", vfio.header(vfio.VERSION, 20) + struct.pack("=HH", 1, 0)),
    ("version, no NUL", vfio.header(vfio.VERSION, 22) + bytes(4) + b"{}"),
    ("nonsense", b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"),
]


class Files:
    """What hostile messages bring."""

    def __init__(self):
        self.memory, self.event = Memory(MIB), Event()
        self.null = os.open("/dev/null", os.O_RDWR)
        self.pipe = os.pipe()

    def get(self, letters):
        kinds = {"m": self.memory.fd, "e": self.event.fd, "n": self.null, "p": self.pipe[1]}
        return [kinds[letter] for letter in letters]


def hostile_message(server, files, row):
    name, command, payload, letters, expected = row
    client = Client(server.path)
    client.send(command, payload, files.get(letters))
    try:
        client.receive()
        result = "an answer"
    except Closed:
        result = "close"
    except Refused as error:
        result = error.args[0]
        client.info()
    client.close()
    server.wait_idle()
    expected = getattr(errno, expected, expected)
    assert result == expected, f"{name}: {result}, not {expected}"


def expect_closed(server, name, message, greet):
    lines = server.log().count("broke the protocol")
    client = Client(server.path, greet=greet)
    client.send_raw(message)
    try:
        client.receive()
    except Closed:
        client.close()
        server.wait_idle()
        # Of warnings without end only some are written.
        log = server.log()
        assert log.count("broke the protocol") > lines or lines >= 15, name
        return
    raise AssertionError(f"{name}: not closed")


@test
def hostile_messages(binary):
    """One program for all of them: it has to survive each."""
    with Serving(binary) as server:
        files = Files()
        for row in HOSTILE:
            hostile_message(server, files, row)
        check_report(server, server.guest())


@test
def hostile_headers(binary):
    with Serving(binary) as server:
        for name, message in RAW:
            expect_closed(server, name, message, True)
        for name, message in FIRST:
            expect_closed(server, name, message, False)
        check_report(server, server.guest())


@test
def files_in_portions(binary):
    """Of one message: as many as there may be with its header, one with the rest."""
    with Serving(binary) as server:
        files = Files()
        client = Client(server.path)
        client.send_raw(vfio.header(0xffff, 20), files.get("m" * 15))
        client.send_raw(b"abcd", files.get("m"))
        try:
            client.receive()
            raise AssertionError("the command is known")
        except Refused:
            pass
        client.send_raw(vfio.header(0xffff, 20), files.get("m" * 16))
        time.sleep(0.1)
        client.send_raw(b"abcd", files.get("m"))
        try:
            client.receive()
            raise AssertionError("not closed")
        except Closed:
            pass
        client.close()
        server.wait_idle()


@test
def memory_shrinks(binary):
    """A VMM that cuts its own file off kills its own program, and that says so."""
    with Serving(binary) as server:
        driver = server.guest()
        os.ftruncate(driver.memory.fd, 0)
        try:
            driver.client.put(0, 0x3000, 2, 0)
        except Closed:
            pass
        equal(server.wait(), 1, "exit status")
        server.wait_log("vanished")
        server.stop = lambda: 0
