# SPDX-License-Identifier: GPL-2.0
"""What a driver that behaves has done: recorded by vfio_seeds."""

import seeds_vfio_user


def seeds():
    return seeds_vfio_user.seeds("virtio_pci")
