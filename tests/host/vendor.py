# SPDX-License-Identifier: GPL-2.0
"""Requests of the vendor device, include/uapi/linux/virtio_fpr.h, in Python."""

import collections
import struct

MAGIC = 0x76727066
REPORT, DONE = 0, 1
OK, GRANULE, RANGE, DISABLED, ERROR, UNSUPPORTED = range(6)

Response = collections.namedtuple("Response", "status discarded refused")
Config = collections.namedtuple(
    "Config", "magic version size granule_shift max_ranges max_range pressure "
    "request request_shift")


def report(ranges, kind=REPORT, nr=None, total=None):
    if total is None:
        total = sum(length for _, length in ranges)
    data = struct.pack("<IIIIQ", kind, len(ranges) if nr is None else nr, 0, 0, total)
    return data + b"".join(struct.pack("<QQ", *item) for item in ranges)


def done(number, total):
    return struct.pack("<IIIIQ", DONE, 0, number, 0, total)


def response(data):
    status, _, discarded, refused = struct.unpack("<IIQQ", data)
    return Response(status, discarded, refused)


def config(data):
    return Config(*struct.unpack("<IHHB3xIQIIB7x", data))
