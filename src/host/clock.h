/* SPDX-License-Identifier: GPL-2.0 */
/* Time that only goes forward. */
#ifndef FPR_HOST_CLOCK_H
#define FPR_HOST_CLOCK_H

#include <stdint.h>
#include <time.h>

static inline uint64_t now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000000 + (uint64_t)ts.tv_nsec;
}

#endif /* FPR_HOST_CLOCK_H */
