# SPDX-License-Identifier: GPL-2.0
"""The pictures of docs/benchmarks.md: SVG, drawn by gnuplot."""

import glob
import os
import re
import subprocess

import results
from guest import TOP

COLOURS = {"none": "#7f7f7f", "stock": "#c0504d", "stock0": "#e09f3e", "stock250": "#8c564b",
           "fpr": "#1f77b4", "fpr0": "#4f9d4f"}
HEAD = """
set terminal svg size 900,500 dynamic background 'white' font 'sans-serif,13'
set output '{path}'
set title "{title}" noenhanced
set xlabel "{xlabel}" noenhanced
set ylabel "{ylabel}" noenhanced
set key outside right top spacing 1.3 noenhanced
set grid lc rgb '#dddddd' lt 1
set border 3 lc rgb '#555555'
set tics out nomirror
{more}
{data}
"""
LATENCIES = ("order0_p999", "order0_max", "order9_p999", "order9_max", "interrupt_p999",
             "interrupt_max", "wake_max")


def style(driver):
    """Colour of a driver."""
    return f"lc rgb '{COLOURS.get(driver, '#000000')}'"


def block(name, rows):
    """Data for gnuplot."""
    lines = "".join(" ".join(str(value) for value in row) + "\n" for row in rows)
    return f"${name} << END\n{lines}END\n"


def curves(drivers, using="1:2", what="linespoints", source="${}"):
    """A plot command with a line for each driver."""
    return "plot " + ", ".join(
        f"{source.format(driver)} using {using} with {what} title '{driver}' {style(driver)} lw 2.5"
        for driver in drivers) + "\n"


def churn(values, _folder):
    """Faults against the period."""
    rows = {}
    for name, row in results.by_name(values).items():
        match = re.fullmatch(r"churn_faults_(\d+)ms", name)
        for driver, entry in row.items() if match else ():
            rows.setdefault(driver, []).append((int(match.group(1)) / 1000, entry["value"]))
    yield ("", "Faults on the host where memory is needed again", {
        "xlabel": "seconds that the memory stays free", "ylabel": "minor faults of QEMU per cycle",
        "more": "set logscale x\nset yrange [0:*]",
        "data": "".join(block(driver, sorted(data)) for driver, data in rows.items())},
        curves(rows) if rows else "")


def fragmentation(values, folder):
    """Share against time and against discards."""
    drivers = [driver for driver in COLOURS if f"fragmentation_t95_{driver}" in values
               and os.path.exists(f"{folder}/fragmentation-{driver}-1.tsv")]
    source = f"'{folder}/fragmentation-{{}}-1.tsv' skip 1"
    yield ("-time", "Free memory back from a fragmented guest", {
        "xlabel": "seconds since the last piece was freed",
        "ylabel": "% of the freed memory off QEMU", "data": "",
        "more": "set xrange [0:*]\nset yrange [0:105]"},
        curves(drivers, what="lines", source=source) if drivers else "")
    yield ("-discards", "What it takes: discards", {
        "xlabel": "discards that QEMU has made", "ylabel": "% of the freed memory off QEMU",
        "data": "", "more": "set logscale x\nset xrange [1:*]\nset yrange [0:105]"},
        curves(drivers, using="($3 > 0 ? $3 : NaN):2", what="lines", source=source)
        if drivers else "")


def footprint(values, folder):
    """Memory against time, and what of it was in use."""
    drivers = [driver for driver in COLOURS if f"footprint_gib_min_{driver}" in values
               and os.path.exists(f"{folder}/footprint-{driver}-1.tsv")]
    source = f"'{folder}/footprint-{{}}-1.tsv' skip 1"
    yield ("", "Memory of a guest that compiles a package", {
        "xlabel": "seconds since the build began", "data": "", "ylabel": "MiB of the host's memory",
        "more": "set xrange [0:*]\nset yrange [0:*]"},
        curves(drivers, what="lines", source=source).rstrip()
        + f", {source.format(drivers[-1])} using 1:3 with lines title 'in use in the guest' "
        "lc rgb 'black' dt 3 lw 1.5\n"
        if drivers else "")


def latency(values, _folder):
    """Bars of instructions."""
    drivers = [driver for driver in COLOURS if f"latency_order0_max_{driver}" in values]
    rows = []
    for name in LATENCIES:
        cells = [values.get(f"latency_{name}_{driver}", {}).get("value") for driver in drivers]
        rows.append([f'"{name}"'] + ["NaN" if cell is None else max(1, cell) for cell in cells])
    yield ("", "Waiting while memory is reported", {
        "xlabel": "what waits, 99.9th percentile and longest", "ylabel": "ns (instructions)",
        "more": "set logscale y\nset style data histograms\nset style fill solid 0.9\n"
        "set xtics noenhanced rotate by -20", "data": block("data", rows)},
        bars(drivers) if drivers else "")


def bars(drivers):
    """A plot command with a bar for each driver."""
    return "plot " + ", ".join(
        f"$data using {index}:xtic(1) title '{driver}' {style(driver)}"
        for index, driver in enumerate(drivers, 2)) + "\n"


def density(values, _folder):
    """Bars of guests."""
    drivers = [driver for driver in COLOURS if f"density_guests_{driver}" in values]
    rows = [[driver, values[f"density_guests_{driver}"]["value"], COLOURS[driver].replace("#", "0x")]
            for driver in drivers]
    yield ("", "Guests that fit into the same memory", {
        "xlabel": "driver", "ylabel": "guests", "data": block("data", rows),
        "more": "set style fill solid 0.9\nset boxwidth 0.5\nset yrange [0:*]\nunset key"},
        "plot $data using 0:2:3:xtic(1) with boxes lc rgb variable\n" if drivers else "")


PICTURES = {"churn": churn, "fragmentation": fragmentation, "footprint": footprint,
            "latency": latency, "density": density}


def gnuplot(script):
    """Runs it; RuntimeError with what it says."""
    result = subprocess.run(["gnuplot"], input=script, text=True, check=False,
                            stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    if result.returncode:
        raise RuntimeError(f"gnuplot: {result.stdout.strip()}")


def draw_return(part, folder, path):
    """The curves of bench-return, where they are."""
    size, backing = part.get("size_mb", 1536), part.get("backing", "anon")
    drivers = [(driver, f"{folder}/return-{size}-{backing}-{driver}-1.tsv")
               for driver in ("stock", "fpr")]
    there = [f"{driver}={tsv}" for driver, tsv in drivers if os.path.exists(tsv)]
    if there:
        subprocess.run([f"{TOP}/scripts/plot-return", "--svg", path, "--subtitle",
                        f"{size} MiB, {backing} memory", *there], check=True)


def draw(found, folder, out):
    """Draws what there are figures for, and curves below folder, in one of the part's
    name; part -> [(title, file name)].  Where the curves are not at hand the picture that
    is there stays; those of no part go."""
    os.makedirs(out, exist_ok=True)
    pictures = {}

    def there(part, title, path):
        if os.path.exists(path):
            pictures.setdefault(part, []).append((title, os.path.basename(path)))

    for name, part in found["parts"].items():
        if name.startswith("return"):
            path = f"{out}/{name}.svg"
            draw_return(part, f"{folder}/{name}", path)
            there(name, "Guest memory back on the host after a delete", path)
            continue
        drawing = PICTURES.get(name.partition("_")[0], lambda *_: ())
        for suffix, title, fields, plot in drawing(part["values"], f"{folder}/{name}"):
            path = f"{out}/{name}{suffix}.svg"
            if plot:
                gnuplot(HEAD.format(path=path, title=title, **fields) + plot)
            there(name, title, path)
    shown = {file for drawn in pictures.values() for _, file in drawn}
    for old in glob.glob(f"{out}/*.svg"):
        if os.path.basename(old) not in shown:
            os.unlink(old)
    return pictures
