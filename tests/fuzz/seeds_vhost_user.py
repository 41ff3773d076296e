# SPDX-License-Identifier: GPL-2.0
"""Inputs for fuzz_vhost_user.c to begin with: sessions as they should be."""

import struct

BALLOON, READY, NO_STATUS, TABLE = 1, 2, 4, 8
MESSAGE, WRITE, AVAIL, DESC, KICK, OPERATOR = 0, 2, 3, 4, 5, 6
RAM, EVENT, SOCKET = 1, 2, 3
NEXT, WRITABLE = 1, 2
LONG, GIB4 = 0x30, 0x80
UVA = 0x7f0000000000
SIZES = (0, 8, 40, 72, 12, 20, 268, 264)


def message(request, payload=b"", files=0):
    size = SIZES.index(len(payload)) if len(payload) in SIZES else len(payload)
    return bytes([MESSAGE, request, files, size]) + payload


def state(request, index, number):
    return message(request, struct.pack("=II", index, number))


def u64(request, value, files=0):
    return message(request, struct.pack("=Q", value), files)


def region(request, gpa, size, uva, files=RAM):
    return message(request, bytes(8) + struct.pack("=QQQQ", gpa, size, uva, uva - UVA), files)


def write(at, data):
    return bytes([WRITE, at >> 6, at & 0x3f, len(data)]) + data


def desc(queue, index, page, length, flags, following=0, more=0):
    """page is of 256 bytes; LONG multiplies length by 4096, GIB4 adds to the address"""
    return bytes([DESC, index | more, page, length, flags, following, queue])


def avail(queue, head):
    return bytes([AVAIL, queue, head])


def kick(queue=0):
    return bytes([KICK | queue << 4])


def submit(data):
    return (write(0x2000, data) + desc(0, 0, 0x20, len(data), NEXT, 1) +
            desc(0, 1, 0x30, 24, WRITABLE) + avail(0, 0) + kick())


REPORT = submit(struct.pack("<IIIIQ", 0, 1, 0, 0, 8192) + struct.pack("<QQ", 0x10000, 8192))
DONE = submit(struct.pack("<IIIIQ", 1, 0, 1, 0, 8192))
HANDSHAKE = (message(1) + message(15) + u64(16, 0x1a229) + message(21, files=SOCKET) +
             message(3) + message(17) + message(36) + u64(2, 1 << 30 | 1 << 32 | 7) +
             region(37, 0, 0x40000, UVA) + state(8, 0, 16) + state(10, 0, 0) +
             message(9, struct.pack("=IIQQQQ", 0, 0, UVA, UVA + 0x400, UVA + 0x200, 0)) +
             u64(13, 0, EVENT) + u64(14, 0, EVENT) + u64(12, 0, EVENT) + state(18, 0, 1) +
             u64(39, 15) + message(40) + message(24, struct.pack("=III", 0, 8, 0) + bytes(8)))


def seeds():
    yield "handshake", bytes([0]) + HANDSHAKE + REPORT
    yield "report", bytes([READY]) + REPORT
    yield "table", bytes([READY | NO_STATUS | TABLE]) + REPORT + REPORT
    yield "request", bytes([READY, OPERATOR, 21]) + DONE
    yield "balloon", (bytes([BALLOON | READY]) + desc(2, 0, 0, 16, WRITABLE, 0, LONG | GIB4) +
                      avail(2, 0) + kick(2))
    yield "stop", (bytes([READY]) + REPORT + state(11, 0, 0) + u64(39, 0) + message(34) +
                   message(4))
    yield "regions", (bytes([READY]) + region(38, 1 << 32, 0x20000, UVA + 0x20000) + REPORT +
                      region(38, 0, 0x20000, UVA, 0) + kick())
    yield "config", bytes([READY]) + message(25, struct.pack("=III", 0, 8, 0))
