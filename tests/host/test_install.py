# SPDX-License-Identifier: GPL-2.0
"""make install and uninstall of src/host, into an empty tree."""

import json
import os
import shutil
import subprocess
import tempfile

from harness import equal, test

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
FILES = {
    "libexec/fpr/vhost-user-fpr": 0o755,
    "lib/systemd/system/vhost-user-fpr@.service": 0o644,
    "share/man/man1/vhost-user-fpr.1": 0o644,
    "share/qemu/vhost-user/50-vhost-user-fpr.json": 0o644,
}


def make(binary, target, directory, prefix):
    subprocess.run(["make", "-s", "-C", TOP + "/src/host", target,
                    "OUT=" + os.path.dirname(binary), "DESTDIR=" + directory,
                    "PREFIX=" + prefix], check=True)


def installed(directory):
    return {os.path.relpath(os.path.join(path, name), directory)
            for path, _, names in os.walk(directory) for name in names}


@test
def install_and_uninstall(binary):
    if "sanitized" in binary:
        return      # not what is installed
    with tempfile.TemporaryDirectory() as directory:
        for _ in range(2):
            make(binary, "install", directory, "/opt/fpr")
            missing = {"opt/fpr/" + name for name in FILES} - installed(directory)
            equal(missing, set(), "missing")
        root = directory + "/opt/fpr/"
        for name, mode in FILES.items():
            equal(os.stat(root + name).st_mode & 0o777, mode, name)
        with open(root + "share/qemu/vhost-user/50-vhost-user-fpr.json",
                  encoding="utf-8") as file:
            description = json.load(file)
        equal(description["binary"], "/opt/fpr/libexec/fpr/vhost-user-fpr", "binary")
        equal(description["type"], "balloon", "type")
        out = subprocess.run([root + "libexec/fpr/vhost-user-fpr",
                              "--print-capabilities"], capture_output=True, check=True)
        equal(json.loads(out.stdout)["type"], description["type"], "capabilities")
        with open(root + "lib/systemd/system/vhost-user-fpr@.service",
                  encoding="utf-8") as file:
            unit = file.read()
        assert "ExecStart=/opt/fpr/libexec/fpr/vhost-user-fpr " in unit, unit
        assert "@BINDIR@" not in unit, unit
        with open(root + "lib/systemd/system/vfio-user-fpr@.service",
                  encoding="utf-8") as file:
            both = unit + file.read()
        # The socket's name is the label of the counters: one a guest
        equal(both.count("-user-fpr/%i/%i.sock "), 2, "sockets named after guests")
        if shutil.which("systemd-analyze"):
            check_unit(root, unit)
        for _ in range(2):
            make(binary, "uninstall", directory, "/opt/fpr")
            equal(installed(directory), set(), "left behind")


def check_unit(root, unit):
    """What systemd says to the unit, with the program where it is just now."""
    path = root + "lib/systemd/system/vhost-user-fpr@vm1.service"
    with open(path, "w", encoding="utf-8") as file:
        file.write(unit.replace("/opt/fpr/", root))
    done = subprocess.run(["systemd-analyze", "verify", "--man=no", path],
                          capture_output=True, text=True, check=False)
    os.unlink(path)
    assert "vhost-user-fpr" not in done.stderr, done.stderr


@test
def man_page_names_every_option(binary):
    with open(TOP + "/docs/man/vhost-user-fpr.1", encoding="utf-8") as file:
        page = file.read()
    out = subprocess.run([binary, "--help"], capture_output=True, text=True, check=True)
    for line in out.stdout.splitlines():
        if line.startswith("  --"):
            name = line.split()[0][2:].split("=")[0]
            assert f"Fl -{name}" in page or f"| -{name}" in page, name
