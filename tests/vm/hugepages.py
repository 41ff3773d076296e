# SPDX-License-Identifier: GPL-2.0
"""Huge pages of 2 MiB that the host sets aside for a guest, and takes back.

    with hugepages.reserved(512):
        ... boot a guest with backing=hugetlb and 512 MiB ...

What the host had set aside before is left to whom it was meant for.  Two runs at
a time add up: each adds its own pages and takes those away.
"""

import contextlib
import fcntl

POOL = "/sys/kernel/mm/hugepages/hugepages-2048kB"
PAGE_MIB = 2


class HugePagesError(Exception):
    """The host cannot set aside as many; the text says why."""


def count(name):
    """A number of the pool: nr_hugepages, free_hugepages, resv_hugepages."""
    with open(f"{POOL}/{name}", encoding="ascii") as file:
        return int(file.read())


def _resize(change):
    """Adds pages to the pool, or takes some away; returns by how many it grew."""
    with open(f"{POOL}/nr_hugepages", "r+", encoding="ascii") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        before = count("nr_hugepages")
        file.write(str(max(before + change, 0)))
        file.flush()
        return count("nr_hugepages") - before


@contextlib.contextmanager
def reserved(mib):
    """Sets aside as many pages as that takes."""
    wanted = -(-mib // PAGE_MIB)
    try:
        got = _resize(wanted)
    except OSError as err:
        raise HugePagesError(f"no huge pages can be set aside here ({err.strerror})") from None
    try:
        if got < wanted:
            raise HugePagesError(f"the host can set aside {got} of {wanted} huge pages of 2 MiB")
        yield
    finally:
        _resize(-got)
