# SPDX-License-Identifier: GPL-2.0
"""Whole sessions, as VMMs hold them."""

import os
import signal
import socket
import struct
import subprocess
import sys
import time

import fakevmm
import vendor
from fakevmm import MIB, VMM
from harness import Running, equal, test


@test
def vendor_report_punches(binary):
    with Running(binary) as program:
        vmm = VMM(program.path).start()
        config = vendor.config(vmm.config())
        equal((config.magic, config.version, config.size, config.granule_shift),
              (vendor.MAGIC, 0x100, 40, 12), "configuration")
        vmm.memory.fill(8 * MIB, 8 * MIB)
        vmm.memory.fill((4 << 30) + MIB, 4 * MIB)
        vmm.memory.fill(24 * MIB, 4096)
        before = vmm.memory.allocated()
        answer = vendor.response(vmm.rings[0].request([vendor.report(
            [(8 * MIB, 8 * MIB), ((4 << 30) + MIB, 4 * MIB)])]))
        equal(answer, (vendor.OK, 12 * MIB, 0), "answer")
        equal(before - vmm.memory.allocated(), 12 * MIB, "given back")
        equal(vmm.memory.read(8 * MIB, 4096), bytes(4096), "contents")
        equal(vmm.memory.read(24 * MIB, 4096), b"\xa5" * 4096, "neighbour")
        equal(program.value("counters", "discarded_bytes"), str(12 * MIB), "counter")
        vmm.close()


@test
def vendor_report_in_many_descriptors(binary):
    with Running(binary) as program:
        vmm = VMM(program.path).start()
        vmm.memory.fill(8 * MIB, 4 * MIB)
        data = vendor.report([(8 * MIB + i * 65536, 65536) for i in range(40)])
        pieces = [data[i:i + 37] for i in range(0, len(data), 37)]
        answer = vendor.response(vmm.rings[0].request(pieces))
        equal(answer, (vendor.OK, 40 * 65536, 0), "answer")
        vmm.close()


@test
def vendor_refusals_are_answered(binary):
    with Running(binary) as program:
        vmm = VMM(program.path).start()
        # Half in no region, and wholly in none
        answer = vendor.response(vmm.rings[0].request(
            [vendor.report([(31 * MIB, 2 * MIB), (1 << 40, 3 * MIB)])]))
        equal(answer, (vendor.RANGE, MIB, 4 * MIB), "answer")
        answer = vendor.response(vmm.rings[0].request([vendor.report([], kind=7)]))
        equal(answer.status, vendor.UNSUPPORTED, "unknown type")
        equal(program.command("discard none"), ["ok"], "discard none")
        vmm.memory.fill(8 * MIB, MIB)
        before = vmm.memory.allocated()
        answer = vendor.response(vmm.rings[0].request(
            [vendor.report([(8 * MIB, MIB)])]))
        equal(answer, (vendor.DISABLED, 0, MIB), "answer")
        equal(vmm.memory.allocated(), before, "memory")
        vmm.close()


@test
def granule_by_option(binary):
    with Running(binary, "--granule=2M") as program:
        vmm = VMM(program.path).start()
        equal(vendor.config(vmm.config()).granule_shift, 21, "granule")
        vmm.memory.fill(8 * MIB, 8 * MIB)
        answer = vendor.response(vmm.rings[0].request(
            [vendor.report([(8 * MIB + 4096, 4 * MIB)])]))
        equal(answer, (vendor.GRANULE, 2 * MIB, 2 * MIB), "answer")
        vmm.close()


@test
def mem_table_without_slots(binary):
    with Running(binary) as program:
        protocol = fakevmm.P_ALL & ~(fakevmm.P_MEM_SLOTS | fakevmm.P_STATUS)
        vmm = VMM(program.path).start(protocol=protocol)
        vmm.memory.fill(8 * MIB, MIB)
        answer = vendor.response(vmm.rings[0].request(
            [vendor.report([(8 * MIB, MIB)])]))
        equal(answer, (vendor.OK, MIB, 0), "answer")
        # A new table, while the ring runs: the same memory, cut otherwise
        vmm.memory.regions = [(0, 0, 16 * MIB), (8 << 30, 16 * MIB, 16 * MIB)]
        vmm.share_memory()
        equal(vendor.response(vmm.rings[0].request(
            [vendor.report([((8 << 30) + MIB, MIB), (20 * MIB, MIB)])])),
              (vendor.RANGE, MIB, MIB), "after another table")
        vmm.close()


@test
def plain_session_without_protocol_features(binary):
    with Running(binary) as program:
        vmm = VMM(program.path)
        offered = vmm.ask_u64(fakevmm.GET_FEATURES)
        vmm.protocol = 0
        vmm.send(fakevmm.SET_FEATURES,
                 struct.pack("=Q", offered & ~fakevmm.F_PROTOCOL))
        vmm.share_memory()
        ring = vmm.rings[0] = fakevmm.Ring(vmm, 0, 0x10000)
        ring.set_up(enable=False)
        equal(vendor.response(ring.request([vendor.report([(8 * MIB, MIB)])])),
              (vendor.OK, MIB, 0), "answer")
        vmm.close()


@test
def ring_waits_until_enabled(binary):
    with Running(binary) as program:
        vmm = VMM(program.path)
        vmm.negotiate()
        vmm.share_memory()
        ring = vmm.rings[0] = fakevmm.Ring(vmm, 0, 0x10000)
        ring.set_up(enable=False)
        vmm.sync()
        equal(ring.request([vendor.report([(8 * MIB, MIB)])], timeout=0.3), None,
              "before")
        vmm.send(fakevmm.SET_VRING_ENABLE, struct.pack("=II", 0, 1))
        equal(ring.wait_used(), 24, "after, without another kick")
        vmm.send(fakevmm.SET_VRING_ENABLE, struct.pack("=II", 0, 0))
        vmm.sync()
        equal(ring.request([vendor.report([(8 * MIB, MIB)])], timeout=0.3), None,
              "disabled again")
        vmm.close()


@test
def regions_come_and_go(binary):
    with Running(binary) as program:
        vmm = VMM(program.path).start()
        high = vmm.memory.regions[1]
        ranges = [vendor.report([((4 << 30), MIB)])]
        equal(vendor.response(vmm.rings[0].request(ranges)).status, vendor.OK, "there")
        fds = program.fds()
        equal(vmm.remove_region(high), 0, "remove")
        equal(program.fds(), fds - 1, "open files without the region")
        equal(vendor.response(vmm.rings[0].request(ranges)).status, vendor.RANGE, "gone")
        equal(vmm.add_region(high), 0, "add")
        equal(vendor.response(vmm.rings[0].request(ranges)).status, vendor.OK, "back")
        # The region that the ring is in: it waits for its memory
        low = vmm.memory.regions[0]
        equal(vmm.remove_region(low), 0, "remove the ring's")
        vmm.rings[0].kick()
        equal(vmm.rings[0].request(ranges, timeout=0.3), None, "no ring")
        equal(vmm.add_region(low), 0, "add the ring's")
        equal(vmm.rings[0].wait_used(), 24, "request that was waiting")
        # With its file, as older VMMs do it
        equal(vmm.ack(fakevmm.REM_MEM_REG, bytes(8) + vmm.memory.describe(high),
                      [vmm.memory.fd]), 0, "remove, with a file")
        equal(vmm.ask_u64(fakevmm.GET_MAX_MEM_SLOTS), 512, "slots")
        equal(vmm.ask_u64(fakevmm.GET_QUEUE_NUM), 1, "queues")
        vmm.close()


@test
def stop_and_go_on(binary):
    with Running(binary) as program:
        vmm = VMM(program.path).start()
        ring = vmm.rings[0]
        request = [vendor.report([(8 * MIB, MIB)])]
        for _ in range(5):
            ring.request(request)
        reply = vmm.ask(fakevmm.GET_VRING_BASE, struct.pack("=II", 0, 0))
        equal(struct.unpack("=II", reply), (0, 5), "base")
        equal(ring.request(request, timeout=0.3), None, "stopped")
        ring.set_up(base=5)
        equal(ring.wait_used(), 24, "the request that was waiting")
        # A reset in between: features have to be said again
        vmm.send(fakevmm.SET_STATUS, struct.pack("=Q", 0))
        equal(vmm.ask_u64(fakevmm.GET_STATUS), 0, "status")
        equal(ring.request(request, timeout=0.3), None, "reset")
        vmm.send(fakevmm.SET_FEATURES, struct.pack("=Q", vmm.sync()))
        ring.set_up(base=6)
        equal(ring.wait_used(), 24, "after the reset")
        vmm.send(fakevmm.RESET_DEVICE)
        vmm.sync()
        equal(ring.request(request, timeout=0.3), None, "reset device")
        vmm.close()


@test
def no_more_than_a_turn(binary):
    """What takes longer than a turn, 50 ms, is served to its end, with one kick."""
    size = 1024 * MIB
    with Running(binary) as program:
        memory = fakevmm.Memory(regions=((0, 0, size),), size=size)
        vmm = VMM(program.path, memory=memory).start()
        ring = vmm.rings[0]
        nr = ring.size // 2 - 1
        for i in range(16, 16 * (nr + 1)):
            memory.fill(i * MIB, MIB)
        for i in range(nr):
            data = vendor.report([((i + 1) * 16 * MIB, 16 * MIB)])
            at, answer_at = ring.data + 64 * i, ring.data + 0x8000 + 64 * i
            memory.write(at, data)
            memory.write(ring.desc + 32 * i,
                         struct.pack("<QIHH", at, len(data), 1, 2 * i + 1) +
                         struct.pack("<QIHH", answer_at, 24, 2, 0))
            memory.write(ring.avail + 4 + 2 * i, struct.pack("<H", 2 * i))
        ring.next_avail = nr
        memory.write(ring.avail + 2, struct.pack("<H", nr))
        ring.kick()
        for i in range(nr):
            equal(ring.wait_used(), 24, f"request {i}")
        equal(program.value("counters", "discarded_bytes"), str(nr * 16 * MIB), "bytes")
        vmm.close()


@test
def balloon_session(binary):
    with Running(binary, "--balloon") as program:
        vmm = VMM(program.path).start(nr_rings=3)
        equal(vmm.ask_u64(fakevmm.GET_QUEUE_NUM), 3, "queues")
        equal(vmm.sync() & (1 << 5), 1 << 5, "reporting is offered")
        vmm.memory.fill(8 * MIB, 8 * MIB)
        before = vmm.memory.allocated()
        ring = vmm.rings[2]
        ring.put([(8 * MIB + i * MIB, MIB, True) for i in range(8)])
        equal(ring.wait_used(), 0, "used length")
        equal(before - vmm.memory.allocated(), 8 * MIB, "given back")
        inflate = vmm.rings[0]
        vmm.memory.fill(16 * MIB, MIB)
        before = vmm.memory.allocated()
        vmm.memory.write(inflate.data, struct.pack("<I", 16 * MIB >> 12))
        inflate.put([(inflate.data, 4, False)])
        equal(inflate.wait_used(), 0, "inflate comes back")
        equal(vmm.memory.allocated() >= before, True, "inflate takes nothing")
        equal(vmm.config(size=16), bytes(16), "configuration")
        equal(program.command("request")[-1],
              "error: the stock balloon device takes no requests", "request")
        vmm.close()


@test
def broken_rules_need_a_reset(binary):
    with Running(binary) as program:
        vmm = VMM(program.path).start()
        ring = vmm.rings[0]
        equal(ring.request([vendor.report([(8 * MIB, MIB)], nr=5000)], timeout=0.5),
              None, "not answered")
        equal(vmm.ask_u64(fakevmm.GET_STATUS),
              fakevmm.STATUS_ALL | fakevmm.STATUS_NEEDS_RESET, "status")
        equal(vmm.config_change(), True, "announced")
        equal(os.eventfd_read(ring.err_fd), 1, "error file")
        equal(program.value("status", "state"), "needs-reset", "control")
        ring.put([(ring.data, 24, False)])
        equal(ring.wait_used(0.3), None, "nothing is served")
        vmm.send(fakevmm.SET_STATUS, struct.pack("=Q", 0))
        vmm.send(fakevmm.SET_FEATURES, struct.pack("=Q", vmm.sync()))
        vmm.memory.fill(ring.desc, 0x10000, b"\0")
        ring.next_avail = ring.next_used = 0
        ring.set_up()
        equal(vendor.response(ring.request([vendor.report([(8 * MIB, MIB)])])).status,
              vendor.OK, "after the reset")
        equal(program.value("status", "state"), "ok", "control")
        vmm.close()


@test
def broken_rules_end_with_the_session(binary):
    with Running(binary) as program:
        vmm = VMM(program.path).start()
        equal(vmm.rings[0].request([b"short"], timeout=0.3), None, "not answered")
        equal(program.value("status", "state"), "needs-reset", "control")
        vmm.close()
        vmm = VMM(program.path).start()
        equal(vendor.response(vmm.rings[0].request(
            [vendor.report([(8 * MIB, MIB)])])).status, vendor.OK, "the next VMM")
        vmm.close()


@test
def broken_rules_and_stopped_rings(binary):
    """QEMU 11 says no status of 0 when the driver resets the device."""
    for protocol in (fakevmm.P_ALL & ~fakevmm.P_STATUS, fakevmm.P_ALL):
        for again in (False, True):
            with Running(binary) as program:
                vmm = VMM(program.path).start(protocol=protocol)
                ring = vmm.rings[0]
                equal(ring.request([b"short"], timeout=0.3), None, "not answered")
                equal(os.eventfd_read(ring.err_fd), 1, "error file")
                vmm.ask(fakevmm.GET_VRING_BASE, struct.pack("=II", 0, 0))
                vmm.memory.fill(ring.desc, 0x10000, b"\0")
                ring.next_avail = ring.next_used = 0
                if again:
                    vmm.send(fakevmm.SET_FEATURES, struct.pack("=Q", vmm.sync()))
                ring.set_up()
                equal(vendor.response(ring.request(
                    [vendor.report([(8 * MIB, MIB)])])).status, vendor.OK, "answer")
                equal(program.value("status", "state"), "ok", "control")
                if protocol & fakevmm.P_STATUS:
                    equal(vmm.ask_u64(fakevmm.GET_STATUS), fakevmm.STATUS_ALL, "status")
                vmm.close()


@test
def badly_placed_ring_keeps_the_connection(binary):
    """Size and place of a ring may be the guest's choice."""
    for what in ("size", "place", "alignment", "version"):
        with Running(binary) as program:
            vmm = VMM(program.path)
            offered = vmm.negotiate()
            if what == "version":
                vmm.send(fakevmm.SET_FEATURES,
                         struct.pack("=Q", offered & ~fakevmm.F_VERSION_1))
            vmm.share_memory()
            ring = vmm.rings[0] = fakevmm.Ring(vmm, 0, 0x10000)
            ring.set_up()
            if what != "version":
                vmm.ask(fakevmm.GET_VRING_BASE, struct.pack("=II", 0, 0))
            at = {"place": fakevmm.UVA + (64 << 20), "alignment": fakevmm.UVA + 8}
            if what == "size":
                vmm.send(fakevmm.SET_VRING_NUM, struct.pack("=II", 0, 100))
            elif what in at:
                vmm.send(fakevmm.SET_VRING_ADDR, struct.pack(
                    "=IIQQQQ", 0, 0, at[what], at[what], at[what], 0))
                vmm.send(fakevmm.SET_VRING_KICK, struct.pack("=Q", 0), [ring.kick_fd])
            equal(vmm.ask_u64(fakevmm.GET_STATUS), fakevmm.STATUS_NEEDS_RESET, what)
            equal(program.value("status", "state"), "needs-reset", what)
            equal(program.value("counters", "needs_reset"), "1", what)
            vmm.close()


@test
def config_reads(binary):
    with Running(binary) as program:
        vmm = VMM(program.path)
        vmm.negotiate()
        whole = vmm.config()
        equal(vmm.config(8, 4), whole[4:12], "part")
        equal(vmm.config(256), whole + bytes(216), "beyond the device's")
        equal(vmm.config(4, 252), bytes(4), "far beyond")
        equal(vmm.config(0), b"", "nothing")
        equal(vmm.ack(fakevmm.SET_CONFIG, struct.pack("=III", 0, 4, 0) + bytes(4)), 1,
              "a write is refused")
        equal(vmm.config(), whole, "unchanged")
        vmm.close()


@test
def reconnects_leak_nothing(binary):
    with Running(binary) as program:
        VMM(program.path).close()
        counts = set()
        for i in range(10):
            vmm = VMM(program.path).start()
            equal(vendor.response(vmm.rings[0].request(
                [vendor.report([(8 * MIB, MIB)])])).status, vendor.OK, "answer")
            counts.add(program.fds())
            if i % 2:
                vmm.sock.send(b"\1\0\0")
            vmm.close()
            equal(program.value("status", "memory_bytes") in ("0", str(64 * MIB)), True)
        time.sleep(0.1)
        equal(len(counts), 1, "open files in each session")
        equal(program.value("status", "vmm"), "none", "afterwards")
        equal(program.value("counters", "reports"), "10", "reports")


@test
def replaced_files_are_closed(binary):
    with Running(binary) as program:
        vmm = VMM(program.path).start()
        vmm.sync()
        fds = program.fds()
        ring = vmm.rings[0]
        for _ in range(20):
            for request, fd in ((fakevmm.SET_VRING_CALL, ring.call_fd),
                                (fakevmm.SET_VRING_ERR, ring.err_fd),
                                (fakevmm.SET_VRING_KICK, ring.kick_fd)):
                vmm.send(request, struct.pack("=Q", 0), [fd])
            vmm.send(fakevmm.SET_BACKEND_REQ_FD, b"", [vmm.backend.fileno()])
            # Refused, and not kept
            equal(vmm.ack(fakevmm.SET_CONFIG, bytes(16)), 1, "write")
        vmm.sync()
        equal(program.fds(), fds, "open files")
        equal(vendor.response(vmm.rings[0].request(
            [vendor.report([(8 * MIB, MIB)])])).status, vendor.OK, "goes on")
        vmm.close()


@test
def second_vmm_waits_for_the_first(binary):
    with Running(binary) as program:
        first = VMM(program.path).start()
        second = VMM(program.path)
        second.send(fakevmm.GET_FEATURES)
        second.sock.settimeout(0.3)
        try:
            second.reply(fakevmm.GET_FEATURES)
            raise AssertionError("the second was served")
        except socket.timeout:
            pass
        second.sock.settimeout(20)
        first.close()
        second.reply(fakevmm.GET_FEATURES)
        second.close()


@test
def once_ends_with_the_vmm(binary):
    with Running(binary, "--once") as program:
        # Somebody who looks whether the socket is in use is no VMM.
        VMM(program.path).close()
        vmm = VMM(program.path).start()
        vmm.rings[0].request([vendor.report([(8 * MIB, MIB)])])
        vmm.close()
        equal(program.wait(), 0, "exit status")
        equal(os.path.exists(program.path), False, "socket")
        equal(os.path.exists(program.control_path), False, "control socket")


@test
def killed_vmm(binary):
    """kill -9 in the middle of a session."""
    code = ("import sys,time; sys.path.insert(0, sys.argv[1]); import fakevmm, vendor\n"
            "vmm = fakevmm.VMM(sys.argv[2]).start()\n"
            "print('up', flush=True)\n"
            "while True:\n"
            "    vmm.rings[0].request([vendor.report([(8 << 20, 8 << 20)])])\n")
    with Running(binary) as program:
        for _ in range(3):
            child = subprocess.Popen([sys.executable, "-c", code, sys.path[0],
                                      program.path], stdout=subprocess.PIPE)
            child.stdout.readline()
            time.sleep(0.2)
            child.send_signal(signal.SIGKILL)
            child.wait()
            child.stdout.close()
        vmm = VMM(program.path).start()
        equal(vendor.response(vmm.rings[0].request(
            [vendor.report([(8 * MIB, MIB)])])).status, vendor.OK, "the next VMM")
        vmm.close()


@test
def by_connected_fd(binary):
    ours, theirs = socket.socketpair(socket.AF_UNIX)
    with Running(binary, f"--fd={theirs.fileno()}", fds=[theirs.fileno()]) as program:
        theirs.close()
        vmm = VMM(sock=ours).start()
        equal(vendor.response(vmm.rings[0].request(
            [vendor.report([(8 * MIB, MIB)])])).status, vendor.OK, "answer")
        vmm.close()
        equal(program.wait(), 0, "exit status")


@test
def by_listening_fd(binary):
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind("\0fpr-test-%d" % os.getpid())
        listener.listen()
        with Running(binary, f"--fd={listener.fileno()}",
                     fds=[listener.fileno()]) as program:
            for _ in range(2):
                sock = socket.socket(socket.AF_UNIX)
                sock.connect(listener.getsockname())
                vmm = VMM(sock=sock).start()
                equal(vmm.ask_u64(fakevmm.GET_STATUS), fakevmm.STATUS_ALL, "status")
                vmm.close()
            equal(program.proc.poll(), None, "waits for the next")
