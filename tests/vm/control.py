# SPDX-License-Identifier: GPL-2.0
"""Talks with a backend's control socket: a line there, lines back, the last of them
"ok" or "error: ..."."""

import re
import socket

# A program that never answers is the affair of the run's time limit.
ANSWER_S = 3600
ENDS = re.compile(r"(ok|error)\b")


def ask(path, command, timeout_s=ANSWER_S):
    """The answer's lines, and the last of them apart."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as sock:
        sock.settimeout(timeout_s)
        sock.connect(path)
        sock.sendall(command.encode() + b"\n")
        text = b""
        while True:
            piece = sock.recv(65536)
            text += piece
            lines = text.decode().splitlines()
            if not piece or (text.endswith(b"\n") and lines
                             and ENDS.match(lines[-1])):
                return lines[:-1], lines[-1] if lines else ""


def values(path, command):
    """What "status" or "counters" say, as a dictionary."""
    lines, end = ask(path, command)
    if end != "ok":
        raise RuntimeError(f"{command}: {end}")
    return dict(line.split(None, 1) for line in lines)
