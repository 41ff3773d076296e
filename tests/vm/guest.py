# SPDX-License-Identifier: GPL-2.0
"""What a guest script needs, and how to boot it: shared by the tests and the
benchmarks.

A script in tests/guest says what it needs in comment lines:

    # vm: mem=1024 smp=2 timeout=120 balloon=free-page-reporting=on
    # vm: modules=fpr,virtio_fpr load=virtio_pci,fpr append=SIZE_MB=64 files=memload

mem       guest memory, MiB (512); with a "+" behind it more will do as well, where
          another test that shares the boot needs it
maxmem    memory can be added up to this, MiB (none)
smp       virtual CPUs (1)
timeout   time limit of the whole run, s of QEMU's processor time (120), and vm.PATIENCE
          times as long by the clock; a guest that says and does nothing for three
          minutes hangs
balloon   options of a virtio-balloon device; without it there is no device
          ("balloon=plain": a device without options)
backing   anon, memfd, or hugetlb: a memfd of 2 MiB pages, which the host sets
          aside meanwhile; where it cannot, the script is skipped (anon)
disk      a disk of that many MiB, empty, gone with the guest; /dev/vda (none)
modules   modules that are in the guest: fpr's own, and the kernel's
load      modules that are loaded before the script starts (virtio_pci)
append    more kernel command line; a=b arrives as an environment variable
files     programs and files put into /bin of the guest: NAME of
          tests/guest/NAME.c (compiled, static) or tests/guest/NAME, or a path
          in the repository (scripts/fprctl); with it what is in NAME.d beside it
allow     kinds of kernel log lines that the test provokes (tests/vm/faults)
qemu      more arguments for QEMU
qemu_version  a QEMU of scripts/fetch-qemu instead of this machine's
backend   a program of build/host, or a path in the repository, with arguments
          ("NAME ARGUMENT..."), that serves the guest's device; see backend.py
device    that device: vhost-user or vfio-user, and its properties
          (vhost-user,virtio-id=13,num_vqs=1); needs shared memory (backing=)
boot      bzimage: the kernel is started by the firmware, which only then is whole when
          the guest wakes up (S3); else as it is in memory, which is quicker (vmlinux.py)
kernels   names of the only kernels on which it runs; others skip it
alone     why it needs a boot of its own, and may leave the guest as it likes; others
          share one where they can (tests/vm/sharing.py)
clock     what the guest's time is, where it is emulated (see CLOCKS); tests/vm/run-tests
          takes "instructions", and "sleeps" where the host takes part (a companion, a
          backend, a balloon device); else "host"

A kernel of our own (scripts/build-kernel) may want to be booted in a way of its
own.  scripts/kernel-config/PART.guest says so for a part of its configuration,
in lines of words as well:

slow      times and time limits of the tests are multiplied by this
more_mem  per cent of memory added, for what the kernel keeps for itself
keeps     per cent of memory that its checks may keep of what was freed
append    more kernel command line
absent    modules it does not have; tests that need one are skipped
ignore    kernel log lines that are no fault of ours (an expression like those
          in tests/vm/faults)
"""

import functools
import glob
import os
import re
import shlex
import subprocess
import threading

import initramfs
import ktap
import vm
import vmlinux
from backend import Backend, device_args

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
GUEST = os.path.join(TOP, "tests", "guest")
LISTS = ("modules", "load", "files", "allow", "kernels")
REPEATED = ("append", "qemu")
DEFAULTS = {"mem": "512", "smp": "1", "timeout": "120", "backing": "anon",
            "maxmem": "", "disk": "", "qemu_version": "", "backend": "", "device": "",
            "clock": "", "alone": "", "boot": ""}
# Emulated, a "fast" rep movsb goes byte by byte: a guest that is not told of it
# copies in words, and fills memory 2.6 times faster.
TCG_CPU = "max,-erms,-fsrm"
# The same of rep stosb, which newer QEMUs offer too: six times slower
MORE_BYTEWISE = ("fsrs",)

# An instruction takes 8 ns of the guest's time, which is about what it takes to emulate
# it.  So a busy guest has the time that it would have anyway, but for what else this
# machine does meanwhile: that does not count.  Asleep, a guest is woken at once
# ("instructions"), or has the host's time ("sleeps"), which a host that takes part needs.
ICOUNT = "shift=3,sleep={}"
CLOCKS = {"host": None, "instructions": ICOUNT.format("off"), "sleeps": ICOUNT.format("on")}
# Else the kernel compares clocks that are not alike, and gives one of them up.
ICOUNT_APPEND = ["tsc=reliable", "no_timer_check"]
# Debian 12's (7.2) never gets to run the second processor then.
ICOUNT_QEMU = "11"

HOST_PROGRAMS = os.path.join("build", "host")
PARTS = os.path.join(TOP, "scripts", "kernel-config")
PROPERTIES = {"slow": "1", "more_mem": "0", "keeps": "0", "append": [], "absent": [], "ignore": []}


class NeedError(Exception):
    """A need of a script cannot be met; the text names the remedy."""


def parse_needs(text):
    """The "# vm:" lines of a script as a dictionary."""
    needs = dict(DEFAULTS, **{key: [] for key in LISTS + REPEATED}, balloon=None)
    for line in re.findall(r"^# vm:(.*)$", text, re.MULTILINE):
        for word in shlex.split(line):
            key, _, value = word.partition("=")
            if key not in needs:
                raise NeedError(f"unknown need '{key}' in '# vm:{line}'; see tests/vm/guest.py")
            if key in LISTS:
                needs[key] += [item for item in value.split(",") if item]
            elif key in REPEATED:
                needs[key].append(value)
            else:
                needs[key] = value
    if needs["balloon"] == "plain":
        needs["balloon"] = ""
    needs["or_more"] = needs["mem"].endswith("+")
    needs["mem"] = needs["mem"].rstrip("+")
    if needs["clock"] and needs["clock"] not in CLOCKS:
        raise NeedError(f"clock={needs['clock']}: {', '.join(CLOCKS)}")
    if needs["boot"] not in ("", "bzimage"):
        raise NeedError(f"boot={needs['boot']}: bzimage, or nothing")
    if bool(needs["backend"]) != bool(needs["device"]):
        raise NeedError("backend= and device= belong together; see tests/vm/guest.py")
    if needs["device"] and needs["backing"] not in vm.SHARED:
        raise NeedError("device= needs memory that its backend can map: "
                        f"backing={' or '.join(vm.SHARED)}")
    return needs


def kernel_dir(name):
    """Fetches the kernel if necessary; its directory in the cache."""
    result = subprocess.run([f"{TOP}/scripts/fetch-kernel", "--print-dir", name],
                            stdout=subprocess.PIPE, text=True, check=False)
    if result.returncode != 0:
        raise NeedError(f"kernel '{name}' cannot be had (see above)")
    return result.stdout.strip()


def qemu_program(which):
    """What to run as QEMU: for nothing this machine's, for a number that version
    of scripts/fetch-qemu, else the program itself."""
    if not which.isdigit():
        return which or vm.QEMU
    result = subprocess.run([f"{TOP}/scripts/fetch-qemu", "--print-command", which],
                            stdout=subprocess.PIPE, text=True, check=False)
    if result.returncode != 0:
        raise NeedError(f"QEMU {which} cannot be had (see above)")
    return result.stdout.strip()


@functools.lru_cache(maxsize=None)
def tcg_cpu(program):
    """TCG_CPU for this QEMU, without what else it would do byte by byte."""
    known = subprocess.run([program, "-cpu", "help"], stdout=subprocess.PIPE, text=True,
                           check=False).stdout.split()
    return TCG_CPU + "".join(f",-{name}" for name in MORE_BYTEWISE if name in known)


def make_backend(needs, kdir):
    """The Backend that the needs ask for, not yet started; None if they do not."""
    if not needs["backend"]:
        return None
    program, *arguments = shlex.split(needs["backend"])
    paths = [os.path.join(TOP, folder, program) for folder in (HOST_PROGRAMS, "")]
    path = next((path for path in paths if os.access(path, os.X_OK) and os.path.isfile(path)), None)
    if not path:
        raise NeedError(f"backend={program}: neither {HOST_PROGRAMS}/{program} nor {program} "
                        "is a program; build it first")
    return Backend([path] + arguments, slow=float(properties(kdir)["slow"]))


def properties(kdir):
    """What the parts of a kernel of our own want; the defaults for others."""
    found = {key: list(value) if isinstance(value, list) else value
             for key, value in PROPERTIES.items()}
    try:
        with open(os.path.join(kdir, "fragments"), encoding="ascii") as file:
            parts = file.read().split()
    except FileNotFoundError:
        parts = []
    for part in parts:
        path = os.path.join(PARTS, part + ".guest")
        if not os.path.exists(path):
            continue
        with open(path, encoding="ascii") as file:
            for word in shlex.split(file.read(), comments=True):
                key, _, value = word.partition("=")
                if key not in found:
                    raise NeedError(f"unknown property '{key}' in {path}; see tests/vm/guest.py")
                if isinstance(found[key], list):
                    found[key].append(value)
                else:
                    found[key] = value
    return found


def missing_module(kdir, needs):
    """A module that the script needs and this kernel is known not to have."""
    absent = properties(kdir)["absent"]
    return next((name for name in needs["modules"] + needs["load"] if name in absent), None)


def accel(name):
    """"kvm" if that kernel is proven to boot with it, else TCG."""
    return subprocess.run([f"{TOP}/tests/vm/accel", name], stdout=subprocess.PIPE,
                          text=True, check=True).stdout.strip()


def own_modules(build_dir):
    """name -> path of the modules that scripts/build-modules left."""
    if not os.path.isdir(build_dir):
        return {}
    return {name[:-3]: os.path.join(build_dir, name)
            for name in os.listdir(build_dir) if name.endswith(".ko")}


def compile_program(source):
    """Compiles a guest program if it, or a header, is newer than what is there."""
    target = os.path.join(TOP, "build", "guest", os.path.basename(source)[:-2])
    sources = [source] + glob.glob(os.path.join(os.path.dirname(source), "*.h"))
    if os.path.exists(target) and os.path.getmtime(target) >= max(map(os.path.getmtime, sources)):
        return target
    os.makedirs(os.path.dirname(target), exist_ok=True)
    temporary = f"{target}.{os.getpid()}-{threading.get_ident()}"
    subprocess.run(["gcc", "-O2", "-Wall", "-Wextra", "-Werror", "-static", "-pthread",
                    "-o", temporary, source], check=True)
    os.rename(temporary, target)
    return target


def find_files(name):
    """(path in the guest, path on the host) of an entry of files=, and of its parts."""
    inside = "bin/" + os.path.basename(name)
    for path in (os.path.join(GUEST, name), os.path.join(TOP, name)):
        if os.path.isfile(path + ".c"):
            return [(inside, compile_program(path + ".c"))]
        if os.path.isfile(path):
            return [(inside, path)] + [(f"{inside}.d/{os.path.basename(part)}", part)
                                       for part in sorted(glob.glob(path + ".d/*"))]
    raise NeedError(f"files={name}: neither tests/guest/{name}, nor {name}.c, nor {name}")


def build_image(out, kdir, script, needs, build_dir):
    """Writes the initramfs for a script, or several (initramfs.build), with these needs."""
    ours = own_modules(build_dir)
    own_wanted = [name for name in needs["modules"] if name in ours]
    stock = [name for name in needs["modules"] if name not in ours]
    kernel = initramfs.Modules(kdir)
    for name in stock:
        if name not in kernel.paths and name not in kernel.builtin:
            raise NeedError(f"module '{name}' is neither in {os.path.relpath(build_dir, TOP)} nor in "
                            f"kernel {kernel.kver}; run scripts/build-modules")
    own_wanted += [dep for name in own_wanted for dep in initramfs.depends_of(ours[name])
                   if dep in ours and dep not in own_wanted]
    files = [("test/lib.sh", os.path.join(GUEST, "lib.sh"))]
    files += [file for name in needs["files"] for file in find_files(name)]
    faults = "".join(f"{regex}\n" for _, regex in ktap.load_faults(needs["allow"]))
    ignored = "".join(f"{regex}\n" for regex in properties(kdir)["ignore"])
    files.append(("etc/guest-ignored", (ignored or "^$^\n").encode()))
    initramfs.build(out, kdir, script, stock=stock, ours=[ours[name] for name in own_wanted],
                    load=needs["load"] or None, files=files, faults=faults)


def scratch_disk(image, mib):
    """QEMU's arguments for an empty disk beside the image; none without size."""
    if not mib:
        return []
    path = image + ".disk"
    with open(path, "wb") as file:
        file.truncate(int(mib) << 20)
    return ["-drive", f"if=virtio,format=raw,file={path}"]


def backend_args(needs, backend):
    """QEMU's arguments for the device that a backend serves."""
    return device_args(needs["device"], backend.socket) if backend else []


def make_vm(kdir, image, needs, acceleration, *, cls=vm.VM, qemu_args=(), backend=None,
            **options):
    """A VM object for an image; options overrule what the needs say."""
    emulated = acceleration != "kvm"
    kernel = properties(kdir)
    slow = float(kernel["slow"])
    # To the tests in the guest (tests/guest/lib.sh) as environment variables
    append = kernel["append"] + [
        f"FPR_{key.upper()}={kernel[key]}" for key in ("slow", "more_mem", "keeps")
        if kernel[key] != PROPERTIES[key]]
    maxmem = int(needs["maxmem"] or 0)
    icount = CLOCKS[needs["clock"] or "host"] if emulated else None
    if icount:
        append += ICOUNT_APPEND
    qemu = qemu_program(needs["qemu_version"] or (ICOUNT_QEMU if icount else ""))
    # What is kept for memory that is added later comes out of that at boot.
    more = max(int(needs["mem"]), maxmem) * int(kernel["more_mem"]) // 100
    settings = {
        "kernel": vmlinux.path_of(kdir) if emulated and needs["boot"] != "bzimage"
        else os.path.join(kdir, "vmlinuz"),
        "initrd": image, "accel": acceleration,
        "mem_mib": int(needs["mem"]) + more,
        "maxmem_mib": maxmem + more if maxmem else 0, "smp": int(needs["smp"]),
        "slow": slow, "backing": needs["backing"],
        "keeps_mib": (int(needs["mem"]) + more) * int(kernel["keeps"]) // 100,
        "balloon": needs["balloon"], "append": " ".join(append + needs["append"]),
        "qemu": qemu,
        "cpu": tcg_cpu(qemu) if emulated else "host",
        "time_limit_s": float(needs["timeout"]) * slow,
        "qemu_args": (["-icount", icount] if icount else [])
        + [arg for text in needs["qemu"] for arg in text.split()]
        + scratch_disk(image, needs["disk"]) + backend_args(needs, backend) + list(qemu_args),
    }
    settings.update(options)
    return cls(**settings)
