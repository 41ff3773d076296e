# SPDX-License-Identifier: GPL-2.0
"""The command line."""

import os
import socket

from harness import equal, fails, run, test
from vfio_client import Client
from vfio_server import Serving


@test
def once(binary):
    with Serving(binary, "--once") as server:
        socket.socket(socket.AF_UNIX, socket.SOCK_STREAM).connect(server.path)
        server.wait_log("gone|connected")
        Client(server.path).close()
        equal(server.wait(), 0, "exit status")
        assert not os.path.exists(server.path), "socket left"
    with Serving(binary, "--once") as server:
        client = Client(server.path)
        client.send_raw(bytes(16))
        equal(server.wait(), 1, "exit status")
        client.close()
        server.stop = lambda: 0


@test
def socket_given(binary):
    ours, theirs = socket.socketpair(socket.AF_UNIX)
    with Serving(binary, f"--fd={theirs.fileno()}", fds=[theirs.fileno()]) as server:
        theirs.close()
        client = Client(sock=ours)
        client.info()
        client.close()
        equal(server.wait(), 0, "exit status")


@test
def bad_options(binary):
    path = "--socket-path=/nonexistent/x"
    for option, text in (("--pci-id=1234", "four hexadecimal"),
                         ("--pci-id=1234:2000", "1000 to 107f"),
                         ("--pci-id=1234:1005", "subsystem"),
                         ("--pci-id=0000:1045", "no vendor"),
                         ("--pci-id=1234:1040", "virtio id 0")):
        fails(binary, 1, text, path, option)
    status, _, errors = run(binary, path)
    equal(status, 1, "status")
    assert "/nonexistent" in errors, errors
