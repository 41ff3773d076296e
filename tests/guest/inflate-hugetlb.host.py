# SPDX-License-Identifier: GPL-2.0
"""The host's part of inflate-hugetlb.sh: does what the guest says, and looks at its
pool of huge pages."""

import hugepages
from balloonside import serve


def free_pages(_vm, _number):
    """Huge pages that anybody on the host may have."""
    return str(hugepages.count("free_hugepages") - hugepages.count("resv_hugepages"))


def run(vm):
    serve(vm, free_pages=free_pages)
