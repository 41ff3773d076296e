# SPDX-License-Identifier: GPL-2.0
"""The host's part of inflate-same.sh: does what the guest says, by QMP and by HMP, and
answers what can be seen of it."""

from balloonside import actual, serve, statistics, wait_actual
from hostside import MIB


def hmp(vm, line):
    """What the human monitor says to it."""
    return vm.qmp.execute("human-monitor-command", command_line=line).strip()


def monitor(vm, mib):
    """A balloon of that size by HMP, and what that says of it."""
    said = hmp(vm, f"balloon {vm.mem_mib - mib}")
    wait_actual(vm, lambda kib: kib == mib * MIB, 50)
    return f"{said} {hmp(vm, 'info balloon')} {actual(vm)}"


def run(vm):
    names = []

    def tags(vm, _):
        """How much memory the guest says it has; which statistics it has is compared
        here, as there may be more of them."""
        stats = statistics(vm)
        if not vm.check(stats, "statistics arrive"):
            return "none"
        names.append({name for name, value in stats.items() if value != 2 ** 64 - 1})
        missing = names[0] - names[-1]
        vm.check(not missing, "all statistics that the kernel's driver has, but "
                 f"{missing or 'none'}")
        return f"total {stats['stat-total-memory']}"

    serve(vm, monitor=monitor, statistics=tags)
