/* SPDX-License-Identifier: GPL-2.0 */
/* What the userspace benchmarks share; scripts/bench-blockmap runs them. */
#ifndef _UNIT_BENCH_H
#define _UNIT_BENCH_H

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

/* As often is each case timed; what is printed is the median. */
#define TIMES	15

/* CPU time of this thread: what else runs on the machine counts for little. */
static inline double bench_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return t.tv_sec * 1e6 + t.tv_nsec / 1e3;
}

static int by_size(const void *a, const void *b)
{
	const double *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

/* The median, in us, of @run, each time after @prepare. */
static inline double bench_median(void (*prepare)(void *), unsigned long (*run)(void *),
				  void *arg)
{
	double us[TIMES];
	int i;

	for (i = 0; i < TIMES; i++) {
		double start;

		prepare(arg);
		start = bench_us();
		/* Its result is needed, for all that the compiler knows. */
		__asm__ volatile("" : : "r"(run(arg)) : "memory");
		us[i] = bench_us() - start;
	}
	qsort(us, TIMES, sizeof(*us), by_size);
	return us[TIMES / 2];
}

#endif
