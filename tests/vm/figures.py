# SPDX-License-Identifier: GPL-2.0
"""What the benchmarks share: their lines of figures, and what they ask of this
machine."""

import os
import statistics
import subprocess
import sys

from guest import TOP


def text(value):
    """A value with four digits, or all of them before the point."""
    return f"{value:.4g}" if abs(value) < 1000 else f"{value:.0f}"


def show(name, value, unit, values=()):
    """Prints a value, and how far the runs it is the median of lie apart."""
    spread = ""
    if len(values) > 1:
        spread = f"  # {text(min(values))} to {text(max(values))} in {len(values)} runs"
    print(f"{name} {text(value)} {unit}{spread}", flush=True)


def report(driver, runs):
    """Prints the medians of the runs' values, and returns them, name -> value."""
    medians = {}
    for name, (_, unit) in runs[0].values.items():
        values = [run.values[name][0] for run in runs if name in run.values]
        medians[name] = statistics.median(values)
        show(f"{name}_{driver}", medians[name], unit, values)
    return medians


def host_memory_mib(name):
    """A line of this machine's /proc/meminfo."""
    with open("/proc/meminfo", encoding="ascii") as file:
        for line in file:
            if line.startswith(f"{name}:"):
                return int(line.split()[1]) // 1024
    return 0


def available_mib():
    """Memory that this machine can spare."""
    return host_memory_mib("MemAvailable")


def build_modules(kernel):
    """Builds fpr's modules for a kernel; the directory with them."""
    subprocess.run([f"{TOP}/scripts/build-modules", "--quiet", kernel], check=True)
    return os.path.join(TOP, "build", kernel)


def build_host():
    """Builds the programs of the host side."""
    subprocess.run(["make", "--silent", "-C", f"{TOP}/src/host"], stdout=sys.stderr, check=True)
