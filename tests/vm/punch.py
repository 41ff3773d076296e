#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""What discarding memory costs by itself: fills a memfd of BYTES and punches it
away in RANGES pieces of the same size, in 4 KiB pages.  Prints the seconds that
took, and those of CPU time.

As with a guest whose device is served by another process, two have mapped the
memfd: one has written all of it, the other has touched nothing and punches.
"""

import ctypes
import mmap
import os
import statistics
import subprocess
import sys
import time

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


def main():
    if len(sys.argv) != 3 or not all(word.isdigit() for word in sys.argv[1:]):
        print("usage: punch.py BYTES RANGES", file=sys.stderr)
        return 2
    size, number = int(sys.argv[1]) // PAGE * PAGE, int(sys.argv[2])
    if not 1 <= number <= size // PAGE:
        print(f"punch.py: RANGES is 1 to {size // PAGE}, a page each", file=sys.stderr)
        return 1
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


def measure(size, number, times=3):
    """The medians of so many processes of this kind; for other programs."""
    command = [sys.executable, os.path.abspath(__file__), str(size), str(number)]
    results = [subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True).stdout
               for _ in range(times)]
    return [statistics.median(values)
            for values in zip(*(map(float, result.split()) for result in results))]


if __name__ == "__main__":
    sys.exit(main())
