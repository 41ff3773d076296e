#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""What discarding memory costs by itself: fills BYTES and gives them away in RANGES
pieces of the same size, in whole pages of 4 KiB.  Prints the seconds that took, and
those of CPU time.

A memfd is punched away.  As with a guest whose device is served by another process,
two have mapped it: one has written all of it, the other has touched nothing and
punches.  With "anon" it is anonymous memory, in huge pages where this machine has
them, as QEMU asks for, and madvise() discards it.
"""

import contextlib
import ctypes
import mmap
import os
import statistics
import subprocess
import sys
import time

from vm import rss_kib

PAGE = 4096
KEEP_SIZE, PUNCH_HOLE = 1, 2  # of fallocate(2)


def pieces(size, number):
    """Sizes of that many ranges, in whole pages, that make up size."""
    ends = [size * index // number // PAGE * PAGE for index in range(number + 1)]
    return [end - start for start, end in zip(ends, ends[1:])]


def write_all(fd, size, ready, end):
    """The process in the VMM's place; stays until the other has done its part."""
    memory = mmap.mmap(fd, size, mmap.MAP_SHARED)
    ctypes.memset(ctypes.addressof(ctypes.c_char.from_buffer(memory)), 1, size)
    os.write(ready, b"x")
    os.read(end, 1)
    os._exit(0)


def punch(fd, sizes):
    """(seconds, CPU seconds) that punching all of it takes, from a process that has
    it mapped."""
    memory = mmap.mmap(fd, sum(sizes), mmap.MAP_SHARED)
    fallocate = ctypes.CDLL(None, use_errno=True).fallocate
    fallocate.argtypes = (ctypes.c_int, ctypes.c_int, ctypes.c_int64, ctypes.c_int64)
    offset = 0
    begin, cpu = time.monotonic(), time.process_time()
    for size in sizes:
        if fallocate(fd, PUNCH_HOLE | KEEP_SIZE, offset, size):
            raise OSError(ctypes.get_errno(), "fallocate")
        offset += size
    seconds, cpu = time.monotonic() - begin, time.process_time() - cpu
    memory.close()
    return seconds, cpu


def discard(size, sizes):
    """The same for anonymous memory of this process; and how much is left of it, KiB."""
    memory = mmap.mmap(-1, size, mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
    with contextlib.suppress(OSError):
        memory.madvise(mmap.MADV_HUGEPAGE)
    ctypes.memset(ctypes.addressof(ctypes.c_char.from_buffer(memory)), 1, size)
    full, offset = rss_kib(os.getpid()), 0
    begin, cpu = time.monotonic(), time.process_time()
    for length in sizes:
        memory.madvise(mmap.MADV_DONTNEED, offset, length)
        offset += length
    seconds, cpu = time.monotonic() - begin, time.process_time() - cpu
    return seconds, cpu, size // 1024 - (full - rss_kib(os.getpid()))


def main():
    words = sys.argv[1:]
    anon = words[2:] == ["anon"]
    if len(words) != 2 + anon or not all(word.isdigit() for word in words[:2]):
        print("usage: punch.py BYTES RANGES [anon]", file=sys.stderr)
        return 2
    size, number = int(sys.argv[1]) // PAGE * PAGE, int(sys.argv[2])
    if not 1 <= number <= size // PAGE:
        print(f"punch.py: RANGES is 1 to {size // PAGE}, a page each", file=sys.stderr)
        return 1
    if anon:
        seconds, cpu, left_kib = discard(size, pieces(size, number))
        print(f"{seconds:.6f} {cpu:.6f}")
        if left_kib > size // 1024 // 50:
            print(f"punch.py: {left_kib} KiB of it are left", file=sys.stderr)
            return 1
        return 0
    fd = os.memfd_create("punch")
    os.ftruncate(fd, size)
    ready, said = os.pipe()
    end, held = os.pipe()
    if not os.fork():
        os.close(held)
        write_all(fd, size, said, end)
    os.close(said)
    if os.read(ready, 1) != b"x":
        print(f"punch.py: {size >> 20} MiB of memory cannot be had", file=sys.stderr)
        return 1
    print("{:.6f} {:.6f}".format(*punch(fd, pieces(size, number))))
    if os.fstat(fd).st_blocks:
        print("punch.py: something of it is left", file=sys.stderr)
        return 1
    return 0


def measure(size, number, backing="memfd", times=3):
    """The medians of so many processes of this kind; for other programs."""
    command = [sys.executable, os.path.abspath(__file__), str(size), str(number)]
    command += ["anon"] if backing == "anon" else []
    results = [subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True).stdout
               for _ in range(times)]
    return [statistics.median(values)
            for values in zip(*(map(float, result.split()) for result in results))]


if __name__ == "__main__":
    sys.exit(main())
