# SPDX-License-Identifier: GPL-2.0
"""Judges a guest's run from its log.  It fails closed: a run passes only when
the plan was announced, each of its points came in order and was ok, the line
that /init writes last of all is there and is the last, and the kernel's log has
no sign of damage.

Where several tests ran in one boot, split() says whose line is whose, by the marks
that /init leaves when a test begins; each is judged as if it were alone.
"""

import os
import re

TOKEN = "fpr-guest-run-complete"
# What /init says of a test, in the kernel's log, and on the test's own port
MARKS = {"K": "fpr-guest-test: {} begins", "T": "# guest: {} begins"}
MARK = re.compile(r"fpr-guest-test: \S+ begins$")
POINT = re.compile(r"^(not )?ok (\d+)(?: -)? ?(.*)$")
PLAN = re.compile(r"^1\.\.(\d+)(?: # SKIP\b.*)?$")


def load_faults(allow=()):
    """(name, expression) of each kind of damage that is not allowed."""
    path = os.path.join(os.path.dirname(os.path.abspath(__file__)), "faults")
    with open(path, encoding="ascii") as file:
        rows = [line.rstrip("\n").split("\t", 1) for line in file
                if line.strip() and not line.startswith("#")]
    unknown = set(allow) - {name for name, _ in rows}
    if unknown:
        raise ValueError(f"allow={','.join(sorted(unknown))}: no such fault; see tests/vm/faults")
    return [(name, regex) for name, regex in rows if name not in allow]


class Verdict:
    """Counts of one run and the reasons why it failed."""

    def __init__(self):
        self.passed = self.failed = self.skipped = 0
        self.reasons = []

    def add(self, other, who=""):
        """Counts another run's points as well."""
        self.passed += other.passed
        self.failed += other.failed
        self.skipped += other.skipped
        self.reasons += [who + reason for reason in other.reasons]

    def fail(self, reason):
        """A failure that is not a point of the test."""
        self.failed += 1
        self.reasons.append(reason)

    @property
    def ok(self):
        """True for a run that can be believed and that passed."""
        return not self.reasons and self.failed == 0 and self.passed > 0


def judge_points(lines, verdict):
    """Plan and points of the test's own stream."""
    planned, seen = None, 0
    for text in lines:
        plan, point = PLAN.match(text), POINT.match(text)
        if plan:
            if planned is not None:
                verdict.fail("the plan was announced twice")
            planned = int(plan.group(1))
        elif point:
            seen += 1
            negated, number, rest = point.groups()
            if int(number) != seen:
                verdict.fail(f"point {number} came where {seen} was due")
            if negated:
                verdict.failed += 1
                verdict.reasons.append(f"not ok {number} {rest}".rstrip())
            else:
                verdict.passed += 1
                verdict.skipped += "# SKIP" in rest
        elif text.startswith("Bail out!"):
            verdict.fail(text)
        elif text.startswith("# guest fault: "):
            verdict.fail(text[2:])
    if planned is None:
        verdict.fail("no plan was announced")
    elif seen != planned:
        verdict.fail(f"{seen} of {planned} planned points came")
    elif planned == 0:
        verdict.fail("the plan has no points")


def split(lines, names):
    """(lines from before the first test began, a list of the lines of each test that
    did), for tests that ran in this order.  The first line of each is its mark."""
    boot, parts = [], [[] for _ in names]
    turn = dict.fromkeys(MARKS, 0)  # how many have begun
    for line in lines:
        now = turn[line.stream]
        if now < len(names) and line.text.endswith(MARKS[line.stream].format(names[now])):
            turn[line.stream] = now = now + 1
        (parts[now - 1] if now else boot).append(line)
    return boot, parts[:max(turn.values())]


def is_marked(lines):
    """Whether the kernel's log says when this test began."""
    return any(line.stream == "K" and MARK.search(line.text) for line in lines)


def judge(lines, *, timed_out=False, exit_status=0, allow=(), ignore=()):
    """Verdict over (time, stream, text) lines of the streams K and T; ignore:
    expressions of lines of K that this kernel prints by itself."""
    verdict = Verdict()
    test = [line.text for line in lines if line.stream == "T" and line.text.strip()]
    judge_points(test, verdict)
    if timed_out:
        verdict.fail("the guest was killed at its time limit")
    elif exit_status != 0:
        verdict.fail(f"QEMU ended with status {exit_status}")
    if test.count(TOKEN) != 1 or test[-1] != TOKEN:
        verdict.fail("the run is not complete: the last line is "
                     + (repr(test[-1]) if test else "missing"))
    faults = [(name, re.compile(regex)) for name, regex in load_faults(allow)]
    ignored = [re.compile(regex) for regex in ignore]
    for line in lines:
        if line.stream != "K" or MARK.search(line.text) or any(regex.search(line.text) for regex in ignored):
            continue
        for name, regex in faults:
            if regex.search(line.text):
                verdict.fail(f"kernel log ({name}): {line.text}")
                return verdict
    return verdict
