// SPDX-License-Identifier: GPL-2.0
/*
 * Makes one mistake when it is loaded, so that tests can show that the mistake
 * is noticed: by KASAN, lockdep, kmemleak and the kernel's other checks.
 */
#define pr_fmt(fmt) "fpr_faulty: " fmt

#include <linux/delay.h>
#include <linux/kthread.h>
#include <linux/list.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/spinlock.h>
#include <linux/string.h>

static char *fault = "";
module_param(fault, charp, 0444);

static DEFINE_MUTEX(first);
static DEFINE_MUTEX(second);
static DEFINE_SPINLOCK(lock);

/* The compiler must not see where the pointer comes from. */
static char *opaque(void *p)
{
	OPTIMIZER_HIDE_VAR(p);
	return p;
}

static void use_after_free(void)
{
	char *p = opaque(kmalloc(64, GFP_KERNEL));

	kfree(p);
	pr_info("read %d\n", READ_ONCE(*opaque(p)));
}

static void free_page_use(void)
{
	unsigned long page = __get_free_page(GFP_KERNEL);

	free_page(page);
	pr_info("read %d\n", READ_ONCE(*opaque((void *)page)));
}

static void leak(void)
{
	char *p = opaque(kzalloc(200, GFP_KERNEL));

	pr_info("lost one object of %zu bytes\n", ksize(p));
}

static void lock_order(void)
{
	mutex_lock(&first);
	mutex_lock(&second);
	mutex_unlock(&second);
	mutex_unlock(&first);

	mutex_lock(&second);
	mutex_lock(&first);
	mutex_unlock(&first);
	mutex_unlock(&second);
}

static void sleep_in_atomic(void)
{
	spin_lock(&lock);
	might_sleep();
	spin_unlock(&lock);
}

static void list_damage(void)
{
	LIST_HEAD(head);
	struct list_head *entry = kzalloc(sizeof(*entry), GFP_KERNEL);

	if (!entry)
		return;
	list_add(entry, &head);
	entry->prev = entry;
	list_del(entry);
	kfree(entry);
}

/* Two threads that count without a lock. */
static unsigned long counter;

static int count(void *unused)
{
	while (!kthread_should_stop()) {
		counter++;
		cond_resched();
	}
	return 0;
}

static void race(void)
{
	struct task_struct *a = kthread_run(count, NULL, "faulty-a");
	struct task_struct *b = kthread_run(count, NULL, "faulty-b");

	msleep(5000);
	if (!IS_ERR(a))
		kthread_stop(a);
	if (!IS_ERR(b))
		kthread_stop(b);
}

static const struct {
	const char *name;
	void (*make)(void);
} faults[] = {
	{ "use-after-free", use_after_free },
	{ "free-page-use", free_page_use },
	{ "leak", leak },
	{ "lock-order", lock_order },
	{ "sleep-in-atomic", sleep_in_atomic },
	{ "list-damage", list_damage },
	{ "race", race },
};

static int __init faulty_init(void)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(faults); i++) {
		if (strcmp(faults[i].name, fault))
			continue;
		faults[i].make();
		return 0;
	}
	pr_err("no fault \"%s\"\n", fault);
	return -EINVAL;
}

static void __exit faulty_exit(void)
{
}

module_init(faulty_init);
module_exit(faulty_exit);

MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("Deliberate mistakes, for tests of the tests of fpr");
