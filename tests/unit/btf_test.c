// SPDX-License-Identifier: GPL-2.0
/* Prototypes from a description of types that is made up here, and from broken ones. */
#include "test.h"

#include <errno.h>
#include <stdio.h>

#include <linux/btf.h>

#include "../../src/core/btf.h"

int shim_alloc_budget = -1;

#define BYTES 4096

/* A description in the making: header, types, names. */
static struct {
	_Alignas(8) uint8_t types[BYTES];
	char names[BYTES];
	uint32_t types_len, names_len, nr;
	_Alignas(8) uint8_t all[2 * BYTES];
	size_t size;
} made;

static void begin(void)
{
	memset(&made, 0, sizeof(made));
	made.names_len = 1;
}

static uint32_t named(const char *name)
{
	uint32_t at = made.names_len;

	if (!name)
		return 0;
	strcpy(made.names + at, name);
	made.names_len += strlen(name) + 1;
	return at;
}

static void word(uint32_t w)
{
	memcpy(made.types + made.types_len, &w, 4);
	made.types_len += 4;
}

/* A type; what follows it is added with word(). */
static uint32_t type(unsigned int kind, const char *name, unsigned int vlen,
		     uint32_t size_or_type)
{
	word(named(name));
	word(kind << 24 | vlen);
	word(size_or_type);
	return ++made.nr;
}

static uint32_t integer(const char *name, uint32_t size, uint32_t how)
{
	uint32_t id = type(BTF_KIND_INT, name, 0, size);

	word(how << 24 | size * 8);
	return id;
}

static uint32_t function(const char *name, uint32_t returns, unsigned int n,
			 const uint32_t *args)
{
	uint32_t proto = type(BTF_KIND_FUNC_PROTO, NULL, n, returns);
	unsigned int i;

	for (i = 0; i < n; i++) {
		word(0);
		word(args[i]);
	}
	return type(BTF_KIND_FUNC, name, 0, proto);
}

static void end(void)
{
	struct btf_header h = {
		.magic = BTF_MAGIC, .version = 1, .hdr_len = sizeof(h),
		.type_len = made.types_len, .str_off = made.types_len,
		.str_len = made.names_len,
	};

	memcpy(made.all, &h, sizeof(h));
	memcpy(made.all + sizeof(h), made.types, made.types_len);
	memcpy(made.all + sizeof(h) + made.types_len, made.names, made.names_len);
	made.size = sizeof(h) + made.types_len + made.names_len;
}

/* All kinds, and functions that show how each is written. */
static void describe(void)
{
	uint32_t sint, uint, ulong, yes, odd, page, ppage, cpage, pcpage, mt, fpi, pppage;
	uint32_t flt, tag, sarray, fwd;

	begin();
	sint = integer("int", 4, BTF_INT_SIGNED);
	uint = integer("unsigned int", 4, 0);
	ulong = integer("long unsigned int", 8, 0);
	yes = integer("_Bool", 1, BTF_INT_BOOL);
	odd = integer("unsigned char", 1, 0);
	page = type(BTF_KIND_STRUCT, "page", 1, 8);
	word(0), word(ulong), word(0);
	ppage = type(BTF_KIND_PTR, NULL, 0, page);
	cpage = type(BTF_KIND_CONST, NULL, 0, page);
	pcpage = type(BTF_KIND_PTR, NULL, 0, cpage);
	pppage = type(BTF_KIND_PTR, NULL, 0, ppage);
	mt = type(BTF_KIND_ENUM, "migratetype", 1, 4);
	word(0), word(0);
	fpi = type(BTF_KIND_TYPEDEF, "fpi_t", 0, sint);
	sarray = type(BTF_KIND_ARRAY, NULL, 0, 0);
	word(sint), word(sint), word(3);
	type(BTF_KIND_VAR, "v", 0, sarray);
	word(0);
	type(BTF_KIND_DATASEC, ".data", 1, 4);
	word(0), word(0), word(0);
	flt = type(16, "double", 0, 8);
	tag = type(18, "user", 0, page);
	type(17, "seen", 0, page);
	word(0);
	type(19, "large", 1, 8);
	word(0), word(0), word(0);
	fwd = type(BTF_KIND_FWD, "hidden", 0, 0);
	type(BTF_KIND_UNION, "both", 1, 8);
	word(0), word(ulong), word(0);
	function("isolate", sint, 2, (uint32_t[]){ ppage, uint });
	function("putback", 0, 3, (uint32_t[]){ pcpage, uint, fpi });
	function("migratetype", mt, 2, (uint32_t[]){ pcpage, ulong });
	function("odd", yes, 4, (uint32_t[]){ pppage, odd, flt, tag });
	function("hidden", fwd, 0, NULL);
	/* Not of a prototype, which no kernel has. */
	type(BTF_KIND_FUNC, "broken", 0, sint);
	end();
}

static void check(const char *name, const char *expected)
{
	struct fpr_btf btf;
	char text[128];

	assert_int_equal(fpr_btf_open(&btf, made.all, made.size), 0);
	assert_int_equal(fpr_btf_prototype(&btf, name, text, sizeof(text)), 0);
	assert_string_equal(text, expected);
	fpr_btf_close(&btf);
}

static void prototypes_are_written(void **state)
{
	(void)state;
	describe();
	check("isolate", "int(struct page *, unsigned int)");
	check("putback", "void(struct page *, unsigned int, int)");
	check("migratetype", "enum migratetype(struct page *, unsigned long)");
	check("odd", "bool(struct page **, unsigned char, double, struct page)");
	check("hidden", "something else()");
}

static void others_are_not_found(void **state)
{
	struct fpr_btf btf;
	char text[128];

	(void)state;
	describe();
	assert_int_equal(fpr_btf_open(&btf, made.all, made.size), 0);
	assert_int_equal(fpr_btf_prototype(&btf, "isolat", text, sizeof(text)), -ENOENT);
	assert_int_equal(fpr_btf_prototype(&btf, "page", text, sizeof(text)), -ENOENT);
	assert_int_equal(fpr_btf_prototype(&btf, "broken", text, sizeof(text)), -ENOENT);
	fpr_btf_close(&btf);
}

/* A text that has no room is cut, so it fits nothing. */
static void little_room(void **state)
{
	struct fpr_btf btf;
	char text[12];

	(void)state;
	describe();
	assert_int_equal(fpr_btf_open(&btf, made.all, made.size), 0);
	assert_int_equal(fpr_btf_prototype(&btf, "isolate", text, sizeof(text)), 0);
	assert_string_equal(text, "int(struct ");
	fpr_btf_close(&btf);
}

/* A type that stands for itself has an end all the same. */
static void rings_end(void **state)
{
	uint32_t self;

	(void)state;
	begin();
	self = type(BTF_KIND_CONST, NULL, 0, 1);
	type(BTF_KIND_PTR, NULL, 0, 2);
	function("ring", 0, 2, (uint32_t[]){ self, 2 });
	end();
	check("ring", "void(something else, something else ****************)");
}

static void no_memory(void **state)
{
	struct fpr_btf btf;

	(void)state;
	describe();
	shim_alloc_budget = 0;
	assert_int_equal(fpr_btf_open(&btf, made.all, made.size), -ENOMEM);
	fpr_btf_close(&btf);
	shim_alloc_budget = -1;
}

/* Whatever is in there, nothing is read that is not (the sanitizers look). */
static void broken_ones(void **state)
{
	static _Alignas(8) uint8_t copy[2 * BYTES];
	unsigned int seed = 1, round, i;
	char text[128];

	(void)state;
	describe();
	for (i = 0; i < made.size; i++) {
		uint8_t *exact = malloc(i + 1);
		struct fpr_btf btf;

		memcpy(exact, made.all, i);
		assert_int_equal(fpr_btf_open(&btf, exact, i), -EINVAL);
		fpr_btf_close(&btf);
		free(exact);
	}
	for (round = 0; round < 20000; round++) {
		uint8_t *exact = malloc(made.size);
		struct fpr_btf btf;

		memcpy(copy, made.all, made.size);
		for (i = next_random(&seed) % 4 + 1; i; i--)
			copy[next_random(&seed) % made.size] = next_random(&seed);
		memcpy(exact, copy, made.size);
		if (!fpr_btf_open(&btf, exact, made.size)) {
			fpr_btf_prototype(&btf, "isolate", text, sizeof(text));
			fpr_btf_prototype(&btf, "odd", text, sizeof(text));
		}
		fpr_btf_close(&btf);
		free(exact);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(prototypes_are_written),
		cmocka_unit_test(others_are_not_found),
		cmocka_unit_test(little_room),
		cmocka_unit_test(rings_end),
		cmocka_unit_test(no_memory),
		cmocka_unit_test(broken_ones),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
