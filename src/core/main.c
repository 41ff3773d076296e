// SPDX-License-Identifier: GPL-2.0
/*
 * fpr - free page reporting for stock kernels.  The order of start-up and its
 * mirror; everything else is in the file of its subject.
 */
#define pr_fmt(fmt) "fpr: " fmt

#include <linux/crash_dump.h>
#include <linux/module.h>

#include "../compat/compat.h"
#include "engine.h"
#include "hooks.h"
#include "ksyms.h"
#include "params.h"
#include "proto.h"
#include "sysfs.h"

static int check_guest(void)
{
	bool encrypted = fpr_memory_encrypted();

	if (is_kdump_kernel()) {
		pr_info("this is a crash kernel, which has no memory to give: not loaded\n");
		return -ENODEV;
	}
	if (encrypted && !fpr_allow_encrypted) {
		pr_err("guest memory is encrypted (SEV, TDX): a page that the host discards and gives back need not be usable; load with allow_encrypted=1 if your platform handles it\n");
		return -EPERM;
	}
	if (encrypted)
		pr_warn("guest memory is encrypted (SEV, TDX): going on because of allow_encrypted=1; whether a discarded page can be used again is up to your platform\n");
	return 0;
}

static int __init fpr_init(void)
{
	int err;

	err = check_guest();
	if (err)
		return err;
	err = fpr_proto_init();
	if (err)
		return err;
	err = fpr_ksyms_init();
	if (err)
		goto proto;
	err = fpr_engine_init();
	if (err)
		goto proto;
	err = fpr_drain_init();
	if (err)
		goto engine;
	err = fpr_memory_init();
	if (err)
		goto drain;
	err = fpr_lend_init();
	if (err)
		goto memory;
	err = fpr_oom_init();
	if (err)
		goto lend;
	err = fpr_power_init();
	if (err)
		goto oom;
	err = fpr_sysfs_init();
	if (err)
		goto power;
	/* Last: a hook that the kernel does not let go of needs the module. */
	err = fpr_hooks_init();
	if (err)
		goto sysfs;
	fpr_proto_done();
	pr_info("loaded, hook %s; waiting for a device\n", fpr_hooks_name());
	return 0;

sysfs:
	fpr_sysfs_exit();
power:
	fpr_power_exit();
oom:
	fpr_oom_exit();
lend:
	fpr_lend_exit();
memory:
	fpr_memory_exit();
drain:
	fpr_drain_exit();
engine:
	fpr_engine_exit();
proto:
	fpr_proto_done();
	return err;
}

/* Devices are gone: their modules hold a reference on this one. */
static void __exit fpr_exit(void)
{
	fpr_hooks_exit();
	fpr_sysfs_exit();
	fpr_power_exit();
	fpr_oom_exit();
	fpr_lend_exit();
	fpr_memory_exit();
	fpr_drain_exit();
	fpr_engine_exit();
}

module_init(fpr_init);
module_exit(fpr_exit);

MODULE_LICENSE("GPL");
MODULE_AUTHOR("the fpr authors");
MODULE_DESCRIPTION("Free page reporting: finds free memory and hands it to a reporting device");
MODULE_VERSION("0.1.0");
