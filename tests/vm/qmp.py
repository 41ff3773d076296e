# SPDX-License-Identifier: GPL-2.0
"""A QMP client, as small as the harness needs it."""

import json


class QMPError(Exception):
    """QEMU refused a command, or has gone."""


class QMP:
    """Speaks QMP over a connected socket; greets at the first command.  It waits as long
    as QEMU is there: the time limit of its guest ends that."""

    def __init__(self, sock):
        self._sock = sock
        self._buffer = b""
        self._ready = False
        self.events = []

    def _read(self):
        while b"\n" not in self._buffer:
            try:
                data = self._sock.recv(65536)
            except OSError as err:
                raise QMPError(f"QEMU does not answer: {err}") from None
            if not data:
                raise QMPError("QEMU has gone")
            self._buffer += data
        line, self._buffer = self._buffer.split(b"\n", 1)
        return json.loads(line)

    def execute(self, command, **arguments):
        """Runs a command and returns its result.  In the names of arguments an
        underscore stands for a hyphen."""
        if not self._ready:
            self._read()
            self._ready = True
            self.execute("qmp_capabilities")
        request = {"execute": command}
        if arguments:
            request["arguments"] = {key.replace("_", "-"): value
                                    for key, value in arguments.items()}
        self._sock.sendall(json.dumps(request).encode() + b"\n")
        while True:
            answer = self._read()
            if "event" in answer:
                self.events.append(answer)
            elif "error" in answer:
                raise QMPError(f"{command}: {answer['error'].get('desc')}")
            elif "return" in answer:
                return answer["return"]

    def wait_event(self, name):
        """Waits for an event of that name, and takes it out of the list."""
        if not self._ready:
            self.execute("query-status")
        while True:
            for event in self.events:
                if event["event"] == name:
                    self.events.remove(event)
                    return event
            answer = self._read()
            if "event" in answer:
                self.events.append(answer)
