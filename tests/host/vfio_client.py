# SPDX-License-Identifier: GPL-2.0
"""A vfio-user client and a virtio driver on top of it: what a VMM and a guest do."""

import array
import json
import mmap
import os
import select
import socket
import struct

import vendor

VERSION, DMA_MAP, DMA_UNMAP, GET_INFO, GET_REGION_INFO = 1, 2, 3, 4, 5
GET_IRQ_INFO, SET_IRQS, REGION_READ, REGION_WRITE, RESET = 7, 8, 9, 10, 13
CONFIG_REGION = 7
INTX, MSIX = 0, 2
DATA_NONE, DATA_BOOL, DATA_EVENTFD = 1, 2, 4
ACTION_MASK, ACTION_UNMASK, ACTION_TRIGGER = 8, 16, 32
NONE_TRIGGER, FD_TRIGGER = DATA_NONE | ACTION_TRIGGER, DATA_EVENTFD | ACTION_TRIGGER
READ, WRITE = 1, 2
UNMAP_ALL = 2
REPLY, NO_REPLY, ERROR = 1, 0x10, 0x20

# What QEMU 11.1 announces
CAPABILITIES = json.dumps({"capabilities": {
    "migration": {"max_bitmap_size": 268435456, "pgsize": 4096},
    "max_msg_fds": 16, "max_data_xfer_size": 1048576, "pgsizes": 4096,
    "max_dma_maps": 65535, "write_multiple": True}})


def header(command, size, ident=0, flags=0, error=0):
    return struct.pack("=HHIII", ident, command, size, flags, error)


def access(region, offset, count, data=b""):
    return struct.pack("=QII", offset, region, count) + data


def irq_set(flags, index, start, count, argsz=20):
    return struct.pack("=IIIII", argsz, flags, index, start, count)


class Refused(Exception):
    """The server answered with an error; args[0] is the errno."""


class Closed(Exception):
    """The server has closed the connection."""


class Client:
    def __init__(self, path=None, greet=True, sock=None):
        if sock is None:
            sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
            sock.connect(path)
        sock.settimeout(10)
        self.sock, self.ident = sock, 0
        if greet:
            self.version()

    def close(self):
        self.sock.close()

    def send(self, command, payload=b"", fds=(), flags=0):
        self.ident = (self.ident + 1) & 0xffff
        message = header(command, 16 + len(payload), self.ident, flags) + payload
        self.send_raw(message, fds)
        return self.ident

    def send_raw(self, message, fds=()):
        ancillary = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", fds))]
        try:
            sent = self.sock.sendmsg([message], ancillary if fds else [])
            self.sock.sendall(message[sent:])
        except (BrokenPipeError, ConnectionResetError):
            pass

    def receive_bytes(self, size):
        data = b""
        while len(data) < size:
            try:
                more = self.sock.recv(size - len(data))
            except ConnectionResetError:
                more = b""
            if not more:
                raise Closed
            data += more
        return data

    def receive(self):
        """Returns id, command, payload of a reply."""
        ident, command, size, flags, error = struct.unpack(
            "=HHIII", self.receive_bytes(16))
        payload = self.receive_bytes(size - 16)
        assert flags & 0xf == REPLY, flags
        if flags & ERROR:
            assert size == 16, size
            raise Refused(error)
        assert error == 0
        return ident, command, payload

    def call(self, command, payload=b"", fds=()):
        sent = self.send(command, payload, fds)
        ident, answered, reply = self.receive()
        assert (ident, answered) == (sent, command), (ident, answered)
        return reply

    def version(self, major=0, minor=1, data=CAPABILITIES.encode() + b"\0"):
        return self.call(VERSION, struct.pack("=HH", major, minor) + data)

    def map(self, address, size, fd=None, offset=0, flags=READ | WRITE):
        payload = struct.pack("=IIQQQ", 32, flags, offset, address, size)
        self.call(DMA_MAP, payload, () if fd is None else (fd,))

    def unmap(self, address, size, flags=0):
        payload = struct.pack("=IIQQ", 24, flags, address, size)
        assert self.call(DMA_UNMAP, payload) == payload

    def info(self):
        return struct.unpack("=IIII", self.call(GET_INFO, struct.pack("=IIII", 16, 0, 0, 0)))

    def region_info(self, index):
        """Returns flags, size."""
        reply = self.call(GET_REGION_INFO, struct.pack("=IIIIQQ", 32, 0, index, 0, 0, 0))
        argsz, flags, got, caps, size, _ = struct.unpack("=IIIIQQ", reply)
        assert (argsz, got, caps) == (32, index, 0)
        return flags, size

    def irq_info(self, index):
        """Returns flags, count."""
        reply = self.call(GET_IRQ_INFO, struct.pack("=IIII", 16, 0, index, 0))
        argsz, flags, got, count = struct.unpack("=IIII", reply)
        assert (argsz, got) == (16, index)
        return flags, count

    def set_irqs(self, index, flags, start, count, fds=(), data=b""):
        payload = irq_set(flags, index, start, count, 20 + len(data))
        assert self.call(SET_IRQS, payload + data, fds) == b""

    def read(self, region, offset, size):
        head = access(region, offset, size)
        reply = self.call(REGION_READ, head)
        assert reply[:16] == head
        assert len(reply) == 16 + size
        return reply[16:]

    def write(self, region, offset, data):
        head = access(region, offset, len(data))
        assert self.call(REGION_WRITE, head + data) == head

    def reset(self):
        assert self.call(RESET) == b""

    def get(self, region, offset, size):
        return int.from_bytes(self.read(region, offset, size), "little")

    def put(self, region, offset, size, value):
        self.write(region, offset, value.to_bytes(size, "little"))


class Memory:
    """Guest memory in a memfd, mapped here."""

    def __init__(self, size):
        self.size = size
        self.fd = os.memfd_create("ram")
        os.ftruncate(self.fd, size)
        self.map = mmap.mmap(self.fd, size)

    def fill(self, byte):
        self.map[:] = bytes([byte]) * self.size

    def used(self):
        return os.fstat(self.fd).st_blocks * 512

    def close(self):
        self.map.close()
        os.close(self.fd)


class Event:
    def __init__(self):
        self.fd = os.eventfd(0, os.EFD_NONBLOCK) if hasattr(os, "eventfd") else _eventfd()

    def fired(self, wait=0.0):
        if not select.select([self.fd], [], [], wait)[0]:
            return 0
        return int.from_bytes(os.read(self.fd, 8), "little")

    def close(self):
        os.close(self.fd)


def _eventfd():
    import ctypes
    fd = ctypes.CDLL(None, use_errno=True).eventfd(0, os.O_NONBLOCK | os.O_CLOEXEC)
    assert fd >= 0
    return fd


# Status bits, and registers of the common configuration
ACKNOWLEDGE, DRIVER, DRIVER_OK, FEATURES_OK, NEEDS_RESET = 1, 2, 4, 8, 0x40
NO_VECTOR = 0xffff
QUEUE_SIZE = 64
DESC, AVAIL, USED, REQUEST, RESPONSE = 0x1000, 0x2000, 0x3000, 0x4000, 0x8000


class Driver:
    """The virtio driver; its rings are in the first pages of guest memory."""

    def __init__(self, client, memory, msix=True):
        self.client, self.memory, self.msix = client, memory, msix
        self.next = 0
        self.caps = {}
        self.walk()

    def walk(self):
        at = self.client.get(CONFIG_REGION, 0x34, 1)
        while at:
            ident, following = self.client.read(CONFIG_REGION, at, 2)
            if ident == 0x11:
                self.msix_cap = at
            elif ident == 0x09:
                _, _, _, kind, bar, _, _, _, offset, length = struct.unpack(
                    "<BBBBBBBBII", self.client.read(CONFIG_REGION, at, 16))
                self.caps.setdefault(kind, (bar, offset, length, at))
            at = following

    def reg(self, kind, offset, size, value=None):
        bar, base, length, _ = self.caps[kind]
        assert offset + size <= length, (kind, offset, size)
        if value is None:
            return self.client.get(bar, base + offset, size)
        self.client.put(bar, base + offset, size, value)
        return value

    def common(self, offset, size, value=None):
        return self.reg(1, offset, size, value)

    def status(self, value=None):
        return self.common(20, 1, value)

    def isr(self):
        return self.reg(3, 0, 1)

    def config(self):
        bar, base, length, _ = self.caps[4]
        while True:
            generation = self.common(21, 1)
            data = self.client.read(bar, base, length)
            if self.common(21, 1) == generation:
                return data

    def features(self, value=None):
        result = 0
        for word in range(2):
            if value is None:
                self.common(0, 4, word)
                result |= self.common(4, 4) << 32 * word
            else:
                self.common(8, 4, word)
                self.common(12, 4, value >> 32 * word & 0xffffffff)
        return result

    def start(self):
        self.next = 0
        self.client.put(CONFIG_REGION, 4, 2, 6)
        self.status(0)
        assert self.status() == 0
        self.status(ACKNOWLEDGE)
        self.status(ACKNOWLEDGE | DRIVER)
        self.features(self.features())
        self.status(ACKNOWLEDGE | DRIVER | FEATURES_OK)
        assert self.status() & FEATURES_OK
        if self.msix:
            self.client.put(CONFIG_REGION, self.msix_cap + 2, 2, 0x8000)
            self.common(16, 2, 0)
        self.queue()
        self.status(ACKNOWLEDGE | DRIVER | FEATURES_OK | DRIVER_OK)

    def queue(self):
        self.memory.map[DESC:USED + 0x1000] = bytes(USED + 0x1000 - DESC)
        self.common(22, 2, 0)
        assert self.common(24, 2) >= QUEUE_SIZE
        self.common(24, 2, QUEUE_SIZE)
        for offset, address in ((32, DESC), (40, AVAIL), (48, USED)):
            self.common(offset, 4, address)
            self.common(offset + 4, 4, 0)
        if self.msix:
            self.common(26, 2, 1)
            assert self.common(26, 2) == 1
        self.common(28, 2, 1)

    def expose(self, request, response_size=24):
        """Make a request available, without telling the device."""
        ram = self.memory.map
        ram[REQUEST:REQUEST + len(request)] = request
        ram[RESPONSE:RESPONSE + 64] = b"\xee" * 64
        ram[DESC:DESC + 16] = struct.pack("<QIHH", REQUEST, len(request), 1, 1)
        ram[DESC + 16:DESC + 32] = struct.pack("<QIHH", RESPONSE, response_size, 2, 0)
        self.available(0)

    def available(self, head):
        ram = self.memory.map
        slot = AVAIL + 4 + 2 * (self.next % QUEUE_SIZE)
        ram[slot:slot + 2] = struct.pack("<H", head)
        self.next = (self.next + 1) & 0xffff
        ram[AVAIL + 2:AVAIL + 4] = struct.pack("<H", self.next)

    def notify(self):
        bar, base, length, at = self.caps[2]
        multiplier = self.client.get(CONFIG_REGION, at + 16, 4)
        self.common(22, 2, 0)
        offset = self.common(30, 2) * multiplier
        assert offset + 2 <= length
        self.client.put(bar, base + offset, 2, 0)

    def used(self):
        return struct.unpack("<H", self.memory.map[USED + 2:USED + 4])[0]

    def response(self):
        return vendor.response(self.memory.map[RESPONSE:RESPONSE + 24])

    def request(self, data):
        self.expose(data)
        self.notify()
        assert self.used() == self.next, (self.used(), self.next)
        return self.response()

    def report(self, *ranges):
        return self.request(vendor.report(ranges))

    def done(self, number, total):
        return self.request(vendor.done(number, total))
