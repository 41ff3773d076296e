#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# A guest of 512 MiB at the edge of its memory: no kill by the OOM killer with fpr
# and a slow device that would not be without it.  See oom-lib.sh.
# vm: mem=512 smp=2 timeout=240 modules=fpr,fpr_testdev files=hog,oom-lib.sh
# A victim fails to allocate on its way out, and 6.12 says so.
# vm: allow=oom,trace,alloc
# shellcheck disable=SC1091 # the paths are the guest's
. /test/lib.sh
. /bin/oom-lib.sh
plan 7
compare_oom 512
