# SPDX-License-Identifier: GPL-2.0
"""What a client that behaves has sent: recorded by vfio_seeds."""

import os


def seeds(target="vfio_user"):
    folder = os.path.join(os.path.dirname(os.path.abspath(__file__)), "corpus", target)
    for name in sorted(os.listdir(folder)):
        with open(os.path.join(folder, name), "rb") as seed:
            yield name, seed.read()
