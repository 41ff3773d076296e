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

/*
 * The longest time between two moments at which a run gave way, or began or ended:
 * cond_resched_tasks_rcu_qs() of the benchmark calls this.
 */
static double bench_last, bench_gap;

static inline void bench_gave_way(void)
{
	double now = bench_us();

	if (now - bench_last > bench_gap)
		bench_gap = now - bench_last;
	bench_last = bench_us();
}

static int by_size(const void *a, const void *b)
{
	const double *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

/*
 * The median, in us, of @run, each time after @prepare, and that of the longest time in
 * which it did not give way, in @gap.
 */
static inline double bench_median(void (*prepare)(void *), unsigned long (*run)(void *),
				  void *arg, double *gap)
{
	double us[TIMES], gaps[TIMES];
	int i;

	for (i = 0; i < TIMES; i++) {
		double start;

		prepare(arg);
		bench_gap = 0;
		start = bench_last = bench_us();
		/* Its result is needed, for all that the compiler knows. */
		__asm__ volatile("" : : "r"(run(arg)) : "memory");
		us[i] = bench_us() - start;
		bench_gave_way();
		gaps[i] = bench_gap;
	}
	qsort(us, TIMES, sizeof(*us), by_size);
	qsort(gaps, TIMES, sizeof(*gaps), by_size);
	*gap = gaps[TIMES / 2];
	return us[TIMES / 2];
}

#endif
