#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# A kernel that clears pages when they are freed, and a host that does not
# promise to keep them clear: refused; a device that does is taken.
# vm: mem=512 smp=1 timeout=90 modules=fpr,fpr_testdev,virtio_fpr
# vm: files=content,memload,scripts/fprctl
# vm: balloon=free-page-reporting=on,page-poison=off append=init_on_free=1
# shellcheck disable=SC1091 # the paths are the guest's
. /test/lib.sh
. /bin/content
plan 12

content_refused init_on_free "boot with init_on_free=0"
check "new pages are clear" content_clear
