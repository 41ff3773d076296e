# SPDX-License-Identifier: GPL-2.0
"""Connections: how they begin, end and follow each other, and their buffers."""

import json
import os
import socket
import struct
import time

import vfio_client as vfio
from harness import test
from vfio_client import Client, Driver, Event, Memory, access
from vfio_server import MIB, Serving, check_report


@test
def version(binary):
    with Serving(binary) as server:
        client = Client(server.path, greet=False)
        reply = client.version()
        request = 4 + len(vfio.CAPABILITIES) + 1
        # QEMU has room for no more than it sent.
        assert len(reply) <= request, len(reply)
        assert reply[:4] == struct.pack("=HH", 0, 0)
        assert reply[-1] == 0 and 0 not in reply[4:-1]
        ours = json.loads(reply[4:-1])["capabilities"]
        theirs = json.loads(vfio.CAPABILITIES)["capabilities"]
        assert set(ours) <= set(theirs), ours
        assert 0 < ours["max_msg_fds"] <= 16 and ours["pgsizes"] == 4096
        assert 256 <= ours["max_data_xfer_size"] <= 1 << 20
        assert 0 < ours["max_dma_maps"] <= 65535
        client.close()
        # A subset of nothing, and no data at all
        client = Client(server.path, greet=False)
        assert json.loads(client.version(data=b"{}\0")[4:-1]) == {"capabilities": {}}
        client.close()
        client = Client(server.path, greet=False)
        assert client.version(data=b"") == struct.pack("=HH", 0, 0)
        client.close()


@test
def next_client_finds_nothing_of_the_last(binary):
    with Serving(binary) as server:
        for _ in range(3):
            driver = server.guest()
            events = [Event(), Event()]
            driver.client.set_irqs(vfio.MSIX, vfio.FD_TRIGGER, 0, 2,
                                   [event.fd for event in events])
            check_report(server, driver)
            driver.client.close()
            server.wait_idle()
            for event in events:
                event.close()
            client = Client(server.path)
            fresh = Driver(client, None)
            assert fresh.status() == 0 and fresh.common(16, 2) == vfio.NO_VECTOR
            fresh.common(22, 2, 0)
            assert fresh.common(28, 2) == 0 and fresh.common(32, 4) == 0
            client.close()
            server.wait_idle()


@test
def second_client_waits(binary):
    with Serving(binary) as server:
        first = Client(server.path)
        second = Client(server.path, greet=False)
        second.send(vfio.VERSION, struct.pack("=HH", 0, 0))
        first.info()
        first.close()
        second.receive()
        second.info()
        second.close()


@test
def bytes_one_by_one(binary):
    with Serving(binary) as server:
        client = Client(server.path, greet=False)
        payload = struct.pack("=HH", 0, 0) + vfio.CAPABILITIES.encode() + b"\0"
        for byte in vfio.header(vfio.VERSION, 16 + len(payload), 77) + payload:
            client.send_raw(bytes([byte]))
        assert client.receive()[0] == 77
        client.close()


@test
def many_at_once(binary):
    """More than the socket's buffers hold, while nobody reads the replies."""
    with Serving(binary) as server:
        client = Client(server.path)
        nr = 20000
        one = vfio.header(vfio.REGION_READ, 32, 1) + access(7, 0, 256)
        pid = os.fork()
        if pid == 0:
            client.sock.settimeout(60)
            client.sock.sendall(one * nr)
            os._exit(0)
        time.sleep(1)
        server.command("status")
        for _ in range(nr):
            assert len(client.receive()[2]) == 16 + 256
        assert os.waitpid(pid, 0)[1] == 0
        # Nothing is said to who asked for that.
        client.send(vfio.RESET, flags=vfio.NO_REPLY)
        client.send(99, flags=vfio.NO_REPLY)
        client.info()
        client.close()


@test
def client_that_does_not_read(binary):
    """Waiting for it costs next to nothing: the program sleeps in between."""
    with Serving(binary) as server:
        client = Client(server.path)
        client.sock.settimeout(1)
        try:
            while True:
                client.sock.sendall(vfio.header(vfio.REGION_READ, 32, 1) + access(7, 0, 256))
        except socket.timeout:
            pass
        before = server.sleeps()
        time.sleep(2)
        slept = server.sleeps() - before
        assert slept >= 10, f"slept {slept} times in 2 s"
        client.close()


@test
def hangs_up_in_the_middle(binary):
    with Serving(binary) as server:
        message = vfio.header(vfio.DMA_MAP, 48) + struct.pack("=IIQQQ", 32, 3, 0, 0, MIB)
        memory = Memory(MIB)
        for length in (1, 15, 16, 17, 47):
            client = Client(server.path)
            client.send_raw(message[:length], [memory.fd])
            client.close()
            server.wait_idle()
        # With the version unsaid, and with replies unread
        Client(server.path, greet=False).close()
        client = Client(server.path)
        for _ in range(100):
            client.send(vfio.REGION_READ, access(7, 0, 256))
        client.close()
        server.wait_idle()
        check_report(server, server.guest())
