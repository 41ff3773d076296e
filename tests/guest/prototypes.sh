#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# A kernel in which a function is not what fpr knows, as its own description says: one
# that would be called is a reason not to load, one that would be hooked a reason for
# another hook.  The description is changed here, the kernel is as it was.
# vm: mem=512 smp=1 timeout=120 modules=fpr,fpr_testdev files=rename
# shellcheck disable=SC1091 # the path is the guest's
. /test/lib.sh
btf=/sys/kernel/btf/vmlinux
[ -e $btf ] ||
	skip_all "functions that are not what they were" "this kernel does not describe its functions"
plan 20

hooked=free_unref_page
other=____sys_recvmsg
if grep -qw __free_frozen_pages /proc/kallsyms; then
	hooked=__free_frozen_pages
	other=__check_object_size
fi
# described [OLD NEW]...: the kernel's description, with other names
described() {
	umount $btf 2>/dev/null
	cat $btf >/tmp/btf
	while [ $# -gt 0 ]; do
		rename /tmp/btf "$1" "$2" || return
		shift 2
	done
	mount --bind /tmp/btf $btf
}
unload() { rmmod fpr; }

check "the kernel as it is" modprobe fpr
equal "has the best hook" "$(fpr hook)" ftrace
refuse "nothing is said of its functions" log_has "kernel function"
check "unload" unload

described __isolate_free_page __isolate_Free_page __check_object_size __isolate_free_page
refuse "what would be called takes other arguments" modprobe fpr
check "the log says which" log_has \
	'function __isolate_free_page is void\(void \*, unsigned long, bool\), and not int\(struct page \*, unsigned int\): not used; force=1'
described __putback_isolated_page __putback_Isolated_page
refuse "what would be called is not described" modprobe fpr
check "the log says so" log_has 'function __putback_isolated_page is not described, and not void'
check "force=1 loads it all the same" modprobe fpr force=1
check "with a warning" log_has 'function __putback_isolated_page is .*: used because of force=1'
check "unload" unload

described $hooked "X${hooked#?}" $other $hooked
check "what would be hooked takes other arguments" modprobe fpr
equal "another hook is chosen" "$(fpr hook)" tracepoint
check "the log says which" log_has "function $hooked is .*: not used"
check "and what comes of it" log_has "hook ftrace is called with other arguments than fpr knows"
check "it notices frees" modprobe fpr_testdev
check "unload" sh -c "rmmod fpr_testdev && rmmod fpr"
refuse "nor is it by a kprobe" modprobe fpr hook=kprobe

: >/tmp/btf
check "a description that is none says nothing" modprobe fpr
check "unload" unload
umount $btf
