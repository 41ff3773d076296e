# SPDX-License-Identifier: GPL-2.0
"""What the benchmarks share: their lines of figures, and what they ask of this
machine."""

import os
import statistics
import subprocess
import sys

from guest import TOP


def show(name, value, unit):
    """Prints a value."""
    print(f"{name} {value:.4g} {unit}" if value < 1000 else f"{name} {value:.0f} {unit}",
          flush=True)


def report(driver, runs):
    """Prints the medians of the runs' values, and returns them, name -> value."""
    medians = {}
    for name, (_, unit) in runs[0].values.items():
        medians[name] = statistics.median(run.values[name][0] for run in runs)
        show(f"{name}_{driver}", medians[name], unit)
    return medians


def available_mib():
    """Memory that this machine can spare."""
    with open("/proc/meminfo", encoding="ascii") as file:
        for line in file:
            if line.startswith("MemAvailable:"):
                return int(line.split()[1]) // 1024
    return 0


def build_modules(kernel):
    """Builds fpr's modules for a kernel; the directory with them."""
    subprocess.run([f"{TOP}/scripts/build-modules", "--quiet", kernel], check=True)
    return os.path.join(TOP, "build", kernel)


def build_host():
    """Builds the programs of the host side."""
    subprocess.run(["make", "--silent", "-C", f"{TOP}/src/host"], stdout=sys.stderr, check=True)
