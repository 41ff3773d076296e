# SPDX-License-Identifier: GPL-2.0
"""The program that serves a guest's device from outside of QEMU.

It listens before QEMU starts, since QEMU connects to it once; what it prints is
kept; and it goes with the guest.

    with Backend(["/some/program", "--control", "{control}"]) as backend:
        ... boot a guest with device_args("vhost-user", backend.socket) ...

"{control}" in an argument stands for a path for its control socket, "{dir}" for
the directory that this is in; "--socket-path SOCKET", by QEMU's convention for
such programs, is added.
"""

import json
import os
import signal
import subprocess
import tempfile
import time

from vm import cpu_s, die_with_parent

# Of sleep, or of processor time: while it waits for a processor of a busy machine, or for
# its disk, it is not late.
LISTEN_S = 20
STOP_S = 10
LOOK_S = 0.02
MAX_PATH = 107  # of a UNIX socket (sun_path), without its end
LISTENS = 0x10000  # flag in /proc/net/unix (__SO_ACCEPTCON)


def asleep(pid):
    """True if a process waits for something to happen, or has ended."""
    try:
        with open(f"/proc/{pid}/stat", encoding="ascii", errors="replace") as stat:
            return stat.read().rpartition(")")[2].split()[0] not in "RD"
    except OSError:
        return True


class BackendError(Exception):
    """The program is not there, or did not start; the text says why."""


def listens(path):
    """True if a process listens on that socket; without connecting to it, which a
    program that serves one connection would take for QEMU."""
    with open("/proc/net/unix", encoding="utf-8", errors="replace") as sockets:
        for line in sockets:
            fields = line.split(maxsplit=7)
            if len(fields) == 8 and fields[7].rstrip("\n") == path:
                return bool(int(fields[3], 16) & LISTENS)
    return False


def property_value(text):
    """A property's value as JSON has it: switch, number or text."""
    if text in ("on", "off"):
        return text == "on"
    try:
        return int(text, 0)
    except ValueError:
        return text


def device_args(spec, path):
    """QEMU's arguments for "vhost-user[,PROPERTY=VALUE...]", or vfio-user, at the
    socket path."""
    kind, *words = spec.split(",")
    values = {}
    for word in words:
        key, equals, value = word.partition("=")
        if not equals:
            raise BackendError(f"device={spec}: '{word}' is not PROPERTY=VALUE")
        values[key] = property_value(value)
    if kind == "vhost-user":
        device = {"driver": "vhost-user-test-device-pci", "chardev": "backend"}
        chardev = ["-chardev", f"socket,id=backend,path={path}"]
    elif kind == "vfio-user":
        device = {"driver": "vfio-user-pci", "socket": {"type": "unix", "path": path}}
        chardev = []
    else:
        raise BackendError(f"device={spec}: a device is vhost-user or vfio-user")
    return chardev + ["-device", json.dumps({**device, **values})]


class Backend:
    """One such program.  pid, socket, control (paths) and log (path) are what a
    test may look at."""

    def __init__(self, command, slow=1.0):
        self._folder = tempfile.TemporaryDirectory(prefix="fpr-")
        self.dir = self._folder.name
        self.socket = os.path.join(self.dir, "vm.sock")
        self.control = os.path.join(self.dir, "control.sock")
        self.log = os.path.join(self.dir, "log")
        self.slow = slow
        self.proc = None
        self._killed = False
        names = {"{control}": self.control, "{dir}": self.dir}
        self.command = [self._fill_in(word, names) for word in command]
        self.command += ["--socket-path", self.socket]

    @staticmethod
    def _fill_in(word, names):
        for name, value in names.items():
            word = word.replace(name, value)
        return word

    @property
    def pid(self):
        return self.proc.pid

    def start(self):
        """Starts it and waits until it listens; again, after it has gone."""
        if len(self.control) > MAX_PATH:
            raise BackendError(f"{self.control} is too long for a socket ({MAX_PATH} bytes at "
                               "most): set TMPDIR to a shorter directory")
        for path in (self.socket, self.control):
            if os.path.exists(path):
                os.unlink(path)
        self._killed = False
        with open(self.log, "ab") as log:
            self.proc = subprocess.Popen(self.command, stdin=subprocess.DEVNULL, stdout=log,
                                         stderr=log, preexec_fn=die_with_parent)
        good = self._until(lambda: listens(self.socket), LISTEN_S)
        if not self.running():
            raise BackendError(f"{self.command[0]} ended with status "
                               f"{self.proc.returncode} before it listened{self._last()}")
        if not good:
            self.stop()
            raise BackendError(f"{self.command[0]} does not listen on --socket-path "
                               f"within {LISTEN_S * self.slow:.0f} s{self._last()}")
        return self

    def _until(self, condition, seconds):
        """Waits until condition() holds, or the program has ended, or has slept or worked
        for so long; returns the condition."""
        limit, slept = seconds * self.slow, 0.0
        while not condition() and self.running():
            if slept > limit or cpu_s(self.proc.pid) > limit:
                break
            time.sleep(LOOK_S)
            slept += LOOK_S * asleep(self.proc.pid)
        return condition()

    def running(self):
        """True while the program runs."""
        return self.proc is not None and self.proc.poll() is None

    def kill(self):
        """Kills it, as a crash would; that it ended so is then no fault."""
        self._killed = True
        self.proc.kill()
        self.proc.wait()

    def stop(self):
        """Asks it to end, and kills it if it does not; may be called twice."""
        if not self.running():
            return
        self.proc.terminate()
        if not self._until(lambda: not self.running(), STOP_S):
            self.proc.kill()
        self.proc.wait()

    def fault(self):
        """What is wrong with how it ended, or None: it ends well by itself when QEMU
        goes, or when it is told to."""
        status = self.proc.returncode
        if self._killed or status in (0, -signal.SIGTERM):
            return None
        if status == -signal.SIGKILL:
            return f"backend: had to be killed, {STOP_S * self.slow:.0f} s after it was told to end"
        return f"backend: ended with status {status}"

    def __enter__(self):
        try:
            return self.start()
        except BaseException:
            self.close()
            raise

    def __exit__(self, *_exc):
        self.close()

    def close(self):
        """Stops it and removes its files."""
        self.stop()
        self._folder.cleanup()

    def log_text(self):
        """What it printed."""
        with open(self.log, encoding="utf-8", errors="replace") as log:
            return "".join(f"backend: {line.rstrip()}\n" for line in log)

    def _last(self):
        """The end of that, to follow a sentence."""
        lines = self.log_text().splitlines()[-5:]
        return "".join(f"\n       {line}" for line in lines)
