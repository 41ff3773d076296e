// SPDX-License-Identifier: GPL-2.0
/*
 * Resolving and calling what the kernel does not export.
 *
 * An address is learned by registering a kprobe on the name and removing it at
 * once.  Where functions begin with ENDBR the kprobe's address is the
 * instruction after it, and since many functions are "sealed" (their ENDBR is
 * overwritten at boot), an indirect call to either address may trap.  So all
 * calls are direct: static_call() patches them into this module's text.
 */
#define pr_fmt(fmt) "fpr: " fmt

#include <linux/errno.h>
#include <linux/kprobes.h>
#include <linux/mm.h>
#include <linux/printk.h>
#include <linux/static_call.h>

#include "../compat/compat.h"
#include "ksyms.h"
#include "proto.h"

#if !defined(CONFIG_HAVE_STATIC_CALL) && \
	(defined(CONFIG_X86_KERNEL_IBT) || defined(CONFIG_CFI_CLANG) || \
	 defined(CONFIG_CFI))
#error "fpr needs CONFIG_HAVE_STATIC_CALL on a kernel that checks indirect calls (IBT, kCFI)"
#endif

/* What the calls reach before fpr_ksyms_init() has succeeded: nothing happens. */
static int isolate_unset(struct page *page, unsigned int order)
{
	return 0;
}

static void putback_unset(struct page *page, unsigned int order, int mt)
{
}

static FPR_MIGRATETYPE_RETURN migratetype_unset(FPR_MIGRATETYPE_PARAMS)
{
	return 0;
}

static void drain_unset(struct zone *zone)
{
}

DEFINE_STATIC_CALL(fpr_isolate, isolate_unset);
DEFINE_STATIC_CALL(fpr_putback, putback_unset);
DEFINE_STATIC_CALL(fpr_migratetype, migratetype_unset);
DEFINE_STATIC_CALL(fpr_drain, drain_unset);

unsigned int fpr_isolate_free_page(struct page *page, unsigned int order)
{
	return static_call(fpr_isolate)(page, order);
}

void fpr_putback_isolated_page(struct page *page, unsigned int order,
			       int migratetype)
{
	static_call(fpr_putback)(page, order, migratetype);
}

int fpr_pageblock_migratetype(struct page *page)
{
	return static_call(fpr_migratetype)(FPR_MIGRATETYPE_ARGS(page));
}

void fpr_drain_percpu_lists(void)
{
	static_call(fpr_drain)(NULL);
}

/**
 * fpr_ksyms_find() - where a kernel function begins
 * @name: its name
 * @traced: set to whether that is where ftrace would patch it; may be NULL
 *
 * Behind its ENDBR, where it has one: the address to trace, not to call.
 *
 * The kprobe is registered as disabled: nothing is patched and nothing has to
 * settle.  Armed on a traced function while kernel.ftrace_enabled is 0 it could
 * not be removed either (seen in 6.1 and 6.12).
 * Context: process context, may sleep.
 * Return: the address or an error pointer.
 */
void *fpr_ksyms_find(const char *name, bool *traced)
{
	struct kprobe kp = {
		.symbol_name = name,
		.flags = KPROBE_FLAG_DISABLED,
	};
	int err = register_kprobe(&kp);
	void *addr = kp.addr;

	if (err)
		return ERR_PTR(err);
	if (traced)
		*traced = kp.flags & KPROBE_FLAG_FTRACE;
	unregister_kprobe(&kp);
	return addr;
}

/* Where a function is, which has to have that prototype; the log says why not. */
static void *resolve(const char *name, const char *prototype, const char *without)
{
	const char *const known[] = { prototype, NULL };
	void *addr = fpr_ksyms_find(name, NULL);
	int err;

	if (IS_ERR(addr)) {
		pr_err("kernel function %s not found (error %ld): %s\n", name,
		       PTR_ERR(addr), without);
		return addr;
	}
	err = fpr_proto_check(name, known);
	return err ? ERR_PTR(err) : addr;
}

static void *resolve_mandatory(const char *name, const char *prototype)
{
	return resolve(name, prototype, "this kernel is not supported; see fprctl doctor");
}

/**
 * fpr_ksyms_init() - find the functions and make the calls reach them
 *
 * Context: process context, may sleep.
 * Return: 0, or the error of the first name that was not found, or is not what it
 * should be; the log says which and what to do.
 */
int fpr_ksyms_init(void)
{
	/* static_call_update() of older kernels insists on the type. */
	typeof(isolate_unset) *isolate =
		resolve_mandatory("__isolate_free_page", "int(struct page *, unsigned int)");
	typeof(putback_unset) *putback;
	typeof(migratetype_unset) *migratetype;
	typeof(drain_unset) *drain;

	if (IS_ERR(isolate))
		return PTR_ERR(isolate);
	putback = resolve_mandatory("__putback_isolated_page",
				    "void(struct page *, unsigned int, int)");
	if (IS_ERR(putback))
		return PTR_ERR(putback);
	migratetype = resolve_mandatory(FPR_MIGRATETYPE_SYMBOL, FPR_MIGRATETYPE_PROTO);
	if (IS_ERR(migratetype))
		return PTR_ERR(migratetype);

	static_call_update(fpr_isolate, isolate);
	static_call_update(fpr_putback, putback);
	static_call_update(fpr_migratetype, migratetype);

	drain = resolve("drain_all_pages", "void(struct zone *)",
			"a few MiB on per-CPU lists will come back late");
	if (!IS_ERR(drain))
		static_call_update(fpr_drain, drain);
	return 0;
}
