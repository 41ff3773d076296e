// SPDX-License-Identifier: GPL-2.0
/*
 * How long the block map of a guest of so many GiB takes, and its memory.
 * "blockmap_bench 16 1024" prints "name value unit" lines; scripts/bench-blockmap
 * says what they are.
 */
#include "bench.h"

#include <malloc.h>

#include "../../src/core/blockmap.h"

#define BLOCKS_PER_GIB	512UL
#define FEW		16
#define NOW		100000U

int shim_alloc_budget = -1;

void cond_resched_tasks_rcu_qs(void)
{
	bench_gave_way();
}

struct bench {
	struct fpr_blockmap map;
	unsigned long step;
};

/* All has been reported, and of every @step blocks one was freed into since. */
static void mark(void *arg)
{
	struct bench *b = arg;
	unsigned long block;

	fpr_blockmap_forget(&b->map);
	for (block = 0; block < b->map.nblocks; block++) {
		fpr_blockmap_hold(&b->map, block);
		b->map.given[block] = BLOCKS_PER_GIB;
	}
	fpr_blockmap_release(&b->map, 0, b->map.nblocks - 1, true, 0);
	for (block = 0; b->step && block < b->map.nblocks; block += b->step)
		fpr_mark(b->map.marks, block);
}

static unsigned long harvest(void *arg)
{
	struct bench *b = arg;
	struct fpr_harvest h = {
		.now = NOW, .delay_ms = 800, .cold_ms = 2000, .whole = BLOCKS_PER_GIB,
	};

	fpr_blockmap_harvest(&b->map, &h);
	return h.marks;
}

/* One of every @step blocks waits, every second of these is due. */
static void activate(void *arg)
{
	struct bench *b = arg;
	unsigned long block, n = 0;

	fpr_blockmap_forget(&b->map);
	for (block = 0; block < b->map.nblocks; block += b->step)
		fpr_blockmap_activate(&b->map, block, NOW + (n++ % 2), 0);
}

static unsigned long count_due(void *arg)
{
	struct bench *b = arg;
	u32 oldest = 0, next = 0;

	return fpr_blockmap_count_due(&b->map, NOW, &oldest, &next) + oldest + next;
}

/* The walk of a whole pass. */
static unsigned long walk_due(void *arg)
{
	struct bench *b = arg;
	unsigned long block, n = 0;

	for (block = fpr_blockmap_next_due(&b->map, 0, NOW, false); block < b->map.nblocks;
	     block = fpr_blockmap_next_due(&b->map, block + 1, NOW, false))
		n++;
	return n;
}

static void nothing(void *arg)
{
	(void)arg;
}

static unsigned long activate_all(void *arg)
{
	struct bench *b = arg;

	fpr_blockmap_activate_all(&b->map, NOW);
	return b->map.nr_active;
}

static void bench(unsigned long gib)
{
	unsigned long blocks = gib * BLOCKS_PER_GIB, few = blocks / FEW;
	const struct {
		const char *name;
		void (*prepare)(void *arg);
		unsigned long (*run)(void *arg);
		unsigned long step;
	} cases[] = {
		{ "harvest_none", mark, harvest, 0 },
		{ "harvest_1pct", mark, harvest, 100 },
		{ "harvest_all", mark, harvest, 1 },
		{ "count_due_few", activate, count_due, few },
		{ "count_due_all", activate, count_due, 1 },
		{ "next_due_few", activate, walk_due, few },
		{ "next_due_all", activate, walk_due, 1 },
		{ "activate_all", nothing, activate_all, 0 },
	}, *c;
	struct mallinfo2 before = mallinfo2(), after;
	struct bench b;
	double kib, gap, longest = 0;

	if (fpr_blockmap_init(&b.map, blocks)) {
		fprintf(stderr, "no memory for the map of %lu GiB: try smaller --sizes\n", gib);
		exit(1);
	}
	after = mallinfo2();
	kib = (double)(after.uordblks + after.hblkhd - before.uordblks - before.hblkhd) / 1024;
	printf("blockmap_memory_%lug %.1f KiB\n", gib, kib);
	printf("blockmap_memory_per_tib_%lug %.1f KiB\n", gib, kib * 1024 / gib);
	printf("blockmap_marks_%lug %.1f KiB\n", gib, (b.map.marks->mask + 1) / 8.0 / 1024);

	fpr_blockmap_set_present(&b.map, 0, blocks, true);
	for (c = cases; c < cases + sizeof(cases) / sizeof(*cases); c++) {
		b.step = c->step;
		printf("blockmap_%s_%lug %.3f us\n", c->name, gib,
		       bench_median(c->prepare, c->run, &b, &gap));
		/* A pass does something else, and gives way, between two steps of its walk. */
		if (c->run != walk_due && gap > longest)
			longest = gap;
	}
	printf("blockmap_longest_%lug %.3f us\n", gib, longest);
	fpr_blockmap_destroy(&b.map);
}

int main(int argc, char **argv)
{
	int i;

	for (i = 1; i < argc; i++)
		bench(strtoul(argv[i], NULL, 10));
	return 0;
}
