// SPDX-License-Identifier: GPL-2.0
/*
 * The system goes down: nothing is reported any more, and nothing is with the
 * device when another kernel takes over.
 */
#define pr_fmt(fmt) "fpr: " fmt

#include <linux/notifier.h>
#include <linux/printk.h>
#include <linux/reboot.h>

#include <fpr/fpr.h>

#include "engine.h"

/*
 * A kernel that kexec starts uses memory that the host may still be about to
 * discard, unless the reports have come back; before Linux 6.16 nothing resets
 * a virtio device on the way.
 *
 * Context: process context, may sleep; reboot_notifier_list's rwsem held.
 * Source: kernel/reboot.c kernel_restart_prepare(), kernel/kexec_core.c
 * kernel_kexec().
 */
static int on_reboot(struct notifier_block *nb, unsigned long action,
		     void *command)
{
	bool device = READ_ONCE(fpr_engine.dev);

	fpr_control_set_enabled(false);
	if (device)
		pr_info("the system goes down: all memory is back from the device\n");
	return NOTIFY_OK;
}

static struct notifier_block reboot_nb = {
	.notifier_call = on_reboot,
};

/**
 * fpr_reboot_init() - stop reporting before a reboot, power-off or kexec
 *
 * Context: process context, may sleep.
 * Return: 0 or a negative errno.
 */
int fpr_reboot_init(void)
{
	return register_reboot_notifier(&reboot_nb);
}

/**
 * fpr_reboot_exit() - the mirror of fpr_reboot_init(); waits for a running call
 */
void fpr_reboot_exit(void)
{
	unregister_reboot_notifier(&reboot_nb);
}
