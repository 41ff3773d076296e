# SPDX-License-Identifier: GPL-2.0
"""The command line, and what can be wrong with sockets."""

import json
import os
import signal
import socket
import subprocess
import tempfile
import time

from fakevmm import VMM
from harness import Running, equal, fails, run, test


@test
def what_it_prints(binary):
    status, out, _ = run(binary, "--print-capabilities")
    equal((status, json.loads(out)), (0, {"type": "balloon"}), "capabilities")
    status, out, _ = run(binary, "--help")
    equal(status, 0, "help")
    for option in ("--socket-path", "--fd", "--balloon", "--discard", "--granule",
                   "--control-socket", "--pressure", "--cgroup", "--prometheus",
                   "--once", "--print-capabilities", "--version", "--verbose"):
        assert option in out, option
    status, out, _ = run(binary, "--version")
    equal((status, out.split()[0]), (0, "vhost-user-fpr"), "version")
    # By convention, whatever else is there
    equal(run(binary, "--balloon", "--print-capabilities", "--fd=77")[0], 0, "ignored")
    equal(run(binary, "--granule=5", "--print-capabilities")[0], 0, "ignored")


@test
def wrong_usage(binary):
    for options in ((), ("--socket-path=/x", "--fd=3"), ("--nonsense",), ("--fd",),
                    ("--fd=3", "word"), ("--fd=3", "--cgroup=/x", "--pressure=low")):
        equal(run(binary, *options)[0], 2, f"{options}")


@test
def wrong_values(binary):
    socket_path = "--socket-path=/nonexistent/x"
    for option, text in {
            "--granule=5000": "power of two", "--granule=2048": "power of two",
            "--granule=0": "power of two", "--granule=-1": "power of two",
            "--granule=2T": "power of two", "--discard=all": "punch or none",
            "--pressure=huge": "auto, none, low, high or critical",
            "--pressure-limits=5,4,3": "three percentages",
            "--pressure-limits=1,2": "three percentages",
            "--pressure-limits=1,2,300": "three percentages",
            "--pressure-limits=1,2,3,4": "three percentages",
            "--fd=x": "number of an open socket", "--fd=-1": "number of an open socket",
            "--fd=99999999999999999999": "number of an open socket",
            "--prometheus=": "name of a file", "--cgroup=": "directory"}.items():
        fails(binary, 1, text, option, socket_path)
    fails(binary, 1, "no UNIX stream socket", "--fd=0")
    fails(binary, 1, "no UNIX stream socket", "--fd=99")


@test
def wrong_places(binary):
    with tempfile.TemporaryDirectory() as directory:
        os.chmod(directory, 0o755)
        fails(binary, 1, "no directory for the socket",
              f"--socket-path={directory}/none/x")
        fails(binary, 1, "1 to 107 bytes", "--socket-path=" + directory + "/" + "x" * 200)
        fails(binary, 1, "1 to 107 bytes", "--socket-path=")
        with open(directory + "/file", "w", encoding="ascii"):
            pass
        fails(binary, 1, "is no socket", f"--socket-path={directory}/file")
        assert os.path.exists(directory + "/file"), "not removed"
        fails(binary, 1, "no directory for the socket",
              f"--socket-path={directory}/x", f"--control-socket={directory}/none/x")
        assert not os.path.exists(directory + "/x"), "no socket left behind"
        fails(binary, 1, "--prometheus", f"--socket-path={directory}/x",
              f"--prometheus={directory}/none/x")
        fails(binary, 1, "--prometheus", f"--socket-path={directory}/x",
              f"--prometheus={directory}")
        got, _, errors = run(binary, f"--socket-path={directory}/x",
                             f"--cgroup={directory}")
        equal(got, 1, errors)
        assert "not possible here" in errors, errors
        if os.getuid() == 0:
            fails(binary, 1, "no permission", f"--socket-path={directory}/x",
                  user=65534)


@test
def sockets_in_use_and_left_behind(binary):
    with Running(binary) as program:
        fails(binary, 1, "in use", f"--socket-path={program.path}")
        fails(binary, 1, "in use", f"--socket-path={program.dir}/other",
              f"--control-socket={program.control_path}")
        vmm = VMM(program.path).start()
        fails(binary, 1, "in use", f"--socket-path={program.path}")
        vmm.sync()
        vmm.close()
        stale = program.dir + "/stale"
        with socket.socket(socket.AF_UNIX) as left:
            left.bind(stale)
        with Running(binary, f"--socket-path={stale}") as second:
            VMM(stale).start().close()
            second.wait_log("replacing a socket")
        assert not os.path.exists(stale), "removed at the end"


@test
def killed_and_started_again(binary):
    with Running(binary) as program:
        program.proc.kill()
        program.wait()
        with Running(binary, f"--socket-path={program.path}",
                     f"--control-socket={program.control_path}",
                     control=False):
            VMM(program.path).start().close()
        program.stop = lambda: 0


@test
def ends_at_signals(binary):
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        for connected in (False, True):
            with Running(binary) as program:
                vmm = VMM(program.path).start() if connected else None
                if vmm:
                    vmm.sync()
                equal(program.stop(number), 0, f"signal {number}: {program.log()}")
                assert not os.path.exists(program.path), "socket left"
                assert not os.path.exists(program.control_path), "control socket left"
                if vmm:
                    vmm.close()


@test
def others_socket_is_not_removed(binary):
    """Somebody has put another socket in the place of ours."""
    with Running(binary) as program:
        os.unlink(program.path)
        with socket.socket(socket.AF_UNIX) as other:
            other.bind(program.path)
            equal(program.stop(), 0, "exit status")
            assert os.path.exists(program.path), "removed what is not its own"


@test
def journal(binary):
    """Levels for the journal, one line an event."""
    with tempfile.TemporaryDirectory() as directory:
        environment = dict(os.environ, JOURNAL_STREAM="1:2")
        done = subprocess.run([binary, f"--socket-path={directory}/none/x\ny"],
                              capture_output=True, text=True, env=environment,
                              timeout=20, check=False)
        equal(done.stderr.count("\n"), 1, "lines")
        assert done.stderr.startswith("<3>no directory"), done.stderr


@test
def closed_standard_files(binary):
    """The log goes nowhere, not into what has got the number of standard error."""
    with tempfile.TemporaryDirectory() as directory:
        path, control = directory + "/vhost.sock", directory + "/control.sock"
        command = [binary, f"--socket-path={path}", f"--control-socket={control}"]
        with subprocess.Popen(["sh", "-c", 'exec "$@" <&- >&- 2>&-', "sh", *command]) as run_:
            try:
                end = time.monotonic() + 20
                while not (os.path.exists(path) and os.path.exists(control)):
                    assert time.monotonic() < end, "does not start"
                    time.sleep(0.01)
                links = [os.readlink(f"/proc/{run_.pid}/fd/{fd}") for fd in range(3)]
            finally:
                run_.terminate()
            equal(run_.wait(20), 0, "exit status")
        equal(links, ["/dev/null"] * 3, "standard files")
