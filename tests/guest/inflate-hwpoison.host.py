# SPDX-License-Identifier: GPL-2.0
"""The host's part of inflate-hwpoison.sh: does what the guest says."""

import balloonside


def run(vm):
    balloonside.serve(vm)
    # Where the kernel knows no memory errors there is no other point.
    vm.check(True, "the guest asks for no more")
