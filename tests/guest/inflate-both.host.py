# SPDX-License-Identifier: GPL-2.0
"""The host's part of inflate-both.sh: does what the guest says, and asks for
statistics."""

from balloonside import serve, statistics


def run(vm):
    def check_statistics(vm, _):
        stats = statistics(vm)
        total = stats and stats["stat-total-memory"]
        vm.check(total and total > 0, f"statistics arrive: total memory {total}")
        return ""

    serve(vm, statistics=check_statistics)
