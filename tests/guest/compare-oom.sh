#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# The same as compare.sh where the host offers deflate-on-oom: a program that needs
# what is in the balloon gets it, with either driver.
# vm: mem=1024 smp=2 timeout=600 balloon=free-page-reporting=on,deflate-on-oom=on
# vm: modules=virtio_balloon,virtio_fpr files=compare-lib.sh,hog disk=128
# vm: load=virtio_pci,virtio_blk
# shellcheck disable=SC1091 # the path is the guest's
. /test/lib.sh
# shellcheck disable=SC1091
. /bin/compare-lib.sh
plan 6

compare_drivers
