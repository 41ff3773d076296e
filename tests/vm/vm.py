# SPDX-License-Identifier: GPL-2.0
"""A QEMU guest under control: boots a kernel, records both serial ports with
the host's time, samples the memory that the guest occupies on the host, and
leaves nothing behind.

    with VM(kernel=..., initrd=..., mem_mib=1024, time_limit_s=60) as vm:
        vm.wait_for(r"ready", 20)
        print(vm.memory_kib())

The guest has two serial ports, so that lines of the kernel never tear lines of
a test: ttyS0 is the kernel's console (stream "K"), ttyS1 belongs to the test
(stream "T"), which can also read from it (send()).

Times are seconds of time.monotonic(); memory is in KiB.
"""

import collections
import contextlib
import ctypes
import os
import re
import select
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time

import hugepages
from qmp import QMP

KERNEL, TEST = "K", "T"
# Emulated on a busy machine, seconds may pass between two ticks of a guest.
BASE_APPEND = "console=ttyS0 loglevel=7 panic=-1 oops=panic watchdog_thresh=60"

QEMU = "qemu-system-x86_64"
# A time limit is processor time of QEMU, which a busy machine gives later, but no less
# of.  A guest that does nothing is killed after so many times as long by the clock.
PATIENCE = 4
# What a guest that hangs uses at the most meanwhile (quiet_s), s of processor time
QUIET_CPU_S = 10
# Backings that another process can map, and more properties of theirs; the pages
# of hugetlb are set aside while the guest is there (hugepages.py)
SHARED = {"memfd": "", "hugetlb": ",hugetlb=on,hugetlbsize=2M"}

Line = collections.namedtuple("Line", "time stream text")
Sample = collections.namedtuple("Sample", "time kib")


class VMError(Exception):
    """The guest did not do what was waited for; the text says what."""


_live = set()


def exit_on_signals():
    """Makes SIGINT, SIGTERM and SIGHUP kill the guests and raise SystemExit, so
    that clean-up code runs and threads that wait for a guest come to an end."""
    def leave(signum, _frame):
        for vm in list(_live):
            vm._kill()
        sys.exit(128 + signum)
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, leave)


def die_with_parent():
    """In the child: be killed when the thread that started it ends."""
    pr_set_pdeathsig = 1
    ctypes.CDLL(None).prctl(pr_set_pdeathsig, signal.SIGKILL)


def die_with_parent_in_base_pages():
    """The same, and memory comes without transparent huge pages."""
    die_with_parent()
    pr_set_thp_disable = 41
    ctypes.CDLL(None).prctl(pr_set_thp_disable, 1, 0, 0, 0)


def rss_kib(pid):
    """Anonymous, shared and hugetlb memory of a process: guest RAM of any backing."""
    total = 0
    with open(f"/proc/{pid}/status", encoding="ascii") as status:
        for line in status:
            if line.startswith(("RssAnon:", "RssShmem:", "HugetlbPages:")):
                total += int(line.split()[1])
    return total


def cpu_s(pid):
    """Processor time that a process has used, s."""
    with open(f"/proc/{pid}/stat", encoding="ascii", errors="replace") as stat:
        words = stat.read().rpartition(")")[2].split()
    return (int(words[11]) + int(words[12])) / os.sysconf("SC_CLK_TCK")


class Console:
    """Collects lines of several sockets with the time of their arrival."""

    def __init__(self, streams):
        self.lines = []
        self.changed = threading.Condition()
        self._buffers = {stream: b"" for stream in streams}
        self._sockets = {sock: stream for stream, sock in streams.items()}

    def add(self, streams):
        """Reads these sockets as well; a line may begin on one and end on another."""
        self._sockets.update({sock: stream for stream, sock in streams.items()})

    def remove(self, sockets):
        """Does not read these any more, and does not end their lines."""
        for sock in sockets:
            self._sockets.pop(sock, None)

    def pump(self, wait_s):
        """Reads what has arrived; returns False when all sockets are closed."""
        if not self._sockets:
            return False
        ready, _, _ = select.select(list(self._sockets), [], [], wait_s)
        for sock in ready:
            stream = self._sockets.get(sock)
            if not stream:
                continue
            try:
                data = sock.recv(65536)
            except OSError:
                data = b""
            if not data:
                self.remove([sock])
                data = b"\n" if self._buffers[stream] else b""
            self._add(stream, data)
        return bool(self._sockets)

    def _add(self, stream, data):
        now = time.monotonic()
        *complete, self._buffers[stream] = (self._buffers[stream] + data).split(b"\n")
        if not complete:
            return
        with self.changed:
            for raw in complete:
                text = raw.decode("utf-8", "replace").rstrip("\r")
                self.lines.append(Line(now, stream, text))
            self.changed.notify_all()


class VM:
    """One guest.  Use it as a context manager."""

    def __init__(self, *, kernel, initrd, accel, mem_mib=512, maxmem_mib=0, smp=1, append="",
                 backing="anon", balloon=None, cpu="max", qemu=QEMU, qemu_args=(),
                 time_limit_s=120, quiet_s=None, sample_s=None, slow=1.0, keeps_mib=0,
                 thp=True):
        self.kernel, self.initrd, self.accel = kernel, initrd, accel
        self.mem_mib, self.smp, self.append = mem_mib, smp, append
        self.maxmem_mib = maxmem_mib  # 0: no memory can be added
        self.backing, self.balloon, self.cpu = backing, balloon, cpu
        self.qemu = qemu  # the program
        self.extra = list(qemu_args)
        self.time_limit_s, self.sample_s = time_limit_s, sample_s
        self.keeps_mib = keeps_mib  # of what was freed, its own checks may keep so much
        self.thp = thp  # the host may use transparent huge pages
        self.slow = slow  # what waits for the guest waits so many times longer
        self.samples = []
        self.timed_out = False
        self.quiet_s = quiet_s
        self._progress = (0, 0, 0.0)  # when, and then: lines of output, processor time
        self.proc = None
        self._procs = []  # all that were started: this guest may have been migrated
        self.started = 0.0
        self._cursor = 0
        self._threads = []
        self._stop = threading.Event()
        self._pages = contextlib.ExitStack()

    # -- life ------------------------------------------------------------

    def command(self, fds):
        """The command line; fds: file descriptors of K, T and QMP."""
        machine = "q35"
        memory = f"{self.mem_mib}M"
        if self.maxmem_mib:
            memory += f",slots=4,maxmem={self.maxmem_mib}M"
        args = [self.qemu, "-nodefaults", "-no-user-config",
                "-display", "none", "-no-reboot", "-cpu", self.cpu,
                "-smp", str(self.smp), "-m", memory]
        if self.accel:
            args += ["-accel", self.accel]
        if self.backing in SHARED:
            args += ["-object", f"memory-backend-memfd,id=ram0,size={self.mem_mib}M,share=on"
                     + SHARED[self.backing]]
            machine += ",memory-backend=ram0"
        elif self.backing != "anon":
            raise ValueError(f"backing '{self.backing}': anon, {' or '.join(SHARED)}")
        args += ["-machine", machine]
        for name, fd in zip((KERNEL, TEST, "qmp"), fds):
            args += ["-chardev", f"socket,id={name},fd={fd}"]
        args += ["-serial", f"chardev:{KERNEL}", "-serial", f"chardev:{TEST}",
                 "-mon", "chardev=qmp,mode=control"]
        if self.balloon is not None:
            options = "," + self.balloon if self.balloon else ""
            args += ["-device", "virtio-balloon-pci,id=balloon0" + options]
        return args + ["-kernel", self.kernel, "-initrd", self.initrd,
                       "-append", f"{BASE_APPEND} {self.append}".strip()] + self.extra

    def start(self):
        """Starts QEMU and the threads that watch it."""
        if not shutil.which(self.qemu):
            raise VMError(f"{self.qemu} not found; run scripts/install-deps vm")
        if self.backing == "hugetlb":
            self._pages.enter_context(hugepages.reserved(self.mem_mib))
        self._stderr = tempfile.TemporaryFile()
        self.started = time.monotonic()
        self.proc, self._sockets = self._spawn([])
        self.console = Console({KERNEL: self._sockets[0], TEST: self._sockets[1]})
        self.qmp = QMP(self._sockets[2])
        self._run(self._watch)
        if self.sample_s:
            self._run(self._sample)
        return self

    def _spawn(self, more):
        """Starts a QEMU; returns it and our ends of its sockets: K, T and QMP."""
        pairs = [socket.socketpair() for _ in range(3)]
        theirs = [their.fileno() for _, their in pairs]
        proc = subprocess.Popen(
            self.command(theirs) + more, pass_fds=theirs, stdin=subprocess.DEVNULL,
            stdout=self._stderr, stderr=self._stderr,
            preexec_fn=die_with_parent if self.thp else die_with_parent_in_base_pages)
        self._procs.append(proc)
        _live.add(self)
        for _, their in pairs:
            their.close()
        return proc, [ours for ours, _ in pairs]

    def _kill(self):
        for proc in self._procs:
            if proc.poll() is None:
                proc.kill()

    def _run(self, target):
        thread = threading.Thread(target=target, daemon=True)
        thread.start()
        self._threads.append(thread)

    def _watch(self):
        """Thread: reads the consoles, and kills a guest that is late."""
        while self.console.pump(0.2) and not self._stop.is_set():
            if self._late() and not self.timed_out:
                self.timed_out = True
                self._kill()
        with self.console.changed:
            self.console.changed.notify_all()

    def _late(self):
        if time.monotonic() - self.started > self.time_limit_s * PATIENCE:
            return True
        try:
            used = cpu_s(self.proc.pid)
        except (OSError, ValueError, IndexError):
            return False  # it has ended
        return used > self.time_limit_s or self._hangs(used)

    def _hangs(self, used):
        """Whether the guest has said and done next to nothing for quiet_s."""
        now, lines = time.monotonic(), len(self.console.lines)
        when, lines_then, used_then = self._progress
        if not when or lines != lines_then or used - used_then > QUIET_CPU_S:
            self._progress = (now, lines, used)
            return False
        return self.quiet_s is not None and now - when > self.quiet_s * self.slow

    def _sample(self):
        """Thread: memory of the guest on the host, at a steady pace."""
        due = time.monotonic()
        while not self._stop.is_set():
            try:
                self.samples.append(Sample(time.monotonic(), rss_kib(self.proc.pid)))
            except (OSError, ValueError):
                return
            due = max(due + self.sample_s, time.monotonic())
            self._stop.wait(due - time.monotonic())

    def __enter__(self):
        try:
            return self.start()
        except BaseException:
            self.close()
            raise

    def __exit__(self, *_exc):
        self.close()

    def close(self):
        """Kills what still runs and joins the threads; may be called twice."""
        self._kill()
        for proc in self._procs:
            proc.wait()
        _live.discard(self)
        self._stop.set()
        for thread in self._threads:
            thread.join(5)
        for sock in getattr(self, "_sockets", ()):
            sock.close()
        self._pages.close()

    def end_within(self, seconds):
        """Shortens the time limit of the whole run: so much processor time from now on."""
        with contextlib.suppress(OSError):
            self.time_limit_s = min(self.time_limit_s,
                                    cpu_s(self.proc.pid) + seconds * self.slow)

    def wait_exit(self, timeout_s=None):
        """Waits until the guest has gone, by itself or killed by the limit."""
        limit = self.time_limit_s * PATIENCE + 5 - (time.monotonic() - self.started)
        try:
            self.proc.wait(limit if timeout_s is None else timeout_s)
        except subprocess.TimeoutExpired:
            raise VMError(f"guest still runs after {timeout_s} s") from None
        self._threads[0].join(5)
        return self.proc.returncode

    # -- migrating ---------------------------------------------------------

    def migrate(self, folder, during=None):
        """Migrates the guest to another QEMU of the same machine, which takes the
        place of this one; during(qmp) is called while it goes on.  Returns what
        query-migrate says in the end."""
        path = f"{folder}/migrate-{len(self._procs)}"
        proc, sockets = self._spawn(["-incoming", f"unix:{path}"])
        other = QMP(sockets[2])
        other.execute("query-status")
        self.console.add({KERNEL: sockets[0], TEST: sockets[1]})
        self.qmp.execute("migrate", uri=f"unix:{path}")
        if during:
            during(self.qmp)
        state = self.wait_migration()
        if state["status"] != "completed":
            raise VMError(f"migration: {state}\n{self.qemu_output()}")
        # What it wrote last has been read before it is left; it writes no more.
        while self.running() and select.select(self._sockets[:2], [], [], 0)[0]:
            time.sleep(0.05)
        self.console.remove(self._sockets[:2])
        self.qmp.execute("quit")
        self.proc.wait()
        for sock in self._sockets:
            sock.close()
        self.proc, self._sockets, self.qmp = proc, sockets, other
        return state

    def wait_migration(self):
        """Waits until the migration is over; what query-migrate says then."""
        while True:
            state = self.qmp.execute("query-migrate")
            if state["status"] in ("completed", "failed", "cancelled"):
                return state
            time.sleep(0.1)

    # -- talking ----------------------------------------------------------

    def running(self):
        """True while QEMU runs and its consoles are open."""
        return self.proc.poll() is None and self._threads[0].is_alive()

    def wait_for(self, pattern, timeout_s=None, stream=TEST):
        """Waits for a line that matches, after the one found last, and returns
        (line, match).  VMError when it does not come, by default before the guest has
        gone or its time is over."""
        regex = re.compile(pattern)
        timeout_s = self.time_limit_s * PATIENCE if timeout_s is None else timeout_s * self.slow
        deadline = time.monotonic() + timeout_s
        with self.console.changed:
            while True:
                lines = self.console.lines
                for index in range(self._cursor, len(lines)):
                    match = lines[index].stream == stream and regex.search(lines[index].text)
                    if match:
                        self._cursor = index + 1
                        return lines[index], match
                left = deadline - time.monotonic()
                if left <= 0 or not self.running():
                    break
                self.console.changed.wait(min(left, 0.5))
        why = f"not within {timeout_s} s" if self.running() else "the guest has gone"
        if self.timed_out:
            why = f"killed at its time limit of {self.time_limit_s} s of processor time, or as it hung"
        raise VMError(f"no line /{pattern}/: {why}")

    def until(self, condition):
        """Waits until condition() holds, and returns what it said last: nothing true only
        if the guest has gone or its time is over.  How busy this machine is does not
        count: whether the guest is soon enough is the guest's to say, by its own clock."""
        while True:
            running = self.running()
            value = condition()
            if value or not running:
                return value
            time.sleep(0.05)

    def send(self, text):
        """Sends one line to the test in the guest."""
        self._sockets[1].sendall(text.encode() + b"\n")

    def answer(self, marker, text=""):
        """Answers host_sync MARKER of lib.sh."""
        self.send(f"go {marker} {text}".rstrip())

    def memory_kib(self):
        """Memory the guest occupies on the host now."""
        return rss_kib(self.proc.pid)

    def log_text(self, last=None):
        """The log: seconds since the start, stream, line."""
        with self.console.changed:
            lines = self.console.lines[-last:] if last else list(self.console.lines)
        text = "".join(f"[{line.time - self.started:9.3f}] {line.stream}| {line.text}\n"
                       for line in lines)
        return text + self.qemu_output()

    def qemu_output(self):
        """What QEMU itself printed."""
        self._stderr.seek(0)
        text = self._stderr.read().decode("utf-8", "replace")
        return "".join(f"qemu: {line}\n" for line in text.splitlines())
