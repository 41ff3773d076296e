# SPDX-License-Identifier: GPL-2.0
"""What the benchmarks have printed, as data: reading their lines, the machine they
ran on, and which figures are worse than a peer's."""

import collections
import json
import os
import platform
import re
import subprocess

from figures import host_memory_mib
from guest import TOP

LINE = re.compile(r"^(\w+) (-?[\d.]+(?:e[+-]?\d+)?|[+-]?[\d.]+|inf|nan) ?([^\s#]*)"
                  r"(?:\s+# (\S+) to (\S+) in (\d+) runs)?\s*$")
FORMAT = 1
OWN = ("fpr", "fpr0", "vhost", "vfio")
PEERS = ("stock", "stock0", "stock250")
DRIVERS = ("none",) + PEERS + OWN
STATES = ("absent", "loaded", "reporting", "shuffle")  # of bench-hotpath, which has no drivers
# More of these is better; of all others less
MORE = re.compile(r"_(share|guests|hugepages|gib_per_s|ratio)")
# These are neither good nor bad, or measured by one side only
NEUTRAL = re.compile(r"discarded|reported|recycled|delete_s|kicks|ratio|_vs_|_failed|touch|_host|"
                     r"_peak|p50|_discards_\d+s$|footprint_(used|free)_")

Worse = collections.namedtuple("Worse", "part name driver peer value other unit factor")


def number(text):
    """A value; None for one that was not reached."""
    value = float(text)
    return value if value == value and abs(value) != float("inf") else None


def parse(text):
    """name -> {"value", "unit"}, with several runs "low", "high" and "runs" too."""
    values = {}
    for line in text.splitlines():
        match = LINE.match(line)
        if not match:
            continue
        name, value, unit, low, high, runs = match.groups()
        values[name] = {"value": number(value), "unit": unit}
        if runs:
            values[name].update(low=number(low), high=number(high), runs=int(runs))
    return values


def split(name):
    """(rest, driver) of a name; the driver is "" where there is none."""
    rest, _, last = name.rpartition("_")
    return (rest, last) if last in DRIVERS + STATES and "_over_" not in name else (name, "")


def by_name(values):
    """rest of the name -> driver -> entry, in the order of the values."""
    table = {}
    for name, entry in values.items():
        rest, driver = split(name)
        table.setdefault(rest, {})[driver] = entry
    return table


def factor(name, value, other):
    """How many times worse a value is than the other; below 1: better.  None where
    there is no such number."""
    if value is None or other is None:
        never = (value is None) - (other is None)
        return float("inf") if never > 0 else 0.0 if never < 0 else None
    if MORE.search(name):
        value, other = other, value
    if value < 0 or other < 0 or not value and not other:
        return None
    return value / other if other else float("inf")


def apart(name, entry, other):
    """The runs of both do not overlap, where there were several."""
    if not all("runs" in one and one["value"] is not None for one in (entry, other)):
        return True
    bad, good = (other, entry) if MORE.search(name) else (entry, other)
    ends = (bad["low"], good["high"])
    return None in ends or ends[0] > ends[1]


def worse(parts, peers, least=1.03):
    """Figures of fpr that are worse than those of a peer, the worst first."""
    found = []
    for part, result in parts.items():
        for name, row in by_name(result["values"]).items():
            if NEUTRAL.search(name):
                continue
            for driver in set(OWN) & set(row):
                for peer in set(peers) & set(row):
                    times = factor(name, row[driver]["value"], row[peer]["value"])
                    if times and times >= least and apart(name, row[driver], row[peer]):
                        found.append(Worse(part, name, driver, peer, row[driver]["value"],
                                           row[peer]["value"], row[driver]["unit"], times))
    return sorted(found, key=lambda item: (-item.factor, item[:4]))


def first_line(path, pattern=r"(.*)"):
    """What a file says, by an expression; "" without."""
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            match = re.search(pattern, file.read(), re.MULTILINE)
    except OSError:
        return ""
    return match.group(1).strip() if match else ""


def output(*command):
    """The first line that a command prints; "" where it cannot be run."""
    try:
        result = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
                                text=True, check=False, cwd=TOP)
    except OSError:
        return ""
    return result.stdout.split("\n")[0].strip()


def machine():
    """What the benchmarks run on."""
    return {
        "cpu": first_line("/proc/cpuinfo", r"^model name\s*: (.*)$"),
        "cpus": os.cpu_count(),
        "memory_mib": host_memory_mib("MemTotal"),
        "os": first_line("/etc/os-release", r'^PRETTY_NAME="?([^"\n]*)'),
        "kernel": re.match(r"[\d.]*", platform.release()).group(),
        "transparent_hugepages": first_line("/sys/kernel/mm/transparent_hugepage/enabled",
                                            r"\[(\w+)\]"),
        "qemu": output("qemu-system-x86_64", "--version"),
        "load": first_line("/proc/loadavg", r"^(\S+ \S+ \S+)"),
    }


def commit():
    """Which fpr this is."""
    return output("git", "describe", "--always", "--dirty")


def load(path):
    """The results that are there; empty ones where there are none, ValueError for
    what is not of this format."""
    try:
        with open(path, encoding="utf-8") as file:
            results = json.load(file)
    except FileNotFoundError:
        return {"format": FORMAT, "machine": {}, "parts": {}}
    if not isinstance(results, dict) or results.get("format") != FORMAT:
        raise ValueError(f"{path} is not of this format: remove it")
    return results


def save(path, results):
    """Writes them."""
    os.makedirs(os.path.dirname(path), exist_ok=True)
    temporary = f"{path}.new"
    with open(temporary, "w", encoding="utf-8") as file:
        json.dump(results, file, indent="\t", allow_nan=False)
        file.write("\n")
    os.rename(temporary, path)
