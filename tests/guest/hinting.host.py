# SPDX-License-Identifier: GPL-2.0
"""The host's part of hinting.sh: with the wrong queue nothing would be freed."""

from hostside import check_returns


def run(vm):
    check_returns(vm, ["freed"], 200, share=0.9)
