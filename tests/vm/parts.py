# SPDX-License-Identifier: GPL-2.0
"""What the parts of the benchmark suite share (scripts/bench-churn and its like):
drivers, a guest that has one of them, the command line.

A part is a class derived from Guest; its program ends with
`sys.exit(parts.main(Part, __doc__))`.
"""

import argparse
import collections
import os
import re
import subprocess
import sys
import tempfile

import footprint
import guest
import initramfs
from figures import available_mib, build_modules, report
from guest import TOP
from qmp import QMPError
from vm import VMError, exit_on_signals

Driver = collections.namedtuple("Driver", "module engine settings text")

# engine: parameters of the kernel's own (page_reporting); settings: fpr's
DRIVERS = {
    "none": Driver("", {}, {}, "no reporting: no driver is bound to the device"),
    "stock": Driver("virtio_balloon", {}, {}, "the kernel's virtio_balloon and its engine"),
    "stock0": Driver("virtio_balloon", {"page_reporting_order": "0"}, {},
                     "the same with page_reporting.page_reporting_order=0"),
    "stock250": Driver("virtio_balloon", {"page_reporting_delay_ms": "250"}, {},
                       "the same with page_reporting.page_reporting_delay_ms=250 (Linux 7.3)"),
    "fpr": Driver("virtio_fpr", {}, {}, "fpr.ko and virtio_fpr.ko, default parameters"),
    "fpr0": Driver("virtio_fpr", {}, {"order": "0"}, "fpr with order=0"),
}
DRIVERS_HELP = """Drivers:
{drivers}
All have QEMU's virtio-balloon device with free page reporting.  A driver whose
parameter this kernel does not have is left out.  With several runs the drivers
take turns, each value is the median, and the smallest and largest are beside it.

Defaults of --kernel, --backing, --runs, --drivers and --size-mb come from the
environment's KERNEL, BACKING, RUNS, DRIVERS and SIZE_MB.
"""
# Time is the guest's instructions, a nanosecond each, and passes at once while it
# sleeps; needs QEMU's emulation, and one processor to be repeatable
ICOUNT = ("append=nokaslr append=norandmaps append=tsc=reliable append=audit=0 "
          'qemu="-icount shift=0,sleep=off -rtc base=2026-01-01,clock=vm -seed 1"')
# The same, and asleep it has this machine's time: for those who watch from outside
ICOUNT_SLEEPS = ICOUNT.replace("sleep=off", "sleep=on")
FLAT_S = 5  # longer than two periods of the kernel's own engine
# no_timer_check: see bench-return
HEAD = """
# vm: smp={smp} mem={mem} modules={modules} files={files} backing={backing}
# vm: append=no_timer_check balloon=free-page-reporting=on {engine} {needs}
. /test/lib.sh
# For figures that only fpr has
counters() {{ cat "$FPR_SYSFS/stats/$1" 2>/dev/null || echo 0; }}
for setting in {engine_settings}; do
	value=$(cat "/sys/module/page_reporting/parameters/${{setting%%=*}}" 2>/dev/null)
	if [ "$value" != "${{setting#*=}}" ]; then
		echo "absent page_reporting.${{setting%%=*}}"
		exit 0
	fi
done
if [ -n "{module}" ]; then
	modprobe {module} || bail "{module} does not load"
	wait_until 10 test -e /sys/bus/virtio/drivers/{module}/virtio0 ||
		bail "{module} has not bound the device"
fi
for setting in {settings}; do
	name=${{setting%%=*}}
	if [ ! -e "$FPR_SYSFS/$name" ]; then
		diag "no parameter $name here: left out"
	elif ! fpr_set "$name" "${{setting#*=}}"; then
		bail "fpr does not take $setting"
	fi
done
"""


class Absent(Exception):
    """This kernel does not have what the driver is about."""


def stat(pid):
    """(minor faults, CPU seconds) of a process, all its threads."""
    with open(f"/proc/{pid}/stat", encoding="ascii", errors="replace") as file:
        fields = file.read().rpartition(")")[2].split()
    cpu_s = (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
    return int(fields[7]), cpu_s


class Guest:
    """One guest with one driver: what was measured.  A part says what it needs, what
    runs in the guest after HEAD, and does the host's side in drive()."""

    part = ""
    drivers = "none stock fpr"  # by default
    possible = tuple(DRIVERS)
    files = ""      # programs in the guest
    modules = ""    # more of them
    needs = ""      # more "# vm:" words
    body = ""       # a format of what options() returns
    smp = 2
    accel = None    # this machine's
    thp = True      # on the host
    limit_s = 1800

    def __init__(self, args, driver, number):
        self.args, self.driver, self.number = args, driver, number
        self.values = {}
        self.discards, self.trace = None, ""  # of QEMU: what it discards, and its file

    # -- for a part to say --------------------------------------------------

    @classmethod
    def arguments(cls, parser, env):
        """Adds the part's own options."""

    @classmethod
    def check(cls, args, parser):
        """Refuses values of them."""

    @classmethod
    def compare(cls, found, args):
        """Prints what follows from the medians, found[driver][name]."""

    @classmethod
    def mem_mib(cls, args):
        """Memory of the guest."""
        raise NotImplementedError

    @classmethod
    def host_mib(cls, args):
        """Memory that the host needs."""
        return cls.mem_mib(args)

    def options(self):
        """Values for the fields of body and needs."""
        return {}

    def qemu_args(self):
        """More arguments for QEMU."""
        return []

    def drive(self, vm):
        """Measures; the driver is at work."""
        raise NotImplementedError

    # -- for a part to use --------------------------------------------------

    def say(self, text):
        """Progress, for the person who waits."""
        say(self.part, f"{self.driver}, run {self.number}: {text}")

    def put(self, name, value, unit=""):
        """Keeps a value."""
        self.values[f"{self.part}_{name}"] = (value, unit)

    def settle(self, vm):
        """Waits until what is free after boot has been reported, or not so long."""
        if not self.args.unsettled and not footprint.wait_flat(vm, self.discards, FLAT_S, 150):
            raise VMError("the guest's memory does not settle after boot")

    def save(self, suffix, header, rows):
        """A curve, as TSV."""
        os.makedirs(self.args.out, exist_ok=True)
        name = f"{self.part}{suffix}-{self.driver}-{self.number}.tsv"
        with open(os.path.join(self.args.out, name), "w", encoding="ascii") as file:
            file.write("\t".join(header) + "\n")
            for row in rows:
                file.write("\t".join(f"{value:.6g}" for value in row) + "\n")

    # -- the run --------------------------------------------------------------

    def script(self):
        """What runs in the guest."""
        driver = DRIVERS[self.driver]
        settings = dict(driver.settings)
        if driver.module == "virtio_fpr":
            settings.update(self.args.set)
        options = self.options()
        return HEAD.format(
            smp=self.smp, mem=self.mem_mib(self.args), module=driver.module, files=self.files,
            modules=",".join(filter(None, (driver.module, self.modules))),
            backing=self.args.backing, needs=self.needs.format(**options),
            engine=" ".join(f"append=page_reporting.{name}={value}"
                            for name, value in driver.engine.items()),
            engine_settings=words(driver.engine), settings=words(settings),
        ) + self.body.format(**options)

    def boot(self, kdir, accel, folder):
        """The VM, not yet started."""
        script = self.script()
        needs = guest.parse_needs(script)
        image, self.trace = f"{folder}/initramfs", f"{folder}/trace"
        guest.build_image(image, kdir, script, needs, self.args.build)
        self.discards = footprint.Discards(self.trace)
        return guest.make_vm(kdir, image, needs, self.accel or accel, time_limit_s=self.limit_s,
                             sample_s=0.05, thp=self.thp,
                             qemu_args=footprint.trace_args(self.trace) + self.qemu_args())

    def wait_ready(self, vm):
        """Until the driver is at work; Absent when the kernel cannot."""
        _, match = vm.wait_for(r"^(?:ready|absent (\S+))$", 600)
        if match.group(1):
            raise Absent(f"this kernel has no {match.group(1)}")

    def measure(self, kdir, accel):
        """Boots and measures; VMError when anything is odd."""
        with tempfile.TemporaryDirectory(prefix="fpr-bench-") as folder:
            self.say(f"booting a guest of {self.mem_mib(self.args)} MiB")
            with self.boot(kdir, accel, folder) as vm:
                try:
                    self.wait_ready(vm)
                    self.drive(vm)
                except (VMError, QMPError) as err:
                    raise VMError(f"{err}; the end of the log:\n{vm.log_text(15)}") from None


def words(settings):
    """{"a": "1"} -> a=1"""
    return " ".join(f"{name}={value}" for name, value in settings.items())


def say(part, text):
    """Progress."""
    print(f"bench-{part}: {text}", file=sys.stderr, flush=True)


def setting(text):
    """NAME=VALUE as a pair; for argparse."""
    if not re.fullmatch(r"[a-z_]+=[\w+-]+", text):
        raise argparse.ArgumentTypeError(f"'{text}' is not NAME=VALUE")
    return tuple(text.split("=", 1))


def arguments(cls, doc):
    """The command line of a part."""
    env = os.environ.get
    parser = argparse.ArgumentParser(
        description=doc, formatter_class=argparse.RawDescriptionHelpFormatter,
        epilog=DRIVERS_HELP.format(drivers="".join(f"  {name:9} {DRIVERS[name].text}\n"
                                                   for name in cls.possible)))
    parser.add_argument("--kernel", default=env("KERNEL") or "6.12-cloud",
                        help="name of scripts/fetch-kernel (%(default)s)")
    parser.add_argument("--backing", choices=("anon", "memfd"), default=env("BACKING") or "anon",
                        help="the guest's memory on the host (%(default)s)")
    parser.add_argument("--runs", type=int, default=env("RUNS") or "1",
                        help="guests per driver (%(default)s)")
    parser.add_argument("--drivers", default=env("DRIVERS") or cls.drivers,
                        help="which, in this order (%(default)s)")
    parser.add_argument("--set", type=setting, action="append", default=[], metavar="NAME=VALUE",
                        help="a parameter of fpr; left out where fpr does not have it")
    parser.add_argument("--unsettled", action="store_true",
                        help="do not wait until what is free after boot has been reported")
    parser.add_argument("--out", default=os.path.join(TOP, "bench"), help="for TSV files (bench)")
    parser.add_argument("--build", help="directory with the modules; without it they are built")
    cls.arguments(parser, env)
    args = parser.parse_args()
    args.drivers = args.drivers.replace(",", " ").split()
    for driver in args.drivers:
        if driver not in cls.possible:
            parser.error(f"driver '{driver}': {', '.join(cls.possible)}")
    if args.backing not in ("anon", "memfd"):  # argparse trusts defaults
        parser.error(f"backing '{args.backing}': anon or memfd")
    if args.runs < 1 or not args.drivers:
        parser.error("runs is 1 or more, drivers not empty")
    cls.check(args, parser)
    if available_mib() < cls.host_mib(args) + 512:
        parser.error(f"{cls.host_mib(args)} MiB for guests are not there: {available_mib()} MiB "
                     "available")
    return args


def run_all(cls, args, kdir, accel):
    """driver -> its guests; those that the kernel does not have are left out."""
    runs = {driver: [] for driver in args.drivers}
    for number in range(args.runs):
        for driver in list(runs):
            run = cls(args, driver, number + 1)
            try:
                run.measure(kdir, accel)
            except Absent as err:
                run.say(f"left out: {err}")
                del runs[driver]
                continue
            runs[driver].append(run)
    return runs


def main(cls, doc):
    """The program; its exit status."""
    args = arguments(cls, doc)
    exit_on_signals()
    try:
        kdir, accel = guest.kernel_dir(args.kernel), guest.accel(args.kernel)
        if not args.build:
            args.build = build_modules(args.kernel)
        say(cls.part, f"kernel {args.kernel}, {cls.accel or accel}, {args.backing} memory")
        runs = run_all(cls, args, kdir, accel)
    except (VMError, guest.NeedError, initramfs.ImageError, subprocess.CalledProcessError,
            OSError, RuntimeError) as err:
        say(cls.part, f"failed: {err}")
        return 1
    found = {driver: report(driver, done) for driver, done in runs.items()}
    cls.compare(found, args)
    return 0
