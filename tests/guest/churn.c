// SPDX-License-Identifier: GPL-2.0
/*
 * Allocates, touches, keeps and frees memory in turn.
 *
 * usage: churn MIB ROUNDS HELD_MS FREE_MS
 * Prints the mean time of an allocation (touching included) in ms.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>

static double now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1e3 + t.tv_nsec / 1e6;
}

static void sleep_ms(long ms)
{
	struct timespec t = { ms / 1000, ms % 1000 * 1000000 };

	nanosleep(&t, NULL);
}

int main(int argc, char **argv)
{
	size_t bytes;
	double sum = 0;
	int rounds, i;

	if (argc != 5) {
		fprintf(stderr, "usage: churn MIB ROUNDS HELD_MS FREE_MS\n");
		return 2;
	}
	bytes = (size_t)atoi(argv[1]) << 20;
	rounds = atoi(argv[2]);
	for (i = 0; i < rounds; i++) {
		double start = now_ms();
		char *mem = mmap(NULL, bytes, PROT_READ | PROT_WRITE,
				 MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

		if (mem == MAP_FAILED) {
			perror("churn: mmap");
			return 1;
		}
		memset(mem, 1, bytes);
		sum += now_ms() - start;
		sleep_ms(atoi(argv[3]));
		munmap(mem, bytes);
		sleep_ms(atoi(argv[4]));
	}
	printf("%.1f\n", sum / rounds);
	return 0;
}
