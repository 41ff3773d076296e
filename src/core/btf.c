// SPDX-License-Identifier: GPL-2.0
/*
 * Prototypes from BTF; see btf.h.
 *
 * Source: include/uapi/linux/btf.h, Documentation/bpf/btf.rst.  A header of an older
 * kernel lacks the newer kinds, which its own description does not have either, but
 * others do that this file is tried on.
 */
#include <linux/errno.h>
#include <linux/kernel.h>
#include <linux/mm.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <uapi/linux/btf.h>

#include "btf.h"

enum {
	KIND_INT = 1,
	KIND_PTR,
	KIND_ARRAY,
	KIND_STRUCT,
	KIND_UNION,
	KIND_ENUM,
	KIND_FWD,
	KIND_TYPEDEF,
	KIND_VOLATILE,
	KIND_CONST,
	KIND_RESTRICT,
	KIND_FUNC,
	KIND_FUNC_PROTO,
	KIND_VAR,
	KIND_DATASEC,
	KIND_FLOAT,
	KIND_DECL_TAG,
	KIND_TYPE_TAG,
	KIND_ENUM64,
	NR_KINDS
};

/* What follows a type of each kind, bytes: once, and for each of its members. */
static const u8 once[NR_KINDS] = {
	[KIND_INT] = 4, [KIND_ARRAY] = 12, [KIND_VAR] = 4, [KIND_DECL_TAG] = 4,
};

static const u8 each[NR_KINDS] = {
	[KIND_STRUCT] = 12, [KIND_UNION] = 12, [KIND_ENUM] = 8,
	[KIND_FUNC_PROTO] = 8, [KIND_DATASEC] = 12, [KIND_ENUM64] = 12,
};

/* No type of the kernel has as many qualifiers and names on top of it. */
#define MAX_DEPTH 16

static unsigned int kind_of(const struct btf_type *t)
{
	return t->info >> 24 & 0x1f;
}

static unsigned int members_of(const struct btf_type *t)
{
	return t->info & 0xffff;
}

/* Bytes of the type at @at, with all that follows it; 0 if it does not end. */
static size_t length(const u8 *at, size_t left)
{
	const struct btf_type *t = (const void *)at;
	unsigned int kind;
	size_t len;

	if (left < sizeof(*t))
		return 0;
	kind = kind_of(t);
	if (!kind || kind >= NR_KINDS)
		return 0;
	len = sizeof(*t) + once[kind] + (size_t)each[kind] * members_of(t);
	return len <= left ? len : 0;
}

/* Number the types, or only count them if there is no room yet. */
static int number(struct fpr_btf *btf, u32 start, u32 end)
{
	u32 n = 1, at = start;

	while (at < end) {
		size_t len = length(btf->data + at, end - at);

		if (!len)
			return -EINVAL;
		if (btf->types)
			btf->types[n] = at;
		n++;
		at += len;
	}
	btf->nr_types = n;
	return 0;
}

/**
 * fpr_btf_open() - make a description ready for looking things up
 * @btf: set up
 * @data: the description; stays until fpr_btf_close()
 * @size: its bytes
 *
 * Context: process context, may sleep.
 * Return: 0; -EINVAL for what is no description, or of a newer kind; -ENOMEM.
 */
int fpr_btf_open(struct fpr_btf *btf, const void *data, size_t size)
{
	const struct btf_header *h = data;
	u64 types, strings;
	int err;

	memset(btf, 0, sizeof(*btf));
	if (size < sizeof(*h) || h->magic != BTF_MAGIC)
		return -EINVAL;
	types = (u64)h->hdr_len + h->type_off;
	strings = (u64)h->hdr_len + h->str_off;
	if (types % sizeof(u32) || types + h->type_len > size ||
	    strings + h->str_len > size || !h->str_len)
		return -EINVAL;
	btf->data = data;
	btf->strings = (const char *)btf->data + strings;
	btf->strings_len = h->str_len;
	/* So each name in there has an end. */
	if (btf->strings[btf->strings_len - 1])
		return -EINVAL;
	err = number(btf, types, types + h->type_len);
	if (err)
		return err;
	btf->types = kvcalloc(btf->nr_types, sizeof(*btf->types), GFP_KERNEL);
	return btf->types ? number(btf, types, types + h->type_len) : -ENOMEM;
}

/**
 * fpr_btf_close() - the mirror of fpr_btf_open(); harmless without
 * @btf: the description
 */
void fpr_btf_close(struct fpr_btf *btf)
{
	kvfree(btf->types);
	memset(btf, 0, sizeof(*btf));
}

static const struct btf_type *type(const struct fpr_btf *btf, u32 id)
{
	return id && id < btf->nr_types ?
		(const void *)(btf->data + btf->types[id]) : NULL;
}

static const char *name_of(const struct fpr_btf *btf, const struct btf_type *t)
{
	return t->name_off < btf->strings_len ? btf->strings + t->name_off : "";
}

/* Without const and the like, and what a typedef stands for. */
static const struct btf_type *plain(const struct fpr_btf *btf, u32 *id)
{
	const struct btf_type *t = type(btf, *id);
	unsigned int depth;

	for (depth = 0; t && depth < MAX_DEPTH; depth++) {
		switch (kind_of(t)) {
		case KIND_TYPEDEF:
		case KIND_VOLATILE:
		case KIND_CONST:
		case KIND_RESTRICT:
		case KIND_TYPE_TAG:
			*id = t->type;
			t = type(btf, *id);
			break;
		default:
			return t;
		}
	}
	return t;
}

/* Compilers differ in how they call a long. */
static const char *int_name(const struct fpr_btf *btf, const struct btf_type *t)
{
	u32 how = *(const u32 *)(t + 1) >> 24;

	if (how & BTF_INT_BOOL)
		return "bool";
	if (t->size == 4)
		return how & BTF_INT_SIGNED ? "int" : "unsigned int";
	if (t->size == sizeof(long))
		return how & BTF_INT_SIGNED ? "long" : "unsigned long";
	return name_of(btf, t);
}

/* What has no room is left out. */
static void append(char *text, size_t size, const char *more)
{
	size_t n = strlen(text);

	snprintf(text + n, size - n, "%s", more);
}

/* Append the name of a type. */
static void write_type(const struct fpr_btf *btf, u32 id, char *text, size_t size)
{
	const struct btf_type *t = plain(btf, &id);
	char stars[MAX_DEPTH + 1];
	unsigned int n = 0;
	const char *word = "", *name;

	while (t && kind_of(t) == KIND_PTR && n < MAX_DEPTH) {
		stars[n++] = '*';
		id = t->type;
		t = plain(btf, &id);
	}
	stars[n] = '\0';
	if (!t) {
		name = "void";
	} else {
		name = name_of(btf, t);
		switch (kind_of(t)) {
		case KIND_INT:
			name = int_name(btf, t);
			break;
		case KIND_STRUCT:
			word = "struct ";
			break;
		case KIND_ENUM:
			word = "enum ";
			break;
		case KIND_FLOAT:
			break;
		default:
			name = "something else";
		}
	}
	append(text, size, word);
	append(text, size, name);
	append(text, size, *stars ? " " : "");
	append(text, size, stars);
}

static const struct btf_type *find_function(const struct fpr_btf *btf, const char *name)
{
	u32 id;

	for (id = 1; id < btf->nr_types; id++) {
		const struct btf_type *t = type(btf, id);

		if (kind_of(t) == KIND_FUNC && !strcmp(name_of(btf, t), name))
			return t;
	}
	return NULL;
}

/**
 * fpr_btf_prototype() - a function's prototype as text
 * @btf: the description
 * @name: the function
 * @text: "int(struct page *, unsigned int)": without const, and with what a typedef
 *	stands for
 * @size: room in @text, with its end
 *
 * Context: any.
 * Return: 0; -ENOENT if it is not described: maybe the compiler has changed its
 * arguments.
 */
int fpr_btf_prototype(const struct fpr_btf *btf, const char *name, char *text,
		      size_t size)
{
	const struct btf_type *t = find_function(btf, name);
	const struct btf_param *param;
	unsigned int i;

	t = t ? type(btf, t->type) : NULL;
	if (!t || kind_of(t) != KIND_FUNC_PROTO)
		return -ENOENT;
	*text = '\0';
	write_type(btf, t->type, text, size);
	append(text, size, "(");
	param = (const void *)(t + 1);
	for (i = 0; i < members_of(t); i++) {
		if (i)
			append(text, size, ", ");
		write_type(btf, param[i].type, text, size);
	}
	append(text, size, ")");
	return 0;
}
