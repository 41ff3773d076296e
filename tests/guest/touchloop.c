// SPDX-License-Identifier: GPL-2.0
/*
 * touchloop 4k|thp MIB LOOPS: maps MIB of anonymous memory, writes to each 4 KiB
 * page of it, unmaps it, over and over, and prints the cost of a page in
 * instructions: median, minimum and maximum of the loops.
 *
 * For a guest that runs under QEMU's -icount with a fixed shift: there the time
 * stamp counter advances in step with the instructions.  How many ticks make an
 * instruction is found with a loop of a known number of them.
 */
#define _GNU_SOURCE
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <x86intrin.h>

#define PAGE 4096UL
#define HUGE (2UL << 20)
#define WARM_UP 3
#define MAX_LOOPS 1000

/* Executes 2 * rounds instructions, and a handful around them. */
static uint64_t known_loop(uint64_t rounds)
{
	uint64_t begin = __rdtsc();

	__asm__ volatile("1: dec %0\n\tjnz 1b" : "+r"(rounds) : : "cc");
	return __rdtsc() - begin;
}

/* Ticks of the counter per instruction: the smallest of some tries, since an
 * interrupt can only add. */
static double calibrate(void)
{
	const uint64_t rounds = 200000;
	uint64_t best = UINT64_MAX;
	int i;

	for (i = 0; i < 50; i++) {
		uint64_t ticks = known_loop(rounds);

		if (ticks < best)
			best = ticks;
	}
	return (double)best / (2.0 * rounds);
}

/* Ticks of one map, touch, unmap round; 0 on failure. */
static uint64_t touch(size_t bytes, int huge)
{
	size_t length = bytes + (huge ? HUGE : 0), offset;
	uint64_t begin = __rdtsc();
	char *map = mmap(NULL, length, PROT_READ | PROT_WRITE,
			 MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	char *memory = map;

	if (map == MAP_FAILED)
		return 0;
	if (huge)
		memory = (char *)(((uintptr_t)map + HUGE - 1) & ~(HUGE - 1));
	/* A kernel without huge pages knows neither, and makes none. */
	if (madvise(map, length, huge ? MADV_HUGEPAGE : MADV_NOHUGEPAGE) && huge) {
		perror("madvise");
		return 0;
	}
	for (offset = 0; offset < bytes; offset += PAGE)
		*(volatile char *)(memory + offset) = 1;
	if (munmap(map, length))
		return 0;
	return __rdtsc() - begin;
}

static int compare(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return x < y ? -1 : x > y;
}

int main(int argc, char **argv)
{
	static uint64_t ticks[MAX_LOOPS];
	uint64_t median;
	double scale, pages;
	int huge, loops, i;
	size_t bytes;

	if (argc != 4 || (strcmp(argv[1], "4k") && strcmp(argv[1], "thp"))) {
		fprintf(stderr, "usage: touchloop 4k|thp MIB LOOPS\n");
		return 2;
	}
	huge = !strcmp(argv[1], "thp");
	bytes = strtoul(argv[2], NULL, 10) << 20;
	loops = atoi(argv[3]);
	if (!bytes || loops < 1 || loops > MAX_LOOPS) {
		fprintf(stderr, "touchloop: 1 MiB or more, 1 to %d loops\n", MAX_LOOPS);
		return 2;
	}
	for (i = -WARM_UP; i < loops; i++) {
		uint64_t t = touch(bytes, huge);

		if (!t) {
			fprintf(stderr, "touchloop: no memory\n");
			return 1;
		}
		if (i >= 0)
			ticks[i] = t;
	}
	qsort(ticks, loops, sizeof(ticks[0]), compare);
	scale = calibrate();
	pages = (double)bytes / PAGE;
	median = ticks[loops / 2];
	printf("touchloop %s median %.2f min %.2f max %.2f insn/page, %.4f ticks/insn\n",
	       argv[1], median / scale / pages, ticks[0] / scale / pages,
	       ticks[loops - 1] / scale / pages, scale);
	return 0;
}
