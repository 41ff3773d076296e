#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# virtio_fpr on the balloon device does what virtio_balloon does: the host does the
# same with each of them, and compares what it sees.
# vm: mem=1024 smp=2 timeout=600 balloon=free-page-reporting=on
# vm: modules=virtio_balloon,virtio_fpr files=compare-lib.sh disk=128
# vm: load=virtio_pci,virtio_blk
# shellcheck disable=SC1091 # the path is the guest's
. /test/lib.sh
# shellcheck disable=SC1091
. /bin/compare-lib.sh
plan 6

compare_drivers
