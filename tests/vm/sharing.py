# SPDX-License-Identifier: GPL-2.0
"""Which tests can run in one boot, one after the other: those that need the same
guest, and leave it as it was.

Not those that say "alone=WHY", nor any with a disk, with memory that can be added,
with a program that serves a device, or that provoke lines of the kernel's log, since
what they leave is not looked for.
"""

LIMIT = 8
# The largest, the sum, or all of them: where others differ, no boot is shared.
COMBINED = {"mem", "or_more", "timeout", "modules", "files", "kernels", "alone"}
UNSHARED = ("alone", "disk", "maxmem", "backend", "allow")


def shareable(needs):
    """Whether a test with these needs may share its boot."""
    return not any(needs[key] for key in UNSHARED)


def mem_of(tests):
    """MiB for these tests, or None if no size suits all of them."""
    mem = max(int(test.needs["mem"]) for test in tests)
    suits = all(int(test.needs["mem"]) == mem or test.needs["or_more"] for test in tests)
    return mem if suits else None


def suits(group, test):
    """Whether a test can run in one boot with these."""
    together = group + [test]
    return (len(together) <= LIMIT and all(shareable(each.needs) for each in together)
            and all(test.name != each.name for each in group)
            and all(test.needs[key] == group[0].needs[key]
                    for key in test.needs.keys() - COMBINED)
            and mem_of(together) is not None)


def grouped(tests):
    """Lists of tests, each for one boot; in their order."""
    groups = []
    for test in tests:
        group = next((group for group in groups if suits(group, test)), None)
        if group:
            group.append(test)
        else:
            groups.append([test])
    return groups


def together(tests):
    """The needs of all of them; the time limit is each test's own."""
    needs = dict(tests[0].needs, mem=mem_of(tests))
    for key in ("modules", "files"):
        needs[key] = list(dict.fromkeys(item for test in tests for item in test.needs[key]))
    return needs
