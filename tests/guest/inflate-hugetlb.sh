#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# Guest memory of 2 MiB pages of the host (hugetlb): what is in the balloon is of
# whole pages of the host, and those are free for others there.
# vm: mem=512 smp=2 timeout=120 backing=hugetlb balloon=free-page-reporting=on
# vm: modules=fpr,virtio_fpr,virtio_balloon files=memload,balloon-lib.sh
# shellcheck disable=SC1091 # the paths are the guest's
. /test/lib.sh
. /bin/balloon-lib.sh
plan 9

begin
# All of it is the guest's, and nothing but the balloon takes it away.
! ours || fpr_set enabled 0
fill_all 16384
rm /mnt/file
kib=$((200 * MIB))
free=$(host_sync free_pages)
inflate_to $kib
more=$(($(host_sync free_pages) - free))
# All but the guest's 16 MiB, and some blocks that hold something else too
in_range "the host has huge pages more" $more $(((200 - 16) * 85 / 200)) 120
! ours || fpr_set enabled 1
load 1
inflate_to $((20 * MIB))
inflate_to $kib
check "memory is as it was written" load_ends
finish
