// SPDX-License-Identifier: GPL-2.0
/*
 * touchloop 4k|thp|file MIB LOOPS [TASKS]: maps memory, writes to each 4 KiB page
 * of it, unmaps it, over and over, and prints the cost of a page in instructions:
 * median, minimum and maximum of the loops.  The memory is anonymous, or a private
 * mapping of a file in a tmpfs, of which each write makes a copy.  Several tasks,
 * processes of their own, share MIB between them and go round together.
 *
 * For a guest that runs under QEMU's -icount with a fixed shift: there the time
 * stamp counter advances in step with the instructions.  How many ticks make an
 * instruction is found with a loop of a known number of them.
 */
#define _GNU_SOURCE
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <unistd.h>
#include <x86intrin.h>

#define PAGE 4096UL
#define HUGE (2UL << 20)
#define WARM_UP 3
#define MAX_LOOPS 1000
#define MAX_TASKS 64

enum kind { SMALL, THP, FROM_FILE, KINDS };
static const char *const names[KINDS] = { "4k", "thp", "file" };

/* Where all tasks meet before and after a round; shared between processes */
struct meeting {
	pthread_barrier_t begin, end;
};

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

/* A file of zeroes whose pages are all there; -1 on failure. */
static int make_file(size_t bytes)
{
	static char page[PAGE];
	int fd = memfd_create("touchloop", 0);
	size_t done;

	for (done = 0; fd >= 0 && done < bytes; done += PAGE) {
		if (write(fd, page, PAGE) != PAGE)
			return -1;
	}
	return fd;
}

/* Ticks of one map, touch, unmap round; 0 on failure. */
static uint64_t touch(size_t bytes, enum kind kind, int fd)
{
	size_t length = bytes + (kind == THP ? HUGE : 0), offset;
	uint64_t begin = __rdtsc();
	char *map = mmap(NULL, length, PROT_READ | PROT_WRITE,
			 MAP_PRIVATE | (fd < 0 ? MAP_ANONYMOUS : 0), fd, 0);
	char *memory = map;

	if (map == MAP_FAILED)
		return 0;
	if (kind == THP)
		memory = (char *)(((uintptr_t)map + HUGE - 1) & ~(HUGE - 1));
	/* A kernel without huge pages knows neither, and makes none. */
	if (madvise(map, length, kind == THP ? MADV_HUGEPAGE : MADV_NOHUGEPAGE) &&
	    kind == THP) {
		perror("madvise");
		return 0;
	}
	for (offset = 0; offset < bytes; offset += PAGE)
		*(volatile char *)(memory + offset) = 1;
	if (munmap(map, length))
		return 0;
	return __rdtsc() - begin;
}

/* One of several tasks: all its rounds.  The others would wait for one that fails:
 * then all end, the first with its parent and the rest with that. */
static void task(struct meeting *meeting, size_t bytes, enum kind kind, int loops)
{
	int fd = kind == FROM_FILE ? make_file(bytes) : -1, i;

	for (i = -WARM_UP; i < loops; i++) {
		pthread_barrier_wait(&meeting->begin);
		if ((kind == FROM_FILE && fd < 0) || !touch(bytes, kind, fd)) {
			kill(getppid(), SIGTERM);
			_exit(1);
		}
		pthread_barrier_wait(&meeting->end);
	}
	_exit(0);
}

/* Starts the tasks; NULL on failure. */
static struct meeting *start_tasks(int tasks, size_t bytes, enum kind kind, int loops)
{
	struct meeting *meeting = mmap(NULL, sizeof(*meeting), PROT_READ | PROT_WRITE,
				       MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	pthread_barrierattr_t shared;
	int i;

	if (meeting == MAP_FAILED || pthread_barrierattr_init(&shared) ||
	    pthread_barrierattr_setpshared(&shared, PTHREAD_PROCESS_SHARED) ||
	    pthread_barrier_init(&meeting->begin, &shared, tasks + 1) ||
	    pthread_barrier_init(&meeting->end, &shared, tasks + 1))
		return NULL;
	for (i = 0; i < tasks; i++) {
		pid_t pid = fork();

		if (pid < 0)
			return NULL;
		if (!pid) {
			prctl(PR_SET_PDEATHSIG, SIGKILL);
			task(meeting, bytes, kind, loops);
		}
	}
	return meeting;
}

/* Ticks of a round of all tasks, which is over when the last of them is ready. */
static uint64_t touch_together(struct meeting *meeting)
{
	uint64_t begin = __rdtsc();

	pthread_barrier_wait(&meeting->begin);
	pthread_barrier_wait(&meeting->end);
	return __rdtsc() - begin;
}

static int compare(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return x < y ? -1 : x > y;
}

static int usage(void)
{
	fprintf(stderr, "usage: touchloop 4k|thp|file MIB LOOPS [TASKS]\n");
	return 2;
}

int main(int argc, char **argv)
{
	static uint64_t ticks[MAX_LOOPS];
	struct meeting *meeting = NULL;
	int loops, tasks, fd = -1, i;
	unsigned int kind = 0;
	double scale, pages;
	uint64_t median;
	size_t bytes;

	if (argc != 4 && argc != 5)
		return usage();
	while (kind < KINDS && strcmp(argv[1], names[kind]))
		kind++;
	if (kind == KINDS)
		return usage();
	bytes = strtoul(argv[2], NULL, 10) << 20;
	loops = atoi(argv[3]);
	tasks = argc == 5 ? atoi(argv[4]) : 1;
	if (tasks < 1 || tasks > MAX_TASKS || loops < 1 || loops > MAX_LOOPS) {
		fprintf(stderr, "touchloop: 1 to %d loops, 1 to %d tasks\n", MAX_LOOPS, MAX_TASKS);
		return 2;
	}
	/* Each its own part, in whole huge pages */
	bytes = bytes / tasks & ~(tasks > 1 ? HUGE - 1 : 0UL);
	if (!bytes) {
		fprintf(stderr, "touchloop: 1 MiB or more, 2 MiB for each of several tasks\n");
		return 2;
	}
	if (tasks > 1)
		meeting = start_tasks(tasks, bytes, kind, loops);
	else if (kind == FROM_FILE)
		fd = make_file(bytes);
	if (tasks > 1 ? !meeting : kind == FROM_FILE && fd < 0) {
		fprintf(stderr, "touchloop: cannot start with so little memory\n");
		return 1;
	}
	for (i = -WARM_UP; i < loops; i++) {
		uint64_t t = meeting ? touch_together(meeting) : touch(bytes, kind, fd);

		if (!t) {
			fprintf(stderr, "touchloop: no memory\n");
			return 1;
		}
		if (i >= 0)
			ticks[i] = t;
	}
	qsort(ticks, loops, sizeof(ticks[0]), compare);
	scale = calibrate();
	pages = (double)bytes * tasks / PAGE;
	median = ticks[loops / 2];
	printf("touchloop %s median %.2f min %.2f max %.2f insn/page, %.4f ticks/insn\n",
	       argv[1], median / scale / pages, ticks[0] / scale / pages,
	       ticks[loops - 1] / scale / pages, scale);
	return 0;
}
