#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# A host that takes more ranges of a request than it said at first: the driver has no
# more room than it had.
# vm: mem=512 smp=2 timeout=40 backing=memfd qemu_version=11
# vm: backend="vhost-user-fpr --pressure=low"
# vm: device=vhost-user,virtio-id=13,num_vqs=1,vq_size=64,config_size=40
# vm: modules=fpr,virtio_fpr,fpr_badvendor append=slub_debug=FZPU
# shellcheck disable=SC1091 # the path is the guest's
. /test/lib.sh
plan 6

bad=/sys/module/fpr_badvendor/parameters
# max_ranges: twice 1, then what the host really takes.
modprobe fpr_badvendor field_offset=12 field_size=4 field_value=1 field_reads=2
modprobe fpr order=0 delay_ms=10 threshold_kb=0
check "the driver loads" modprobe virtio_fpr
check "all is reported" fpr_set flush 1
equal "the host has changed its mind" "$(cat $bad/field_size)" 0
diag "$(fpr stats/segments) segments in $(fpr stats/reports) reports"
equal "no error" "$(fpr stats/errors)" 0
check "unload" sh -c "rmmod virtio_fpr && rmmod fpr"
refuse "nothing was overwritten" log_has "BUG kmalloc"
