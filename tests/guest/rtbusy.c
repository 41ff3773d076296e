// SPDX-License-Identifier: GPL-2.0
/*
 * Owns a processor: runs there and nowhere else, as a real-time thread that never waits.
 *
 * usage: rtbusy PROCESSOR SECONDS
 *
 * Prints "busy" before it begins.
 */
#define _GNU_SOURCE
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

int main(int argc, char **argv)
{
	struct sched_param param = { .sched_priority = 50 };
	struct timespec begin, now;
	cpu_set_t set;

	if (argc != 3) {
		fprintf(stderr, "usage: rtbusy PROCESSOR SECONDS\n");
		return 2;
	}
	CPU_ZERO(&set);
	CPU_SET(atoi(argv[1]), &set);
	if (sched_setaffinity(0, sizeof(set), &set)) {
		perror("rtbusy: sched_setaffinity");
		return 1;
	}
	printf("busy\n");
	fflush(stdout);
	if (sched_setscheduler(0, SCHED_FIFO, &param)) {
		perror("rtbusy: sched_setscheduler");
		return 1;
	}
	clock_gettime(CLOCK_MONOTONIC, &begin);
	do
		clock_gettime(CLOCK_MONOTONIC, &now);
	while (now.tv_sec - begin.tv_sec < atoi(argv[2]));
	return 0;
}
