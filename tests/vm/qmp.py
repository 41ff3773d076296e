# SPDX-License-Identifier: GPL-2.0
"""A QMP client, as small as the harness needs it."""

import json
import time


class QMPError(Exception):
    """QEMU refused a command, or does not answer."""


class QMP:
    """Speaks QMP over a connected socket; greets at the first command."""

    def __init__(self, sock):
        self._sock = sock
        self._buffer = b""
        self._ready = False
        self.events = []

    def _read(self, deadline):
        while b"\n" not in self._buffer:
            left = deadline - time.monotonic()
            if left <= 0:
                raise QMPError("QEMU does not answer")
            self._sock.settimeout(left)
            try:
                data = self._sock.recv(65536)
            except OSError as err:
                raise QMPError(f"QEMU does not answer: {err}") from None
            if not data:
                raise QMPError("QEMU has gone")
            self._buffer += data
        line, self._buffer = self._buffer.split(b"\n", 1)
        return json.loads(line)

    def execute(self, command, timeout_s=60, **arguments):
        """Runs a command and returns its result.  In the names of arguments an
        underscore stands for a hyphen."""
        deadline = time.monotonic() + timeout_s
        if not self._ready:
            self._read(deadline)
            self._ready = True
            self.execute("qmp_capabilities", timeout_s)
        request = {"execute": command}
        if arguments:
            request["arguments"] = {key.replace("_", "-"): value
                                    for key, value in arguments.items()}
        self._sock.sendall(json.dumps(request).encode() + b"\n")
        while True:
            answer = self._read(deadline)
            if "event" in answer:
                self.events.append(answer)
            elif "error" in answer:
                raise QMPError(f"{command}: {answer['error'].get('desc')}")
            elif "return" in answer:
                return answer["return"]

    def wait_event(self, name, timeout_s):
        """Waits for an event of that name, and takes it out of the list."""
        deadline = time.monotonic() + timeout_s
        if not self._ready:
            self.execute("query-status", timeout_s)
        while True:
            for event in self.events:
                if event["event"] == name:
                    self.events.remove(event)
                    return event
            answer = self._read(deadline)
            if "event" in answer:
                self.events.append(answer)
