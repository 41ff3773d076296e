# SPDX-License-Identifier: GPL-2.0
"""The control socket, requests to the guest, pressure, the file of counters."""

import os
import signal
import socket
import stat
import threading
import time

import fakevmm
import vendor
from fakevmm import MIB, VMM
from harness import Running, equal, test
from program import read_answer


def guest_answers(vmm, free):
    """A guest that waits for a request, reports and says that it is done."""
    while vendor.config(vmm.config()).request == 0:
        assert vmm.config_change(), "no change was announced"
    config = vendor.config(vmm.config())
    vmm.rings[0].request([vendor.report([free])])
    vmm.rings[0].request([vendor.done(config.request, free[1])])
    return config


@test
def request_with_completion(binary):
    with Running(binary) as program:
        vmm = VMM(program.path).start()
        vmm.memory.fill(8 * MIB, 16 * MIB)
        seen = []
        guest = threading.Thread(
            target=lambda: seen.append(guest_answers(vmm, (8 * MIB, 16 * MIB))))
        guest.start()
        lines = program.command("request 3M 20")
        guest.join()
        equal(lines[:3], [f"request {seen[0].request}", f"bytes {16 * MIB}",
                          f"discarded_bytes {16 * MIB}"], "answer")
        assert lines[3].startswith("ms ") and lines[4] == "ok", lines
        equal(seen[0].request_shift, 22, "3 MiB are pieces of 4 MiB")
        equal(program.value("counters", "requests_answered"), "1", "counter")
        vmm.close()


@test
def a_successor_takes_other_numbers(binary):
    """A guest that stayed must not take its request for one that it answered."""
    numbers = []
    for _ in range(3):
        with Running(binary) as program:
            vmm = VMM(program.path).start()
            vmm.sync()
            program.proc.send_signal(signal.SIGUSR1)
            numbers.append(program.first_request())
            equal(vendor.config(vmm.config()).request, numbers[-1], "number")
            vmm.close()
    equal(len(set(numbers)), 3, f"different numbers among {numbers}")


@test
def request_that_nobody_answers(binary):
    with Running(binary) as program:
        equal(program.command("request"), ["error: no VMM is connected"], "no VMM")
        vmm = VMM(program.path).start()
        start = time.monotonic()
        equal(program.command("request 0 1"),
              ["error: the guest has not answered in time"], "timeout")
        took = time.monotonic() - start
        # Not before; how much later is up to the machine.
        assert took > 0.9, took
        # The VMM goes while somebody waits
        with program.client() as client:
            client.sendall(b"request\n")
            first = program.first_request()
            program.wait_log(f"request made number={first + 1} ")
            vmm.close()
            equal(read_answer(client), ["error: the VMM has gone"], "gone")
            client.sendall(b"status\n")
            equal(read_answer(client)[-1], "ok", "the client goes on")


@test
def request_of_a_driver_without(binary):
    with Running(binary) as program:
        vmm = VMM(program.path)
        offered = vmm.ask_u64(fakevmm.GET_FEATURES)
        vmm.start(features=offered & ~(1 << 2))
        vmm.sync()
        equal(program.command("request"),
              ["error: the guest's driver takes no requests"], "answer")
        vmm.close()


@test
def signal_asks(binary):
    with Running(binary) as program:
        vmm = VMM(program.path).start()
        vmm.sync()
        program.proc.send_signal(signal.SIGUSR1)
        number = guest_answers(vmm, (8 * MIB, MIB)).request
        equal(number, program.first_request(), "request")
        program.wait_log(f"request answered number={number} bytes=1048576")
        vmm.close()


@test
def several_wait_at_once(binary):
    with Running(binary) as program:
        vmm = VMM(program.path).start()
        vmm.sync()
        clients = [program.client() for _ in range(16)]
        for i, client in enumerate(clients):
            client.sendall(b"request\nstatus\n")
            first = program.first_request()
            program.wait_log(f"request made number={first + i} ")
        with program.client() as late:
            assert read_answer(late)[-1].startswith("error: all clients wait"), "17th"
        number = vendor.config(vmm.config()).request
        equal(number, first + 15, "number")
        vmm.rings[0].request([vendor.done(number, 4096)])
        for i, client in enumerate(clients):
            data = b""
            while data.count(b"ok\n") < 2:
                more = client.recv(4096)
                assert more, data
                data += more
            equal(data.splitlines()[0], b"request %d" % (first + i), "answer")
            assert b"device vendor" in data, "the command behind the request"
            client.close()
        vmm.close()


@test
def clients_that_wait_and_go(binary):
    """Whoever asked and went, at once or in two steps, keeps no place."""
    with Running(binary) as program:
        vmm = VMM(program.path).start()
        vmm.sync()
        clients = [program.client() for _ in range(16)]
        for i, client in enumerate(clients):
            client.sendall(b"request 0 3600\n")
            first = program.first_request()
            program.wait_log(f"request made number={first + i} ")
        for client in clients[:15]:
            client.shutdown(socket.SHUT_WR)
        equal(read_answer(program.client()),
              ["error: all clients wait for the guest; try later"], "all listen")
        for client in clients[1:]:
            client.close()
        equal(program.command("status")[-1], "ok", "their places are free")
        vmm.rings[0].request([vendor.done(first + 15, 4096)])
        equal(read_answer(clients[0])[0], f"request {first}", "the one that still listens")
        clients[0].close()
        vmm.close()


@test
def commands(binary):
    with Running(binary, "--pressure=low") as program:
        vmm = VMM(program.path).start()
        equal(vendor.config(vmm.config()).pressure, 1, "by option")
        equal(program.command("pressure critical"), ["ok"], "pressure")
        equal(vmm.config_change(), True, "announced")
        equal(vendor.config(vmm.config()).pressure, 3, "pressure")
        equal(program.command("pressure critical"), ["ok"], "the same again")
        equal(vmm.config_change(0.2), False, "no change, nothing announced")
        status = dict(line.split(" ", 1) for line in program.command("status")[:-1])
        equal((status["device"], status["vmm"], status["memory_bytes"],
               status["memory_regions"], status["granule_bytes"], status["pressure"],
               status["pressure_source"]),
              ("vendor", "connected", str(64 * MIB), "2", "4096", "critical", "given"),
              "status")
        for line in ("", "nonsense", "status now", "pressure", "pressure enormous",
                     "discard", "discard all", "request x", "request 1 0",
                     "request 1 2 3", "request 9999999G", "request 1 999999",
                     "discard none none", "\x01\x02", "pressure auto"):
            with program.client() as client:
                client.sendall(line.encode() + b"\nstatus\n")
                first = client.recv(4096).decode()
                assert first.startswith("error: ") or not line, (line, first)
        equal(stat.S_IMODE(os.stat(program.control_path).st_mode), 0o600, "mode")
        vmm.close()


@test
def clients_that_misbehave(binary):
    with Running(binary) as program:
        fds = program.fds()
        # Silent ones, more than there are places
        silent = [program.client() for _ in range(40)]
        equal(program.command("status")[-1], "ok", "behind 40 silent ones")
        for client in silent:
            client.close()
        with program.client() as client:
            client.sendall(b"x" * 127 + b"\n")
            assert read_answer(client)[0].startswith("error: commands: ")
            client.sendall(b"x" * 200)
            assert read_answer(client)[0] == "error: a command has at most 127 bytes"
            try:
                equal(client.recv(1), b"", "closed")
            except ConnectionResetError:
                pass    # closed, too: what it sent was not read to the end
        with program.client() as client:
            # Never reads: loses the connection when its buffer is full
            client.settimeout(0.5)
            try:
                while True:
                    client.sendall(b"counters\n" * 10)
            except OSError:
                pass
        with program.client() as client:
            client.sendall(b"sta")
            time.sleep(0.05)
            client.sendall(b"tus\nstatus\n")
            read_answer(client)
        equal(program.command("status")[-1], "ok", "afterwards")
        end = time.monotonic() + 5
        while program.fds() > fds + 1 and time.monotonic() < end:
            time.sleep(0.02)
        assert program.fds() <= fds + 1, "files left open"


@test
def pressure_of_a_cgroup(binary):
    """A made-up cgroup: a file cannot be polled, so the timer reads it."""
    with Running(binary, "--pressure=none") as program:
        directory = program.dir
        path = os.path.join(directory, "memory.pressure")

        def stalled(total):
            # In place: the program keeps the file open.
            with open(path, "w", encoding="ascii") as file:
                file.write("some avg10=0.00 avg60=0.00 avg300=0.00 "
                           f"total={total}\nfull avg10=0.00 avg60=0.00 "
                           f"avg300=0.00 total=0\n")
        stalled(0)
        with Running(binary, f"--cgroup={directory}") as second:
            vmm = VMM(second.path).start()
            equal(second.value("status", "pressure_source"), "cgroup", "source")
            equal(vendor.config(vmm.config()).pressure, 0, "before")
            stalled(500000)
            second.wait_log("pressure level=high before=none")
            equal(vmm.config_change(), True, "announced")
            equal(vendor.config(vmm.config()).pressure, 2, "25 % of 2 s")
            stalled(10500000)
            second.wait_log("pressure level=critical before=high")
            equal(second.command("pressure none"), ["ok"], "override")
            stalled(20500000)
            time.sleep(2.2)
            equal(vendor.config(vmm.config()).pressure, 0, "override holds")
            equal(second.command("pressure auto"), ["ok"], "auto again")
            equal(vendor.config(vmm.config()).pressure, 3, "as the host is")
            stalled("nonsense")
            second.wait_log("cannot be read any more")
            equal(vendor.config(vmm.config()).pressure, 0, "taken for none")
            vmm.close()


@test
def prometheus_file(binary):
    with Running(binary, "--pressure=none") as other:
        path = os.path.join(other.dir, "fpr.prom")
        with Running(binary, f"--prometheus={path}") as program:
            assert os.path.exists(path), "written at the start"
            vmm = VMM(program.path).start()
            vmm.rings[0].request([vendor.report([(8 * MIB, MIB)])])
            vmm.close()
        with open(path, encoding="ascii") as file:
            text = file.read()
        assert '{guest="vmm"} %d\n' % MIB in text, text
        equal(sorted(os.listdir(other.dir)),
              ["control.sock", "fpr.prom", "log", "vmm.sock"], "nothing else is left")


@test
def privileges_are_dropped(binary):
    with Running(binary) as program:
        with open(f"/proc/{program.proc.pid}/status", encoding="ascii") as file:
            status = dict(line.rstrip("\n").split(":\t", 1) for line in file
                          if ":\t" in line)
        for name in ("CapInh", "CapPrm", "CapEff", "CapAmb"):
            equal(int(status[name], 16), 0, name)
        equal(status["NoNewPrivs"], "1", "no new privileges")
        if "sanitized" not in binary:
            equal(status["Seccomp"], "2", "system calls")
