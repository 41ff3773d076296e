# SPDX-License-Identifier: GPL-2.0
"""Builds a program of the host's side, runs test functions with it and counts
them.  A test takes the name of the program's file and raises what is wrong."""

import os
import subprocess
import sys
import time
import traceback

from program import Program

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
SANITIZE = ["OPT=-O1 -g -fno-omit-frame-pointer -fsanitize=address,undefined "
            "-fno-sanitize-recover=all", "HARDEN=", "HARDEN_LINK="]
TESTS = []


def test(function):
    TESTS.append(function)
    return function


def equal(got, wanted, what=""):
    assert got == wanted, f"{what}: got {got!r}, wanted {wanted!r}"


def run(binary, *options, user=None, fds=()):
    done = subprocess.run([binary, *options], capture_output=True, text=True,
                          timeout=20, check=False, user=user, pass_fds=fds)
    return done.returncode, done.stdout, done.stderr


def fails(binary, status, text, *options, **more):
    got, _, errors = run(binary, *options, **more)
    equal(got, status, f"status of {options}: {errors}")
    assert text in errors, f"{options}: {errors!r} lacks {text!r}"
    lines = errors.splitlines()
    equal(len(lines), 1 if status == 1 else 2, f"lines of {options}: {errors}")


class Running:
    """A program for one test, which must end well: with status 0 at SIGTERM, no
    socket left, and nothing from a sanitizer."""

    kind = Program

    def __init__(self, binary, *options, **more):
        self.program = self.kind(binary, *options, **more)

    def __enter__(self):
        return self.program

    def __exit__(self, kind, value, trace):
        program = self.program
        try:
            if kind is None:
                equal(program.stop(), 0, "exit status:\n" + program.log())
                log = program.log()
                assert "runtime error" not in log and "Sanitizer" not in log, log
            else:
                print(program.log(), file=sys.stderr)
        finally:
            program.clean_up()


def build(program, folder, *variables):
    out = os.path.join(TOP, "build", folder)
    done = subprocess.run(["make", "-s", "-C", os.path.join(TOP, "src", "host"),
                           "OUT=" + out, os.path.join(out, program), *variables],
                          stdout=sys.stderr, check=False)
    if done.returncode:
        print("FAIL build " + folder)
        print("0 passed, 1 failed")
        sys.exit(1)
    return os.path.join(out, program)


def run_all(program, tests, pattern=""):
    """With sanitizers, and as it is shipped; the exit status."""
    binaries = [("sanitized", build(program, "host-sanitized", *SANITIZE)),
                ("shipped", build(program, "host"))]
    passed = failed = 0
    for label, binary in binaries:
        for function in tests:
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
