// SPDX-License-Identifier: GPL-2.0
/*
 * The system goes down or to sleep: nothing is reported any more, and nothing is
 * with the device when another kernel takes over, or nobody is left to take it
 * back.
 */
#define pr_fmt(fmt) "fpr: " fmt

#include <linux/notifier.h>
#include <linux/printk.h>
#include <linux/reboot.h>
#include <linux/suspend.h>

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

	fpr_control_set_asleep(true);
	if (device)
		pr_info("the system goes down: all memory is back from the device\n");
	return NOTIFY_OK;
}

static struct notifier_block reboot_nb = {
	.notifier_call = on_reboot,
};

/*
 * Before anything is frozen, so that the report under way ends as it always does.
 * The devices of what was stopped here may be registered anew meanwhile.
 *
 * Context: process context, may sleep; system_transition_mutex held.
 * Source: kernel/power/suspend.c, hibernate.c: each *_PREPARE is followed by its
 * PM_POST_*, whatever fails in between.
 */
static int on_sleep(struct notifier_block *nb, unsigned long action, void *data)
{
	switch (action) {
	case PM_SUSPEND_PREPARE:
	case PM_HIBERNATION_PREPARE:
	case PM_RESTORE_PREPARE:
		fpr_control_set_asleep(true);
		break;
	case PM_POST_SUSPEND:
	case PM_POST_HIBERNATION:
	case PM_POST_RESTORE:
		fpr_control_set_asleep(false);
		break;
	}
	return NOTIFY_OK;
}

static struct notifier_block sleep_nb = {
	.notifier_call = on_sleep,
};

/**
 * fpr_power_init() - stop reporting before a reboot, power-off, kexec or suspend
 *
 * Context: process context, may sleep.
 * Return: 0 or a negative errno.
 */
int fpr_power_init(void)
{
	int err = register_reboot_notifier(&reboot_nb);

	if (err)
		return err;
	err = register_pm_notifier(&sleep_nb);
	if (err)
		unregister_reboot_notifier(&reboot_nb);
	return err;
}

/**
 * fpr_power_exit() - the mirror of fpr_power_init(); waits for a running call
 */
void fpr_power_exit(void)
{
	unregister_pm_notifier(&sleep_nb);
	unregister_reboot_notifier(&reboot_nb);
}
