# SPDX-License-Identifier: GPL-2.0
"""Builds the root file system of a test guest: busybox, modules, the test.

The archive is written directly (cpio "newc"), so that neither root nor a
staging tree with device nodes is needed.  Modules lie where modprobe finds them
in the guest; ours are in /lib/modules/VERSION/extra, also reachable as
/modules/NAME.ko.
"""

import gzip
import lzma
import os
import re
import shutil
import subprocess
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
ALWAYS = ["virtio_pci"]


class ImageError(Exception):
    """Something that belongs into the guest is not there."""


def write_cpio(out, entries):
    """entries: (path, mode, bytes), directories before what is in them."""
    for number, (path, mode, data) in enumerate(entries + [("TRAILER!!!", 0, b"")], 1):
        name = path.encode() + b"\0"
        fields = (number, mode, 0, 0, 1, 0, len(data), 0, 0, 0, 0, len(name), 0)
        header = b"070701" + b"".join(b"%08x" % field for field in fields)
        out.write(header + name + b"\0" * (-(len(header) + len(name)) % 4))
        out.write(data + b"\0" * (-len(data) % 4))


def unpack(program, packed):
    """These bytes, decompressed by a program such as zstd."""
    if not shutil.which(program):
        raise ImageError(f"{program} not found; run scripts/install-deps vm")
    return subprocess.run([program, "-dc"], input=packed, check=True,
                          stdout=subprocess.PIPE).stdout


def read_module(path):
    """The module's bytes, decompressed: busybox wants them so."""
    if path.endswith(".xz"):
        with lzma.open(path) as file:
            return file.read()
    with open(path, "rb") as file:
        return unpack("zstd", file.read()) if path.endswith(".zst") else file.read()


def module_name(path):
    """kernel/drivers/a-b.ko.xz -> a_b"""
    return re.sub(r"\.ko(\.\w+)?$", "", os.path.basename(path)).replace("-", "_")


class Modules:
    """What modules.dep and modules.builtin of a kernel's package say."""

    def __init__(self, kernel_dir):
        with open(f"{kernel_dir}/kver", encoding="ascii") as file:
            self.kver = file.read().strip()
        self.dir = os.path.join(kernel_dir, "root/lib/modules", self.kver)
        self.paths, self.deps = {}, {}
        with open(f"{self.dir}/modules.dep", encoding="ascii") as file:
            for line in file:
                path, _, deps = line.strip().partition(":")
                self.paths[module_name(path)] = path
                self.deps[module_name(path)] = [module_name(d) for d in deps.split()]
        with open(f"{self.dir}/modules.builtin", encoding="ascii") as file:
            self.builtin = {module_name(line.strip()) for line in file}

    def closure(self, names):
        """The modules and all they need; built-in ones left out."""
        found, todo = [], [name.replace("-", "_") for name in names]
        while todo:
            name = todo.pop()
            if name in found or name in self.builtin:
                continue
            if name not in self.paths:
                raise ImageError(f"no module '{name}' in kernel {self.kver}")
            found.append(name)
            todo += self.deps[name]
        return found


def depends_of(path):
    """Modules that one of ours needs, from its own section .modinfo."""
    with open(path, "rb") as file:
        match = re.search(rb"\0depends=([^\0]*)\0", file.read())
    names = match.group(1).decode().split(",") if match else []
    return [name for name in names if name]


def stage_modules(stage, modules, stock, ours):
    """Lays the modules out and runs depmod; returns nothing."""
    base = os.path.join(stage, "lib/modules", modules.kver)
    os.makedirs(f"{base}/extra")
    own_names = {module_name(path) for path in ours}
    needed = [dep for path in ours for dep in depends_of(path) if dep not in own_names]
    for name in modules.closure(ALWAYS + list(stock) + needed):
        path = modules.paths[name]
        target = os.path.join(base, re.sub(r"\.(xz|zst|gz)$", "", path))
        os.makedirs(os.path.dirname(target), exist_ok=True)
        with open(target, "wb") as file:
            file.write(read_module(os.path.join(modules.dir, path)))
    for path in ours:
        # As the kernel's own are installed, and DKMS does: 7 MiB of the guest's memory less
        subprocess.run(["strip", "--strip-debug", "-o",
                        f"{base}/extra/{os.path.basename(path)}", path], check=True)
    for name in ("modules.builtin", "modules.builtin.modinfo", "modules.order"):
        if os.path.exists(f"{modules.dir}/{name}"):
            shutil.copy(f"{modules.dir}/{name}", base)
    env = dict(os.environ, PATH=os.environ.get("PATH", "") + ":/usr/sbin:/sbin")
    subprocess.run(["depmod", "-b", stage, modules.kver], check=True, env=env)
    for name in os.listdir(base):
        if name.endswith(".bin"):
            os.unlink(f"{base}/{name}")


def tree(stage):
    """The archive's entries for a directory tree."""
    entries = []
    for folder, dirs, files in os.walk(stage):
        dirs.sort()
        for name in sorted(dirs + files):
            path = os.path.join(folder, name)
            inside = os.path.relpath(path, stage)
            if os.path.islink(path):
                entries.append((inside, 0o120777, os.readlink(path).encode()))
            elif os.path.isdir(path):
                entries.append((inside, 0o040755, b""))
            else:
                with open(path, "rb") as file:
                    mode = 0o100755 if os.access(path, os.X_OK) else 0o100644
                    entries.append((inside, mode, file.read()))
    return entries


def put(stage, inside, data, mode=0o644):
    """Writes one file into the tree."""
    path = os.path.join(stage, inside)
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "wb") as file:
        file.write(data if isinstance(data, bytes) else data.encode())
    os.chmod(path, mode)


def find_busybox():
    """The statically linked busybox; another one would not run in the guest."""
    for path in ("/bin/busybox", "/usr/bin/busybox", "/usr/lib/busybox/busybox"):
        if os.path.exists(path):
            with open(path, "rb") as file:
                if b"/lib64/ld-linux" not in file.read(4096):
                    return path
    raise ImageError("no static busybox; run scripts/install-deps vm")


def build(out, kernel_dir, script, *, stock=(), ours=(), load=None, files=(), faults=""):
    """Writes the image to `out`.

    script: text of what the guest runs, or of several (name, text, words) that it runs
    one after the other; words are /init's: "tidy" for one that has to leave the guest as
    it was, "host" for one whose end the host has to acknowledge.
    stock: names of the kernel's modules;
    ours: paths of .ko files; load: names that /init loads first (default: the
    virtio transport); files: (path in the guest, path on the host or bytes);
    faults: regular expressions of kernel log lines that mean damage.
    """
    modules = Modules(kernel_dir)
    load = ALWAYS if load is None else load
    with tempfile.TemporaryDirectory(prefix="fpr-initramfs-") as stage:
        own_names = {module_name(path) for path in ours}
        wanted = list(stock) + [name for name in load if name not in own_names]
        stage_modules(stage, modules, wanted, ours)
        for name in ("bin", "dev", "proc", "sys", "tmp", "test"):
            os.makedirs(f"{stage}/{name}", exist_ok=True)
        shutil.copy(find_busybox(), f"{stage}/bin/busybox")
        with open(f"{HERE}/init", "rb") as file:
            put(stage, "init", file.read(), 0o755)
        put(stage, "etc/load", "".join(f"{name}\n" for name in load))
        put(stage, "etc/guest-faults", faults or "^$^\n")
        scripts = [("script", script, "")] if isinstance(script, str) else script
        put(stage, "etc/tests", "".join(f"{name} {words}\n" for name, _, words in scripts))
        for name, text, _ in scripts:
            put(stage, f"test/{name}/run", text, 0o755)
        for inside, source in files:
            if isinstance(source, str):
                with open(source, "rb") as file:
                    source = file.read()
            put(stage, inside.lstrip("/"), source, 0o755)
        with open(out, "wb") as raw, gzip.GzipFile(fileobj=raw, mode="wb", compresslevel=1,
                                                   mtime=0) as file:
            write_cpio(file, tree(stage))
