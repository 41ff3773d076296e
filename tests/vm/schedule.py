# SPDX-License-Identifier: GPL-2.0
"""From rows of tests/tiers to processes to start, and from what they print to results."""

import collections
import os
import re

import tiers

RESULT = re.compile(r"^(\d+) passed, (\d+) failed$", re.MULTILINE)
REPORT = re.compile(r"^(pass|FAIL|skip) \S+ ([\w-]+): (?:(\d+) passed, (\d+) failed.*?([\d.]+) s$)?",
                    re.MULTILINE)
RUN_TESTS = os.path.join(tiers.TESTS, "vm", "run-tests")
SUITE = os.path.join(tiers.TESTS, "suite")
# Guests that are handed to one run-tests, seconds: it may share boots between them
BATCH_S = 100
# Unmapping free pages and remembering who owns a page cost half of the time each,
# emulated: one way to boot a debug kernel has the one, the other the other.
MODES = {"": [], " in order": ["page_alloc.shuffle=0 page_owner=off"],
         " shuffled": ["page_alloc.shuffle=1 debug_pagealloc=off"]}

# One process: what it tests, as keys of Result; seconds: what the table says
Item = collections.namedtuple("Item", "label command keys seconds first")
# key: what was tested, on what
Result = collections.namedtuple("Result", "key passed failed seconds earlier")


def key_of(row, kernel, mode=""):
    """How a test on a kernel is called in results and records."""
    words = "".join(f" {word}" for word in row.words)
    return f"{row.test}{words}" + ("" if kernel == tiers.HERE else f" on {kernel}{mode}")


def suite_items(row, kernel):
    """The items of a row that is no guest's."""
    if row.test == "mutate/*":
        names = [f"mutate/{name}" for name in tiers.mutations()]
    else:
        names = [row.test]
    for name in names:
        key = key_of(row._replace(test=name), kernel)
        command = [SUITE, name] + ([kernel] if kernel != tiers.HERE else [])
        yield Item(key, command, [key], row.seconds, name in ("build/modules", "build/host"))


def guest_items(pairs):
    """Batches of guest tests that have the kernel and the options in common."""
    groups = collections.OrderedDict()
    for row, kernel in pairs:
        for mode in MODES:
            if bool(mode) == kernel.endswith("-debug"):
                groups.setdefault((kernel, mode, row.words), []).append(row)
    for (kernel, mode, words), rows in groups.items():
        batch = []
        for row in rows + [None]:
            if batch and (row is None or sum(each.seconds for each in batch) + row.seconds > BATCH_S):
                yield guest_item(batch, kernel, mode, words)
                batch = []
            batch.append(row)


def guest_item(rows, kernel, mode, words):
    """An item for guest tests that run-tests is given together."""
    append = [word for text in MODES[mode] for word in ("--append", text)]
    names = " ".join(row.test.split("/")[1] for row in rows)
    options = "".join(f" {word}" for word in words)
    return Item(f"guest {kernel}{mode}{options}: {names}",
                [RUN_TESTS, "--keep-log", "--kernel", kernel, *append, *words]
                + [tiers.guest_script(row) for row in rows],
                [key_of(row, kernel, mode) for row in rows],
                sum(row.seconds for row in rows), False)


def items_of(pairs):
    """What is to be run for (row, kernel) pairs: the longest first."""
    found = [item for row, kernel in pairs if tiers.suite(row) != "guest"
             for item in suite_items(row, kernel)]
    found += guest_items([pair for pair in pairs if tiers.suite(pair[0]) == "guest"])
    return sorted(found, key=lambda item: -item.seconds)


def results_of(item, text, status, seconds):
    """A result for each key of an item; what left none has failed."""
    if len(item.keys) == 1 and item.command[0] != RUN_TESTS:
        lines = RESULT.findall(text)
        passed, failed = map(int, lines[-1]) if lines else (0, 1)
        if not failed and (status or not passed):
            failed = 1
        return [Result(item.keys[0], passed, failed, seconds, False)]
    reports = {name: groups for _, name, *groups in REPORT.findall(text)}
    found = []
    for key in item.keys:
        passed, failed, took = reports.get(key.split()[0].split("/")[1], ("0", "1", "0"))
        found.append(Result(key, int(passed or 0), int(failed or 0), float(took or 0), False))
    if status and not any(result.failed for result in found):
        found[-1] = found[-1]._replace(failed=1)
    return found
