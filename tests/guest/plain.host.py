# SPDX-License-Identifier: GPL-2.0
"""The host's part of plain.sh: does what the guest says."""

import balloonside

run = balloonside.serve
