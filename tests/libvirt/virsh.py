# SPDX-License-Identifier: GPL-2.0
"""libvirt without a daemon: one virsh that has the QEMU driver inside itself
("qemu:///embed"), with all its files in a directory of the caller's.  Nothing on
this machine but that directory is touched, and no other libvirt is seen.

As root the driver insists on a user of the package with the daemon's units; so it
gets a user namespace in which root's files belong to somebody else.
"""

import glob
import os
import queue
import shutil
import subprocess
import threading

HERE = os.path.dirname(os.path.abspath(__file__))
DRIVER = "/usr/lib/*/libvirt/connection-driver/libvirt_driver_qemu.so"
PROMPT = "virsh # "
# No command: what virsh says of it ends the answer to the command before.
MARK = "fpr-end"
END = f"error: unknown command: '{MARK}'"
NOBODY = "65534"
STOP_S = 10


class VirshError(Exception):
    """libvirt is not there, or refused a command; the text says what it said."""


def missing():
    """What has to be installed, as a sentence; None if all is there."""
    absent = [package for package, there in (
        ("libvirt-clients", shutil.which("virsh")),
        ("libvirt-daemon-driver-qemu", glob.glob(DRIVER))) if not there]
    if absent:
        return f"{' and '.join(absent)} not installed; run scripts/install-deps check"
    return None


def forbidden():
    """Why it cannot be had on this machine, as a sentence; None if it can."""
    if os.geteuid() or not subprocess.run(["unshare", "--user", "true"], check=False,
                                          stderr=subprocess.DEVNULL).returncode:
        return None
    return "no user namespaces here (sysctl user.max_user_namespaces, or a container forbids them)"


class Virsh:
    """One such virsh.  Use it as a context manager."""

    def __init__(self, folder):
        self.folder = folder
        self._answers = queue.Queue()
        self._proc = None

    def __enter__(self):
        os.makedirs(f"{self.folder}/etc")
        with open(f"{self.folder}/etc/qemu.conf", "w", encoding="ascii") as conf:
            conf.write('stdio_handler = "file"\n')
        command = ["virsh", "-q", "-c", f"qemu:///embed?root={self.folder}"]
        if os.geteuid() == 0:
            command = ["unshare", "--user", f"--map-user={NOBODY}", f"--map-group={NOBODY}"] + command
        env = dict(os.environ, HOME=self.folder, LC_ALL="C.UTF-8")
        for name in ("XDG_RUNTIME_DIR", "XDG_CONFIG_HOME", "XDG_CACHE_HOME", "LIBVIRT_DEFAULT_URI"):
            env.pop(name, None)
        self._proc = subprocess.Popen([f"{HERE}/keeper"] + command, stdin=subprocess.PIPE,
                                      stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                                      env=env, text=True)
        threading.Thread(target=self._read, daemon=True).start()
        return self

    def __exit__(self, *_exc):
        self._proc.terminate()
        self._proc.wait(STOP_S)

    def _read(self):
        for line in self._proc.stdout:
            self._answers.put(line.rstrip("\n"))
        self._answers.put(None)

    def run(self, command, timeout_s=120):
        """What a command prints.  VirshError if it fails, or does not come back."""
        try:
            self._proc.stdin.write(f"{command}\n{MARK}\n")
            self._proc.stdin.flush()
        except OSError:
            pass  # then it has gone: what it said is read below
        lines = []
        while True:
            try:
                line = self._answers.get(timeout=timeout_s)
            except queue.Empty:
                raise VirshError(f"virsh {command}: no answer in {timeout_s} s") from None
            if line is None:
                raise VirshError(f"virsh has gone: {' '.join(lines)}")
            if line == END:
                break
            if not line.startswith(PROMPT):
                lines.append(line)
        errors = [line for line in lines if line.startswith("error: ")]
        if errors:
            raise VirshError(f"virsh {command}: {' '.join(errors)}")
        return "\n".join(lines)
