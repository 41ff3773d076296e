# SPDX-License-Identifier: GPL-2.0
"""Runs test functions and counts them.  A test takes the name of the program's
file and raises what is wrong."""

import sys
import time
import traceback

from program import Program

TESTS = []


def test(function):
    TESTS.append(function)
    return function


def equal(got, wanted, what=""):
    assert got == wanted, f"{what}: got {got!r}, wanted {wanted!r}"


class Running:
    """A program for one test, which must end well: with status 0 at SIGTERM, no
    socket left, and nothing from a sanitizer."""

    def __init__(self, binary, *options, **more):
        self.program = Program(binary, *options, **more)

    def __enter__(self):
        return self.program

    def __exit__(self, kind, value, trace):
        program = self.program
        try:
            if kind is None:
                equal(program.stop(), 0, "exit status:\n" + program.log())
                assert "runtime error" not in program.log(), program.log()
            else:
                print(program.log(), file=sys.stderr)
        finally:
            program.clean_up()


def run_all(binaries, pattern=""):
    passed = failed = 0
    for label, binary in binaries:
        for function in TESTS:
            name = f"{label} {function.__name__}"
            if pattern not in name:
                continue
            start = time.monotonic()
            try:
                function(binary)
            except Exception:  # whatever it is, the test has failed
                traceback.print_exc()
                print(f"FAIL {name}")
                failed += 1
            else:
                print(f"pass {name} ({time.monotonic() - start:.1f} s)")
                passed += 1
            sys.stdout.flush()
    print(f"{passed} passed, {failed} failed")
    return 1 if failed or not passed else 0
