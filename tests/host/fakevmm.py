# SPDX-License-Identifier: GPL-2.0
"""A VMM and its guest, made up: speaks vhost-user to a backend, owns guest memory
in a memfd, and drives real virtqueues in it.

    vmm = VMM(path)
    vmm.start(features)
    used = vmm.ring(0).request([(data, False)], room=24)

All that a real one would do can be left out or done wrong: send() sends anything.
"""

import array
import mmap
import os
import select
import socket
import struct
import time

GET_FEATURES, SET_FEATURES, SET_OWNER, RESET_OWNER, SET_MEM_TABLE = 1, 2, 3, 4, 5
SET_VRING_NUM, SET_VRING_ADDR, SET_VRING_BASE, GET_VRING_BASE = 8, 9, 10, 11
SET_VRING_KICK, SET_VRING_CALL, SET_VRING_ERR = 12, 13, 14
GET_PROTOCOL_FEATURES, SET_PROTOCOL_FEATURES, GET_QUEUE_NUM = 15, 16, 17
SET_VRING_ENABLE, SET_BACKEND_REQ_FD, GET_CONFIG, SET_CONFIG = 18, 21, 24, 25
RESET_DEVICE, GET_MAX_MEM_SLOTS, ADD_MEM_REG, REM_MEM_REG = 34, 36, 37, 38
SET_STATUS, GET_STATUS = 39, 40
CONFIG_CHANGE = 2

VERSION, REPLY, NEED_REPLY = 1, 4, 8
F_PROTOCOL = 1 << 30
F_VERSION_1 = 1 << 32
P_MQ, P_REPLY_ACK, P_BACKEND_REQ, P_CONFIG = 1 << 0, 1 << 3, 1 << 5, 1 << 9
P_RESET_DEVICE, P_MEM_SLOTS, P_STATUS = 1 << 13, 1 << 15, 1 << 16
P_ALL = (P_MQ | P_REPLY_ACK | P_BACKEND_REQ | P_CONFIG | P_RESET_DEVICE |
         P_MEM_SLOTS | P_STATUS)
NO_FD = 1 << 8
STATUS_ALL, STATUS_NEEDS_RESET = 0x0f, 0x40

MIB = 1 << 20
UVA = 0x7f0000000000
WAIT_S = 20


class Gone(Exception):
    """The backend has closed the connection."""


class Memory:
    """Guest memory: regions (gpa, offset, size) of one memfd."""

    def __init__(self, regions=((0, 0, 32 * MIB), (4 << 30, 32 * MIB, 32 * MIB)),
                 size=64 * MIB, fd=None):
        self.fd = os.memfd_create("guest") if fd is None else fd
        os.ftruncate(self.fd, size)
        self.map = mmap.mmap(self.fd, size)
        self.regions = list(regions)

    def offset(self, gpa):
        for start, offset, size in self.regions:
            if start <= gpa < start + size:
                return gpa - start + offset
        raise ValueError(hex(gpa))

    def uva(self, gpa):
        return UVA + self.offset(gpa)

    def write(self, gpa, data):
        at = self.offset(gpa)
        self.map[at:at + len(data)] = data

    def read(self, gpa, size):
        at = self.offset(gpa)
        return self.map[at:at + size]

    def fill(self, gpa, size, byte=b"\xa5"):
        self.write(gpa, byte * size)

    def allocated(self):
        return os.fstat(self.fd).st_blocks * 512

    def describe(self, region):
        gpa, offset, size = region
        return struct.pack("=QQQQ", gpa, size, UVA + offset, offset)

    def close(self):
        self.map.close()
        os.close(self.fd)


class Ring:
    """A split virtqueue in guest memory, the driver's side.  The first half of its
    area is for the ring, the second for buffers."""

    def __init__(self, vmm, index, at, size=64):
        self.vmm, self.index, self.size = vmm, index, size
        self.desc, self.avail, self.used = at, at + 0x8000, at + 0xc000
        self.data = at + 0x10000
        # Its pages are there from now on: tests compare what is allocated.
        vmm.memory.fill(at, 0x20000, b"\0")
        self.kick_fd = os.eventfd(0, os.EFD_NONBLOCK)
        self.call_fd = os.eventfd(0, os.EFD_NONBLOCK)
        self.err_fd = os.eventfd(0, os.EFD_NONBLOCK)
        self.next_avail = self.next_used = 0

    def set_up(self, base=0, enable=True):
        vmm, memory = self.vmm, self.vmm.memory
        vmm.send(SET_VRING_NUM, struct.pack("=II", self.index, self.size))
        vmm.send(SET_VRING_BASE, struct.pack("=II", self.index, base))
        vmm.send(SET_VRING_ADDR, struct.pack(
            "=IIQQQQ", self.index, 0, memory.uva(self.desc), memory.uva(self.used),
            memory.uva(self.avail), 0))
        vmm.send(SET_VRING_CALL, struct.pack("=Q", self.index), [self.call_fd])
        vmm.send(SET_VRING_ERR, struct.pack("=Q", self.index), [self.err_fd])
        vmm.send(SET_VRING_KICK, struct.pack("=Q", self.index), [self.kick_fd])
        if enable:
            vmm.send(SET_VRING_ENABLE, struct.pack("=II", self.index, 1))

    def put(self, descs, kick=True):
        """Makes a chain available: a list of (gpa, length, writable)."""
        memory = self.vmm.memory
        for i, (gpa, length, writable) in enumerate(descs):
            flags = (2 if writable else 0) | (1 if i + 1 < len(descs) else 0)
            memory.write(self.desc + 16 * i,
                         struct.pack("<QIHH", gpa, length, flags, i + 1))
        slot = self.next_avail % self.size
        memory.write(self.avail + 4 + 2 * slot, struct.pack("<H", 0))
        self.next_avail = (self.next_avail + 1) & 0xffff
        memory.write(self.avail + 2, struct.pack("<H", self.next_avail))
        if kick:
            self.kick()

    def kick(self):
        os.eventfd_write(self.kick_fd, 1)

    def wait_used(self, timeout=WAIT_S):
        """Length of the next used buffer; None when it does not come."""
        end = time.monotonic() + timeout
        while True:
            (index,) = struct.unpack("<H", self.vmm.memory.read(self.used + 2, 2))
            if index != self.next_used:
                slot = self.next_used % self.size
                self.next_used = (self.next_used + 1) & 0xffff
                return struct.unpack(
                    "<II", self.vmm.memory.read(self.used + 4 + 8 * slot, 8))[1]
            left = end - time.monotonic()
            if left <= 0:
                return None
            select.select([self.call_fd], [], [], min(left, 0.05))

    def request(self, out, room=24, timeout=WAIT_S):
        """A request of bytes, in as many descriptors as the list has items, and
        what was answered, None if nothing."""
        at, descs = self.data, []
        for piece in out:
            self.vmm.memory.write(at, piece)
            descs.append((at, len(piece), False))
            at += len(piece)
        answer_at = (at + 15) & ~15
        if room:
            descs.append((answer_at, room, True))
        self.put(descs)
        length = self.wait_used(timeout)
        return None if length is None else self.vmm.memory.read(answer_at, length)

    def close(self):
        for fd in (self.kick_fd, self.call_fd, self.err_fd):
            os.close(fd)


class VMM:
    def __init__(self, path=None, sock=None, memory=None):
        if sock is None:
            sock = socket.socket(socket.AF_UNIX)
            sock.connect(path)
        sock.settimeout(WAIT_S)
        self.sock = sock
        self.memory = memory or Memory()
        self.backend = None
        self.rings = {}

    def send(self, request, payload=b"", fds=(), flags=0, size=None, version=VERSION):
        header = struct.pack("=III", request, version | flags,
                             len(payload) if size is None else size)
        ancillary = [(socket.SOL_SOCKET, socket.SCM_RIGHTS,
                      array.array("i", list(fds)))] if fds else []
        try:
            self.sock.sendmsg([header + payload], ancillary)
        except (BrokenPipeError, ConnectionResetError) as error:
            raise Gone from error

    def receive(self, size):
        data = b""
        while len(data) < size:
            try:
                more = self.sock.recv(size - len(data))
            except ConnectionResetError as error:
                raise Gone from error
            if not more:
                raise Gone
            data += more
        return data

    def reply(self, request):
        got, flags, size = struct.unpack("=III", self.receive(12))
        assert (got, flags) == (request, VERSION | REPLY), (got, flags, request)
        return self.receive(size)

    def ask(self, request, payload=b"", fds=()):
        self.send(request, payload, fds)
        return self.reply(request)

    def ask_u64(self, request, payload=b"", fds=()):
        return struct.unpack("=Q", self.ask(request, payload, fds))[0]

    def ack(self, request, payload=b"", fds=()):
        """Sends it and returns what the backend says to it: 0 for done."""
        self.send(request, payload, fds, NEED_REPLY)
        return struct.unpack("=Q", self.reply(request))[0]

    def gone(self):
        """True once the backend has closed the connection."""
        try:
            while self.receive(1):
                pass
        except Gone:
            return True
        except socket.timeout:
            return False

    def negotiate(self, features=None, protocol=P_ALL):
        offered = self.ask_u64(GET_FEATURES)
        self.ask_u64(GET_PROTOCOL_FEATURES)
        self.send(SET_PROTOCOL_FEATURES, struct.pack("=Q", protocol))
        self.send(SET_OWNER)
        self.protocol = protocol
        if protocol & P_BACKEND_REQ:
            self.backend, theirs = socket.socketpair(socket.AF_UNIX)
            self.backend.settimeout(WAIT_S)
            self.send(SET_BACKEND_REQ_FD, b"", [theirs.fileno()])
            theirs.close()
        self.send(SET_FEATURES, struct.pack("=Q", offered if features is None else
                                            features))
        return offered

    def share_memory(self):
        regions = self.memory.regions
        if self.protocol & P_MEM_SLOTS:
            for region in regions:
                self.add_region(region)
        else:
            self.send(SET_MEM_TABLE, struct.pack("=II", len(regions), 0) +
                      b"".join(map(self.memory.describe, regions)),
                      [self.memory.fd] * len(regions))

    def add_region(self, region):
        return self.ack(ADD_MEM_REG, bytes(8) + self.memory.describe(region),
                        [self.memory.fd])

    def remove_region(self, region):
        return self.ack(REM_MEM_REG, bytes(8) + self.memory.describe(region))

    def start(self, nr_rings=1, features=None, protocol=P_ALL, base=0):
        self.negotiate(features, protocol)
        self.share_memory()
        for i in range(nr_rings):
            self.rings[i] = Ring(self, i, 0x10000 + i * 0x100000)
            self.rings[i].set_up(base)
        if protocol & P_STATUS:
            self.send(SET_STATUS, struct.pack("=Q", STATUS_ALL))
        return self

    def config(self, size=40, offset=0):
        payload = struct.pack("=III", offset, size, 0) + bytes(size)
        return self.ask(GET_CONFIG, payload)[12:]

    def sync(self):
        """Returns when the backend has handled all that was sent."""
        return self.ask_u64(GET_FEATURES)

    def config_change(self, timeout=WAIT_S):
        """True if the backend announces a change within the time."""
        self.backend.settimeout(timeout)
        try:
            got = self.backend.recv(12)
        except socket.timeout:
            return False
        return struct.unpack("=III", got) == (CONFIG_CHANGE, VERSION, 0)

    def close(self):
        self.sock.close()
        if self.backend:
            self.backend.close()
        for ring in self.rings.values():
            ring.close()
        self.memory.close()
