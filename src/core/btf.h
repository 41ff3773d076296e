/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The prototypes of the kernel's own functions, as it describes them itself (BTF).
 * Pure: bytes in, text out; compiled into the userspace unit tests as it is.
 */
#ifndef _FPR_BTF_H
#define _FPR_BTF_H

#include <linux/types.h>

/**
 * struct fpr_btf - a description of types
 * @data: the description
 * @types: where each type begins, bytes into @data; by its number
 * @nr_types: how many
 * @strings: names, each with its end
 * @strings_len: bytes
 */
struct fpr_btf {
	const u8 *data;
	u32 *types;
	u32 nr_types;
	const char *strings;
	u32 strings_len;
};

int fpr_btf_open(struct fpr_btf *btf, const void *data, size_t size);
void fpr_btf_close(struct fpr_btf *btf);
int fpr_btf_prototype(const struct fpr_btf *btf, const char *name, char *text,
		      size_t size);

#endif /* _FPR_BTF_H */
