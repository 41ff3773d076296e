# SPDX-License-Identifier: GPL-2.0
"""What no VMM says: each of these ends the session, with a line in the log, and
leaves the program as it was for the next VMM."""

import os
import random
import socket
import struct
import time

import fakevmm
from fakevmm import MIB, NO_FD, VMM
from harness import Running, equal, test


def u64(value):
    return struct.pack("=Q", value)


def state(index, num):
    return struct.pack("=II", index, num)


def table(vmm, nr, regions):
    return struct.pack("=II", nr, 0) + b"".join(
        struct.pack("=QQQQ", *region) for region in regions)


def reg(*region):
    return bytes(8) + struct.pack("=QQQQ", *region)


def bad_region(gpa, size, uva, offset):
    return lambda v: v.send(fakevmm.ADD_MEM_REG, reg(gpa, size, uva, offset),
                            [v.memory.fd])


def pipe_end(vmm):
    vmm.extra = os.pipe()
    return vmm.extra[0]


# Said after features and one region (gpa 0, 32 MiB) were agreed on
HOSTILE = {
    "version 0": lambda v: v.send(fakevmm.GET_FEATURES, version=0),
    "version 3": lambda v: v.send(fakevmm.GET_FEATURES, version=3),
    "a reply": lambda v: v.send(fakevmm.GET_FEATURES, flags=fakevmm.REPLY),
    "request 0": lambda v: v.send(0),
    "request 6": lambda v: v.send(6, u64(0)),
    "request 41": lambda v: v.send(41),
    "request 2^32 - 1": lambda v: v.send(0xffffffff),
    "huge size": lambda v: v.send(fakevmm.GET_FEATURES, size=0xffffffff),
    "size of 400": lambda v: v.send(fakevmm.SET_FEATURES, bytes(400)),
    "payload of a get": lambda v: v.send(fakevmm.GET_FEATURES, u64(0)),
    "short payload": lambda v: v.send(fakevmm.SET_FEATURES, bytes(4)),
    "long payload": lambda v: v.send(fakevmm.SET_FEATURES, bytes(16)),
    "file with a get": lambda v: v.send(fakevmm.GET_FEATURES, fds=[v.memory.fd]),
    "nine files": lambda v: v.send(fakevmm.SET_MEM_TABLE, table(v, 0, []),
                                   [v.memory.fd] * 9),
    "unknown features": lambda v: v.send(fakevmm.SET_FEATURES, u64(1 << 63)),
    "unknown protocol features": lambda v: v.send(fakevmm.SET_PROTOCOL_FEATURES,
                                                  u64(1 << 1)),
    "status of 9 bits": lambda v: v.send(fakevmm.SET_STATUS, u64(256)),
    "table of 9": lambda v: v.send(fakevmm.SET_MEM_TABLE, table(v, 9, []), []),
    "table of 2^32 - 1": lambda v: v.send(fakevmm.SET_MEM_TABLE,
                                          table(v, 0xffffffff, []), []),
    "table without files": lambda v: v.send(
        fakevmm.SET_MEM_TABLE, table(v, 1, [(0, MIB, 1 << 40, 0)]), []),
    "table with a file too many": lambda v: v.send(
        fakevmm.SET_MEM_TABLE, table(v, 1, [(0, MIB, 1 << 40, 0)]), [v.memory.fd] * 2),
    "table shorter than its number": lambda v: v.send(
        fakevmm.SET_MEM_TABLE, table(v, 2, [(0, MIB, 1 << 40, 0)]), [v.memory.fd] * 2),
    "table that overlaps": lambda v: v.send(
        fakevmm.SET_MEM_TABLE, table(v, 2, [(0, MIB, 1 << 40, 0),
                                            (4096, MIB, 1 << 41, 0)]),
        [v.memory.fd] * 2),
    "no header": lambda v: v.send(fakevmm.SET_MEM_TABLE, b""),
    "region of 0": bad_region(1 << 40, 0, 1 << 40, 0),
    "region not aligned": bad_region(1 << 40, MIB + 1, 1 << 40, 0),
    "region that wraps": bad_region(2**64 - 4096, MIB, 1 << 40, 0),
    "region whose user address wraps": bad_region(1 << 40, MIB, 2**64 - 4096, 0),
    "region whose offset wraps": bad_region(1 << 40, MIB, 1 << 40, 2**64 - 4096),
    "region beyond the file": bad_region(1 << 40, MIB, 1 << 40, 64 * MIB),
    "region larger than the file": bad_region(1 << 40, 1 << 50, 1 << 45, 0),
    "region that overlaps": bad_region(MIB, MIB, 1 << 40, 0),
    "region of a pipe": lambda v: v.send(
        fakevmm.ADD_MEM_REG, reg(1 << 40, MIB, 1 << 40, 0), [pipe_end(v)]),
    "region without a file": lambda v: v.send(
        fakevmm.ADD_MEM_REG, reg(1 << 40, MIB, 1 << 40, 0)),
    "region with two files": lambda v: v.send(
        fakevmm.ADD_MEM_REG, reg(1 << 40, MIB, 1 << 40, 0), [v.memory.fd] * 2),
    "removal of nothing": lambda v: v.send(
        fakevmm.REM_MEM_REG, reg(1 << 40, MIB, 1 << 40, 0)),
    "removal of a part": lambda v: v.send(
        fakevmm.REM_MEM_REG, reg(0, MIB, fakevmm.UVA, 0)),
    "removal, wrong user address": lambda v: v.send(
        fakevmm.REM_MEM_REG, reg(0, 32 * MIB, fakevmm.UVA + 4096, 0)),
    "queue 1": lambda v: v.send(fakevmm.SET_VRING_NUM, state(1, 64)),
    "queue 255": lambda v: v.send(fakevmm.SET_VRING_CALL, u64(255 | NO_FD)),
    "queue 2^32 - 1": lambda v: v.send(fakevmm.SET_VRING_ENABLE, state(0xffffffff, 1)),
    "base of queue 8": lambda v: v.send(fakevmm.GET_VRING_BASE, state(8, 0)),
    "address of queue 9": lambda v: v.send(
        fakevmm.SET_VRING_ADDR, struct.pack("=IIQQQQ", 9, 0, 0, 0, 0, 0)),
    "logging": lambda v: v.send(
        fakevmm.SET_VRING_ADDR, struct.pack("=IIQQQQ", 0, 1, 0, 0, 0, 0)),
    "base of 65536": lambda v: v.send(fakevmm.SET_VRING_BASE, state(0, 65536)),
    "enable 2": lambda v: v.send(fakevmm.SET_VRING_ENABLE, state(0, 2)),
    "kick without a file": lambda v: v.send(fakevmm.SET_VRING_KICK, u64(0)),
    "kick that polls": lambda v: v.send(fakevmm.SET_VRING_KICK, u64(NO_FD)),
    "kick with two files": lambda v: v.send(fakevmm.SET_VRING_KICK, u64(0),
                                            [v.memory.fd] * 2),
    "kick that cannot be watched": lambda v: v.send(fakevmm.SET_VRING_KICK, u64(0),
                                                    [v.memory.fd]),
    "call that says no file and has one": lambda v: v.send(
        fakevmm.SET_VRING_CALL, u64(NO_FD), [v.memory.fd]),
    "call with more bits": lambda v: v.send(
        fakevmm.SET_VRING_CALL, u64(1 << 40), [v.memory.fd]),
    "call that is a disk's file": lambda v: v.send(
        fakevmm.SET_VRING_CALL, u64(0), [v.memory.fd]),
    "error that is a disk's file": lambda v: v.send(
        fakevmm.SET_VRING_ERR, u64(0), [v.memory.fd]),
    "backend channel without a socket": lambda v: v.send(
        fakevmm.SET_BACKEND_REQ_FD, b"", [v.memory.fd]),
    "backend channel without a file": lambda v: v.send(fakevmm.SET_BACKEND_REQ_FD),
    "config beyond the limit": lambda v: v.send(
        fakevmm.GET_CONFIG, struct.pack("=III", 250, 8, 0) + bytes(8)),
    "config offset that wraps": lambda v: v.send(
        fakevmm.GET_CONFIG, struct.pack("=III", 0xfffffffc, 8, 0) + bytes(8)),
    "config size that lies": lambda v: v.send(
        fakevmm.GET_CONFIG, struct.pack("=III", 0, 8, 0) + bytes(4)),
    "config without a header": lambda v: v.send(fakevmm.GET_CONFIG),
    "config of 2^32 - 1": lambda v: v.send(
        fakevmm.GET_CONFIG, struct.pack("=III", 0, 0xffffffff, 0)),
}


@test
def hostile_messages(binary):
    with Running(binary) as program:
        time.sleep(0.1)
        fds = program.fds()
        for name, say in HOSTILE.items():
            before = program.log().count("closing the connection")
            vmm = VMM(program.path)
            vmm.extra = ()
            vmm.negotiate()
            equal(vmm.add_region((0, 0, 32 * MIB)), 0, name)
            try:
                say(vmm)
            except fakevmm.Gone:
                pass
            assert vmm.gone(), f"{name}: still connected"
            vmm.close()
            for fd in vmm.extra:
                os.close(fd)
            # Lines are bounded: at most 50 in ten seconds, two a session.
            after = program.log().count("closing the connection")
            assert after == before + 1 or after >= 15, f"{name}: not in the log"
        end = time.monotonic() + 5
        while program.fds() != fds and time.monotonic() < end:
            time.sleep(0.02)
        equal(program.fds(), fds, "open files in the end")
        equal(program.value("status", "memory_regions"), "0", "regions")


@test
def hostile_before_negotiation(binary):
    """What needs a feature of the protocol, without it."""
    gated = [(fakevmm.GET_QUEUE_NUM, b""), (fakevmm.GET_MAX_MEM_SLOTS, b""),
             (fakevmm.GET_STATUS, b""), (fakevmm.SET_STATUS, u64(1)),
             (fakevmm.RESET_DEVICE, b""), (fakevmm.GET_CONFIG, bytes(16)),
             (fakevmm.SET_CONFIG, bytes(16)), (fakevmm.REM_MEM_REG, bytes(40))]
    with Running(binary) as program:
        for request, payload in gated:
            vmm = VMM(program.path)
            vmm.send(request, payload)
            assert vmm.gone(), f"request {request} was taken"
            vmm.close()


@test
def hostile_while_the_ring_runs(binary):
    for request, payload in ((fakevmm.SET_VRING_NUM, state(0, 128)),
                             (fakevmm.SET_VRING_BASE, state(0, 3)),
                             (fakevmm.SET_FEATURES, u64(0))):
        with Running(binary) as program:
            vmm = VMM(program.path).start()
            vmm.send(request, payload)
            assert vmm.gone(), f"request {request} was taken"
            vmm.close()


@test
def refusal_is_acknowledged(binary):
    with Running(binary) as program:
        vmm = VMM(program.path)
        vmm.negotiate()
        equal(vmm.ack(fakevmm.SET_STATUS, u64(1)), 0, "good")
        equal(vmm.ack(fakevmm.SET_STATUS, u64(256)), 1, "bad")
        assert vmm.gone()
        vmm.close()


@test
def message_in_pieces(binary):
    with Running(binary) as program:
        vmm = VMM(program.path)
        data = struct.pack("=III", fakevmm.GET_FEATURES, fakevmm.VERSION, 0)
        for byte in data:
            vmm.sock.send(bytes([byte]))
            time.sleep(0.01)
        vmm.reply(fakevmm.GET_FEATURES)
        # Files with each piece: too many of them
        for _ in range(3):
            vmm.sock.sendmsg([b"\1"], [(socket.SOL_SOCKET, socket.SCM_RIGHTS,
                                        struct.pack("=4i", *[vmm.memory.fd] * 4))])
        assert vmm.gone()
        vmm.close()


@test
def vmm_that_does_not_read(binary):
    with Running(binary) as program:
        vmm = VMM(program.path)
        vmm.negotiate()
        vmm.sock.settimeout(0.5)
        message = struct.pack("=III", fakevmm.GET_FEATURES, fakevmm.VERSION, 0)
        try:
            while True:
                vmm.sock.send(message * 100)
        except (socket.timeout, BrokenPipeError, ConnectionResetError):
            pass
        program.wait_log("answer is not read")
        equal(program.value("status", "vmm"), "none", "vmm")
        vmm.close()


@test
def backend_channel_that_is_not_read(binary):
    with Running(binary) as program:
        vmm = VMM(program.path).start()
        with program.client() as client:
            for i in range(3000):
                client.sendall(b"pressure low\npressure high\n")
                client.recv(6)
        equal(program.value("status", "vmm"), "connected", "vmm")
        equal(vmm.config_change(), True, "announced")
        vmm.backend.close()
        vmm.backend = None
        program.command("pressure none")
        equal(vmm.ask_u64(fakevmm.GET_STATUS), fakevmm.STATUS_ALL, "goes on without")
        vmm.close()


@test
def odd_files_for_a_ring(binary):
    """A pipe that hangs up, a counter that is full."""
    with Running(binary) as program:
        vmm = VMM(program.path).start()
        reader, writer = os.pipe()
        vmm.send(fakevmm.SET_VRING_KICK, u64(0), [reader])
        os.close(reader)
        os.write(writer, bytes(8))
        os.close(writer)
        program.wait_log("of no use any more")
        vmm.send(fakevmm.SET_VRING_KICK, u64(0), [vmm.rings[0].kick_fd])
        os.eventfd_write(vmm.rings[0].call_fd, 2**64 - 2)
        import vendor
        equal(len(vmm.rings[0].request([vendor.report([(8 * MIB, MIB)])])), 24,
              "counter is full")
        vmm.close()


@test
def memory_that_shrinks(binary):
    """Its pages are gone: the program says so and ends, rather than go on."""
    with Running(binary) as program:
        vmm = VMM(program.path).start()
        os.ftruncate(vmm.memory.fd, 0)
        vmm.rings[0].kick()
        program.wait_log("has vanished")
        equal(program.wait(), 1, "exit status")
        program.stop = lambda: 0
        vmm.sock.close()


@test
def random_bytes(binary):
    seed = int(os.environ.get("SEED", "1"))
    source = random.Random(seed)
    with Running(binary) as program:
        for _ in range(200):
            vmm = VMM(program.path)
            try:
                for _ in range(source.randrange(1, 8)):
                    size = source.choice((0, 8, 40, source.randrange(300)))
                    fds = [source.choice((vmm.memory.fd, vmm.sock.fileno()))
                           for _ in range(source.randrange(3))]
                    vmm.send(source.randrange(45), source.randbytes(size), fds,
                             flags=source.choice((0, 8)))
            except fakevmm.Gone:
                pass
            vmm.close()
        equal(program.proc.poll(), None, f"alive after seed {seed}")
        equal(program.value("status", "memory_regions"), "0", "regions")
