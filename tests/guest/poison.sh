#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# A kernel that poisons free pages and checks the poison (generic flavour of
# 6.1), and a host that does not promise to keep it: refused.
# vm: mem=512 smp=1 timeout=120 modules=fpr,fpr_testdev,virtio_fpr
# vm: files=content,memload,scripts/fprctl
# vm: balloon=free-page-reporting=on,page-poison=off append=page_poison=1
# vm: kernels=6.1-generic,6.12-rt,6.1-debug,6.12-debug
# shellcheck disable=SC1091 # the paths are the guest's
. /test/lib.sh
. /bin/content
plan 11

content_refused page_poison "boot with page_poison=0"
