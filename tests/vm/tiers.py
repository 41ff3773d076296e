# SPDX-License-Identifier: GPL-2.0
"""The table tests/tiers: what is tested when, on which kernels, and why."""

import collections
import os
import re
import shlex

TESTS = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
TOP = os.path.dirname(TESTS)
TABLE = os.path.join(TESTS, "tiers")
GROUPS = {"stock": ["5.10-cloud", "6.1-cloud", "6.12-cloud", "7.3-cloud"],
          "debug": ["6.1-debug", "6.12-debug"]}
HERE = "here"  # no kernel

# test: its name, words: options of run-tests; check and more: kernels
Row = collections.namedtuple("Row", "test words check more seconds why")
Rule = collections.namedtuple("Rule", "pattern tests")


class TableError(Exception):
    """The table is not as it should be; the text says where."""


def kernels(text):
    """Names of kernels, with groups spelt out; none for "-"."""
    found = []
    for word in text.split():
        found += [name for name in GROUPS.get(word, [word]) if name not in found]
    return [] if found == ["-"] else found


def parse(text):
    """(rows, rules) of the table."""
    rows, rules = [], []
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip() or line.startswith("#"):
            continue
        fields = [field.strip() for field in re.split(r"\s+\|\s*|\|\s+", line)]
        if len(fields) == 5:
            name, *words = shlex.split(fields[0])
            check, more = kernels(fields[1]), kernels(fields[2])
            rows.append(Row(name, tuple(words), check, [name for name in more if name not in check],
                            int(fields[3]), fields[4]))
        elif len(fields) == 2:
            rules.append(Rule(re.compile(fields[0]), fields[1].split()))
        else:
            raise TableError(f"tests/tiers:{number}: {len(fields)} columns, neither 5 nor 2")
    return rows, rules


def load():
    """(rows, rules) of tests/tiers."""
    with open(TABLE, encoding="utf-8") as file:
        return parse(file.read())


def suite(row):
    """The part of a test's name before the slash."""
    return row.test.split("/")[0]


def select(rows, names):
    """The rows that these names mean: a suite, SUITE/TEST, or the name of a test."""
    found = []
    for name in names:
        some = ([row for row in rows if name == suite(row)]
                or [row for row in rows if name in (row.test, row.test.split("/")[1])])
        if not some:
            raise TableError(f"no test '{name}'; tests/run --list names all")
        found += [row for row in some if row not in found]
    return found


def called_for(rows, rules, paths):
    """(rows, paths that no rule knows) for files that have changed."""
    wanted, unknown = [], []
    for path in paths:
        known = False
        for rule in rules:
            if rule.pattern.search(path):
                known = True
                own = "guest/" + re.sub(r"\..*", "", os.path.basename(path))
                wanted += [own if name == "guest/=" else name for name in rule.tests]
        if not known:
            unknown.append(path)
    return [row for row in rows if row.test in wanted], unknown


def guest_script(row):
    """The script of a guest test."""
    return os.path.join(TESTS, row.test + ".sh")


def mutations():
    """Names of the deliberate mistakes."""
    folder = os.path.join(TESTS, "mutations")
    return sorted(name[:-6] for name in os.listdir(folder) if name.endswith(".patch"))


def where(test, kernel=None):
    """(tier, kernel) that tests/guest/TEST.sh runs in and on: for a kernel, or by
    default the first that the table has."""
    rows = [row for row in load()[0] if row.test == "guest/" + test]
    for tier, chosen in (("check", "check"), ("check-all", "more")):
        for row in rows:
            on = getattr(row, chosen)
            if on and (not kernel or kernel in on):
                return tier, kernel or on[0]
    return None, kernel
