# SPDX-License-Identifier: GPL-2.0
"""The host's part of inflate-silent.sh: does what the guest says."""

from balloonside import serve as run  # noqa: F401
