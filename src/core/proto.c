// SPDX-License-Identifier: GPL-2.0
/*
 * The prototypes of functions that the kernel does not export: nothing but its own
 * description (BTF) says what they are in the kernel that runs.
 */
#define pr_fmt(fmt) "fpr: " fmt

#include <linux/err.h>
#include <linux/fs.h>
#include <linux/mm.h>
#include <linux/printk.h>
#include <linux/string.h>

#include "../compat/compat.h"
#include "btf.h"
#include "params.h"
#include "proto.h"

#define BTF_FILE	"/sys/kernel/btf/vmlinux"
/* The largest that was seen is 6 MiB. */
#define MAX_BTF_BYTES	(64 << 20)

/* While fpr is being loaded. */
static struct fpr_btf btf;
static void *data;

/* All of it: a file in sysfs is read in small pieces. */
static int read_all(struct file *file, size_t size)
{
	loff_t pos = 0;

	while (pos < size) {
		ssize_t n = kernel_read(file, data + pos, size - pos, &pos);

		if (n <= 0)
			return n ?: -EIO;
	}
	return fpr_btf_open(&btf, data, size);
}

static int read_btf(void)
{
	struct file *file = filp_open(BTF_FILE, O_RDONLY, 0);
	loff_t size;
	int err = -EINVAL;

	if (IS_ERR(file))
		return PTR_ERR(file);
	size = i_size_read(file_inode(file));
	if (size > 0 && size <= MAX_BTF_BYTES) {
		data = kvmalloc(size, GFP_KERNEL);
		err = data ? read_all(file, size) : -ENOMEM;
	}
	filp_close(file, NULL);
	return err;
}

/**
 * fpr_proto_init() - read what the kernel says of its functions
 *
 * Where it says nothing, kernels of the tested range are believed to be those that were
 * tested.
 * Context: process context, may sleep; at load.
 * Return: 0; -EOPNOTSUPP for another kernel that says nothing, unless it is forced.
 */
int fpr_proto_init(void)
{
	int err = read_btf();

	if (err)
		fpr_proto_done();
	if (FPR_KERNEL_TESTED)
		return 0;
	pr_warn("this kernel is outside of the tested range (%s)\n", FPR_KERNEL_RANGE);
	if (!err)
		return 0;
	if (fpr_force) {
		pr_warn("it does not describe its functions: going on because of force=1\n");
		return 0;
	}
	pr_err("it does not describe its functions in %s (error %d): not loaded; force=1 loads at your own risk\n",
	       BTF_FILE, err);
	return -EOPNOTSUPP;
}

/**
 * fpr_proto_done() - forget it
 *
 * Context: process context, may sleep.
 */
void fpr_proto_done(void)
{
	fpr_btf_close(&btf);
	kvfree(data);
	data = NULL;
}

/* Whether a prototype is @known, maybe with more arguments. */
static bool fits(const char *text, const char *known)
{
	size_t n = strlen(known);

	return !strncmp(text, known, n) && (!text[n] || text[n] == ',' || text[n] == ')');
}

/**
 * fpr_proto_check() - whether a function is one that fpr knows
 * @name: the function
 * @known: its prototypes, as fpr_btf_prototype() writes them, NULL at the end; one
 *	without a closing bracket may have more arguments
 *
 * What the kernel does not describe, the compiler may have changed.
 * Context: process context, between fpr_proto_init() and fpr_proto_done().
 * Return: 0; -EPROTO if not, after a line in the log; also 0 where it is forced, or
 * where nothing can be known.
 */
int fpr_proto_check(const char *name, const char *const *known)
{
	const char *const *k;
	char text[128];

	if (!data)
		return 0;
	if (fpr_btf_prototype(&btf, name, text, sizeof(text)))
		strscpy(text, "not described", sizeof(text));
	for (k = known; *k; k++)
		if (fits(text, *k))
			return 0;
	if (fpr_force) {
		pr_warn("kernel function %s is %s, and not %s: used because of force=1\n",
			name, text, known[0]);
		return 0;
	}
	pr_err("kernel function %s is %s, and not %s: not used; force=1 uses it at your own risk\n",
	       name, text, known[0]);
	return -EPROTO;
}
