# SPDX-License-Identifier: GPL-2.0
"""The program under test: starts it, talks to its control socket, looks for what
it should not leave behind."""

import os
import re
import shutil
import signal
import socket
import subprocess
import tempfile
import time

WAIT_S = 20


class Program:
    """A program of the host's side, with sockets in a directory of its own."""

    def __init__(self, binary, *options, control=True, fds=(), wait=True):
        self.dir = tempfile.mkdtemp(prefix="fpr-host-")
        self.path = os.path.join(self.dir, "vmm.sock")
        self.control_path = os.path.join(self.dir, "control.sock")
        self.log_path = os.path.join(self.dir, "log")
        command = [binary, *options]
        if not any(option.startswith(("--fd=", "--socket-path=")) for option in options):
            command.append("--socket-path=" + self.path)
        if control:
            command.append("--control-socket=" + self.control_path)
        environment = dict(os.environ, ASAN_OPTIONS="detect_leaks=1")
        environment.pop("JOURNAL_STREAM", None)
        with open(self.log_path, "wb") as log:
            self.proc = subprocess.Popen(command, stderr=log, stdin=subprocess.DEVNULL,
                                         pass_fds=fds, env=environment)
        if wait:
            self.wait_log("serving")

    def log(self):
        with open(self.log_path, encoding="utf-8", errors="replace") as log:
            return log.read()

    def wait_for(self, condition, what, timeout=WAIT_S):
        end = time.monotonic() + timeout
        while not condition():
            if self.proc.poll() is not None and not condition():
                raise AssertionError(f"ended without {what}:\n{self.log()}")
            if time.monotonic() > end:
                raise AssertionError(f"{what} does not come:\n{self.log()}")
            time.sleep(0.01)

    def wait_log(self, pattern, timeout=WAIT_S):
        self.wait_for(lambda: re.search(pattern, self.log()), f"{pattern!r} in the log",
                      timeout)

    def first_request(self):
        """The number of the first request that it makes."""
        self.wait_log("request made number=")
        return int(re.search(r"request made number=(\d+)", self.log()).group(1))

    def fds(self):
        return len(os.listdir(f"/proc/{self.proc.pid}/fd"))

    def client(self):
        sock = socket.socket(socket.AF_UNIX)
        sock.settimeout(WAIT_S)
        sock.connect(self.control_path)
        return sock

    def command(self, line):
        """Lines of the answer; the last is "ok" or "error: ..."."""
        with self.client() as sock:
            sock.sendall(line.encode() + b"\n")
            return read_answer(sock)

    def value(self, command, name):
        for line in self.command(command):
            if line.startswith(name + " "):
                return line[len(name) + 1:]
        raise AssertionError(f"no {name} in {command}")

    def wait(self, timeout=WAIT_S):
        return self.proc.wait(timeout)

    def stop(self, number=signal.SIGTERM):
        """The exit status; 0 unless a sanitizer had something to say."""
        if self.proc.poll() is None:
            self.proc.send_signal(number)
        return self.wait()

    def clean_up(self):
        if self.proc.poll() is None:
            self.proc.kill()
            self.proc.wait()
        shutil.rmtree(self.dir)


def read_answer(sock):
    data = b""
    while not re.search(rb"^(ok|error: .*)\n\Z", data, re.M):
        more = sock.recv(4096)
        if not more:
            raise AssertionError(f"closed after {data!r}")
        data += more
    return data.decode().splitlines()
