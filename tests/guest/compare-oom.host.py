# SPDX-License-Identifier: GPL-2.0
"""The host's part of compare-oom.sh."""

from compare import run

__all__ = ["run"]
