// SPDX-License-Identifier: GPL-2.0
/* /sys/kernel/fpr: see docs/abi/sysfs-kernel-fpr. */
#include <linux/kernel.h>
#include <linux/kobject.h>
#include <linux/mm.h>
#include <linux/sysfs.h>

#include <fpr/fpr.h>

#include "engine.h"
#include "hooks.h"
#include "params.h"
#include "stats.h"
#include "sysfs.h"

/* Parameters */

struct param_attr {
	struct kobj_attribute attr;
	enum fpr_param_id id;
};

static ssize_t param_show(struct kobject *kobj, struct kobj_attribute *attr,
			  char *buf)
{
	const struct param_attr *p = container_of(attr, struct param_attr, attr);

	return sysfs_emit(buf, "%u\n", fpr_param(p->id));
}

static ssize_t param_store(struct kobject *kobj, struct kobj_attribute *attr,
			   const char *buf, size_t count)
{
	const struct param_attr *p = container_of(attr, struct param_attr, attr);
	unsigned int value;
	int err;

	err = fpr_param_parse(&fpr_params[p->id], buf, &value);
	if (err)
		return err;
	if (p->id == FPR_ENABLED) {
		fpr_control_set_enabled(value);
		return count;
	}
	WRITE_ONCE(fpr_params[p->id].value, value);
	fpr_engine_params_changed();
	return count;
}

#define PARAM_ATTR(_name, _id)						\
	static struct param_attr param_##_name = {			\
		.attr = __ATTR(_name, 0644, param_show, param_store),	\
		.id = (_id),						\
	}

PARAM_ATTR(order, FPR_ORDER);
PARAM_ATTR(floor_order, FPR_FLOOR_ORDER);
PARAM_ATTR(delay_ms, FPR_DELAY_MS);
PARAM_ATTR(cold_ms, FPR_COLD_MS);
PARAM_ATTR(threshold_kb, FPR_THRESHOLD_KB);
PARAM_ATTR(reserve_kb, FPR_RESERVE_KB);
PARAM_ATTR(hold_kb, FPR_HOLD_KB);
PARAM_ATTR(enabled, FPR_ENABLED);

/* Commands and state */

static ssize_t flush_store(struct kobject *kobj, struct kobj_attribute *attr,
			   const char *buf, size_t count)
{
	bool yes;
	int err;

	if (kstrtobool(buf, &yes) || !yes)
		return -EINVAL;
	err = fpr_control_flush();
	return err ?: count;
}

static ssize_t state_show(struct kobject *kobj, struct kobj_attribute *attr,
			  char *buf)
{
	return sysfs_emit(buf, "%s\n", fpr_control_state());
}

static ssize_t device_show(struct kobject *kobj, struct kobj_attribute *attr,
			   char *buf)
{
	const struct fpr_device *dev;
	ssize_t len;

	/* The mutex keeps the device from being detached while it is named. */
	mutex_lock(&fpr_engine.lock);
	dev = fpr_engine.dev;
	len = sysfs_emit(buf, "%s\n", dev ? dev->name : "none");
	mutex_unlock(&fpr_engine.lock);
	return len;
}

static ssize_t hook_show(struct kobject *kobj, struct kobj_attribute *attr,
			 char *buf)
{
	return sysfs_emit(buf, "%s\n", fpr_hooks_name());
}

static ssize_t pressure_show(struct kobject *kobj, struct kobj_attribute *attr,
			     char *buf)
{
	return sysfs_emit(buf, "%s\n", fpr_pressure_name());
}

static struct kobj_attribute flush_attr = __ATTR_WO(flush);
static struct kobj_attribute state_attr = __ATTR_RO(state);
static struct kobj_attribute device_attr = __ATTR_RO(device);
static struct kobj_attribute hook_attr = __ATTR_RO(hook);
static struct kobj_attribute pressure_attr = __ATTR_RO(pressure);

static struct attribute *main_attrs[] = {
	&param_order.attr.attr,
	&param_floor_order.attr.attr,
	&param_delay_ms.attr.attr,
	&param_cold_ms.attr.attr,
	&param_threshold_kb.attr.attr,
	&param_reserve_kb.attr.attr,
	&param_hold_kb.attr.attr,
	&param_enabled.attr.attr,
	&flush_attr.attr,
	&state_attr.attr,
	&device_attr.attr,
	&hook_attr.attr,
	&pressure_attr.attr,
	NULL
};

static const struct attribute_group main_group = {
	.attrs = main_attrs,
};

/* Counters: plain words, and those computed when read. */

struct stat_attr {
	struct kobj_attribute attr;
	const unsigned long *value;
};

static ssize_t stat_show(struct kobject *kobj, struct kobj_attribute *attr,
			 char *buf)
{
	const struct stat_attr *s = container_of(attr, struct stat_attr, attr);

	return sysfs_emit(buf, "%lu\n", READ_ONCE(*s->value));
}

static ssize_t reported_bytes_show(struct kobject *kobj,
				   struct kobj_attribute *attr, char *buf)
{
	u64 pages = READ_ONCE(fpr_stats.reported_pages);

	return sysfs_emit(buf, "%llu\n", pages << PAGE_SHIFT);
}

static ssize_t reported_free_pages_show(struct kobject *kobj,
					struct kobj_attribute *attr, char *buf)
{
	return sysfs_emit(buf, "%lu\n", fpr_memory_reported_free());
}

static ssize_t missed_events_show(struct kobject *kobj,
				  struct kobj_attribute *attr, char *buf)
{
	return sysfs_emit(buf, "%lu\n", fpr_hooks_missed());
}

#define STAT_ATTR(_name, _value)					\
	static struct stat_attr stat_##_name = {			\
		.attr = __ATTR(_name, 0444, stat_show, NULL),		\
		.value = &(_value),					\
	}

STAT_ATTR(reported_pages, fpr_stats.reported_pages);
STAT_ATTR(reports, fpr_stats.reports);
STAT_ATTR(segments, fpr_stats.segments);
STAT_ATTR(errors, fpr_stats.errors);
STAT_ATTR(isolate_failed, fpr_stats.isolate_failed);
STAT_ATTR(recycled_blocks, fpr_stats.recycled_blocks);
STAT_ATTR(saved_blocks, fpr_stats.saved_blocks);
STAT_ATTR(kept_blocks, fpr_engine.map.nr_kept);
STAT_ATTR(candidate_blocks, fpr_engine.map.nr_active);
STAT_ATTR(marks, fpr_stats.marks);
STAT_ATTR(held_pages, fpr_stats.held_pages);
STAT_ATTR(passes, fpr_stats.passes);
STAT_ATTR(wakeups, fpr_stats.wakeups);
STAT_ATTR(sweeps, fpr_stats.sweeps);
STAT_ATTR(drains, fpr_stats.drains);
STAT_ATTR(requests, fpr_stats.requests);
STAT_ATTR(last_pass_us, fpr_stats.last_pass_us);
STAT_ATTR(max_lock_hold_ns, fpr_stats.max_lock_hold_ns);

static struct kobj_attribute reported_bytes_attr = __ATTR_RO(reported_bytes);
static struct kobj_attribute reported_free_pages_attr =
	__ATTR_RO(reported_free_pages);

static struct kobj_attribute missed_events_attr = __ATTR_RO(missed_events);

static struct attribute *stats_attrs[] = {
	&stat_reported_pages.attr.attr,
	&reported_bytes_attr.attr,
	&reported_free_pages_attr.attr,
	&stat_reports.attr.attr,
	&stat_segments.attr.attr,
	&stat_errors.attr.attr,
	&stat_isolate_failed.attr.attr,
	&stat_recycled_blocks.attr.attr,
	&stat_saved_blocks.attr.attr,
	&stat_kept_blocks.attr.attr,
	&stat_candidate_blocks.attr.attr,
	&missed_events_attr.attr,
	&stat_marks.attr.attr,
	&stat_held_pages.attr.attr,
	&stat_passes.attr.attr,
	&stat_wakeups.attr.attr,
	&stat_sweeps.attr.attr,
	&stat_drains.attr.attr,
	&stat_requests.attr.attr,
	&stat_last_pass_us.attr.attr,
	&stat_max_lock_hold_ns.attr.attr,
	NULL
};

static const struct attribute_group stats_group = {
	.name = "stats",
	.attrs = stats_attrs,
};

static const struct attribute_group *groups[] = {
	&main_group,
	&stats_group,
	NULL
};

static struct kobject *fpr_kobj;

/**
 * fpr_sysfs_init() - create /sys/kernel/fpr
 *
 * Context: process context, may sleep; all that the files reach is initialised.
 * Return: 0 or a negative errno, and then nothing is left.
 */
int fpr_sysfs_init(void)
{
	int err;

	fpr_kobj = kobject_create_and_add("fpr", kernel_kobj);
	if (!fpr_kobj)
		return -ENOMEM;
	err = sysfs_create_groups(fpr_kobj, groups);
	if (err)
		kobject_put(fpr_kobj);
	return err;
}

/**
 * fpr_sysfs_exit() - the mirror of fpr_sysfs_init(); waits for open files' calls
 */
void fpr_sysfs_exit(void)
{
	sysfs_remove_groups(fpr_kobj, groups);
	kobject_put(fpr_kobj);
}
