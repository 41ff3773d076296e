// SPDX-License-Identifier: GPL-2.0
/*
 * Does what ftrace does by itself where it finds that something is wrong with it, the
 * fault of whatever module: it stops for good, and lets go of nobody who is hooked.
 *
 * Source: kernel/trace/ftrace.c, ftrace_bug(), ftrace_kill().
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/kprobes.h>
#include <linux/module.h>
#include <linux/static_call.h>

static void nothing(void)
{
}

DEFINE_STATIC_CALL(killftrace_kill, nothing);

static int __init killftrace_init(void)
{
	struct kprobe kp = {
		.symbol_name = "ftrace_kill",
		.flags = KPROBE_FLAG_DISABLED,
	};
	int err = register_kprobe(&kp);

	if (err)
		return err;
	static_call_update(killftrace_kill, (typeof(nothing) *)kp.addr);
	unregister_kprobe(&kp);
	static_call(killftrace_kill)();
	pr_info("ftrace has stopped\n");
	return 0;
}

static void __exit killftrace_exit(void)
{
}

module_init(killftrace_init);
module_exit(killftrace_exit);

MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("Test of fpr: ftrace stops for good");
