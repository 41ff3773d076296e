# SPDX-License-Identifier: GPL-2.0
"""The host's part of compare.sh."""

from compare import run

__all__ = ["run"]
