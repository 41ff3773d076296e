# SPDX-License-Identifier: GPL-2.0
"""The host's part of inflate-move.sh: does what the guest says, and adds memory."""

from balloonside import serve
from hostside import add_dimm


def add(vm, _):
    """A memory module of 256 MiB"""
    add_dimm(vm, 256)
    return ""


def run(vm):
    serve(vm, add=add)
