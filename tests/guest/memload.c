// SPDX-License-Identifier: GPL-2.0
/*
 * A load that verifies its memory: fills, keeps, checks and frees anonymous
 * memory, huge pages and tmpfs files of random sizes, in several processes.
 * Any byte that is not what was written ends it with status 1.
 *
 * usage: memload SECONDS MIB PROCESSES DIRECTORY [SEED]
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define SLOTS		64
#define KINDS		4
#define MAX_PROCESSES	64
#define HUGE_SIZE	(2UL << 20)

enum kind { ANON, HUGE, FILE_MAPPED, FILE_WRITTEN };

struct slot {
	enum kind kind;
	uint64_t *mem;
	size_t size;
	uint64_t key;
	int fd;
};

static const char *directory;
static uint64_t state;
static uint64_t verified, allocated;
static volatile sig_atomic_t stop;

static void on_term(int sig)
{
	(void)sig;
	stop = 1;
}

static uint64_t mix(uint64_t x)
{
	x ^= x >> 33;
	x *= 0xff51afd7ed558ccdULL;
	return x ^ x >> 29;
}

static uint64_t rnd(void)
{
	return mix(state += 0x9e3779b97f4a7c15ULL);
}

static void die(const char *what)
{
	fprintf(stderr, "memload: %s: %s\n", what, strerror(errno));
	exit(2);
}

static void check(const struct slot *s, const uint64_t *mem, size_t from,
		  size_t bytes)
{
	size_t i, n = bytes / sizeof(*mem);

	for (i = 0; i < n; i++) {
		uint64_t want = s->key + (from / sizeof(*mem) + i) * 3;

		if (mem[i] == want)
			continue;
		fprintf(stderr,
			"memload: CORRUPTION kind %d offset %zu of %zu: %016llx, not %016llx\n",
			s->kind, from + i * sizeof(*mem), s->size,
			(unsigned long long)mem[i], (unsigned long long)want);
		exit(1);
	}
	verified += bytes;
}

static void fill(uint64_t *mem, uint64_t key, size_t from, size_t bytes)
{
	size_t i, n = bytes / sizeof(*mem);

	for (i = 0; i < n; i++)
		mem[i] = key + (from / sizeof(*mem) + i) * 3;
}

static int file_of_size(size_t size)
{
	char name[256];
	int fd;

	snprintf(name, sizeof(name), "%s/memload.XXXXXX", directory);
	fd = mkstemp(name);
	if (fd < 0)
		die(name);
	unlink(name);
	if (ftruncate(fd, size))
		die("ftruncate");
	return fd;
}

static void map_slot(struct slot *s, int flags)
{
	s->mem = mmap(NULL, s->size, PROT_READ | PROT_WRITE, flags, s->fd, 0);
	if (s->mem == MAP_FAILED)
		die("mmap");
	/* Without huge pages in the kernel it is plain memory. */
	if (s->kind == HUGE)
		madvise(s->mem, s->size, MADV_HUGEPAGE);
	fill(s->mem, s->key, 0, s->size);
}

static uint64_t buffer[8192];

static void write_slot(struct slot *s)
{
	size_t at;

	for (at = 0; at < s->size; at += sizeof(buffer)) {
		size_t n = s->size - at < sizeof(buffer) ? s->size - at :
							   sizeof(buffer);

		fill(buffer, s->key, at, n);
		if (pwrite(s->fd, buffer, n, at) != (ssize_t)n)
			die("pwrite");
	}
}

static void take(struct slot *s, size_t limit)
{
	s->kind = rnd() % KINDS;
	s->size = 4096 * (1 + rnd() % (rnd() % 2 ? 16 : limit / 4096));
	if (s->kind == HUGE)
		s->size = (s->size + HUGE_SIZE - 1) & ~(HUGE_SIZE - 1);
	s->key = rnd();
	s->fd = -1;
	switch (s->kind) {
	case FILE_MAPPED:
		s->fd = file_of_size(s->size);
		map_slot(s, MAP_SHARED);
		break;
	case FILE_WRITTEN:
		s->fd = file_of_size(s->size);
		write_slot(s);
		break;
	default:
		map_slot(s, MAP_PRIVATE | MAP_ANONYMOUS);
	}
	allocated += s->size;
}

static void verify(const struct slot *s)
{
	size_t at;

	if (s->kind != FILE_WRITTEN) {
		check(s, s->mem, 0, s->size);
		return;
	}
	for (at = 0; at < s->size; at += sizeof(buffer)) {
		size_t n = s->size - at < sizeof(buffer) ? s->size - at :
							   sizeof(buffer);

		if (pread(s->fd, buffer, n, at) != (ssize_t)n)
			die("pread");
		check(s, buffer, at, n);
	}
}

static void drop(struct slot *s)
{
	verify(s);
	if (s->kind != FILE_WRITTEN)
		munmap(s->mem, s->size);
	if (s->fd >= 0)
		close(s->fd);
	s->size = 0;
}

/* One process: on average half of @bytes is in use. */
static void work(time_t end, size_t bytes)
{
	static struct slot slots[SLOTS];
	size_t limit = bytes / SLOTS * 2, i;

	while (!stop && time(NULL) < end) {
		struct slot *s = &slots[rnd() % SLOTS];

		if (!s->size)
			take(s, limit < 4096 ? 4096 : limit);
		else if (rnd() % 4)
			drop(s);
		else
			verify(s);
		/* Now and then everything at once, so that whole blocks form. */
		if (rnd() % 200 == 0)
			for (i = 0; i < SLOTS; i++)
				if (slots[i].size)
					drop(&slots[i]);
	}
	for (i = 0; i < SLOTS; i++)
		if (slots[i].size)
			drop(&slots[i]);
	printf("memload: %llu MiB allocated, %llu MiB verified\n",
	       (unsigned long long)allocated >> 20,
	       (unsigned long long)verified >> 20);
	fflush(stdout);
	exit(0);
}

/* Waits for all processes; 0 if none of them found anything. */
static int wait_for_all(const pid_t *pids, int n)
{
	int status, bad = 0, told = 0, i;

	for (;;) {
		pid_t pid = wait(&status);

		if (pid > 0) {
			bad |= !WIFEXITED(status) || WEXITSTATUS(status);
			continue;
		}
		if (errno != EINTR)
			return bad;
		for (i = 0; stop && !told && i < n; i++)
			kill(pids[i], SIGTERM);
		told = stop;
	}
}

int main(int argc, char **argv)
{
	struct sigaction action = { .sa_handler = on_term };
	pid_t pids[MAX_PROCESSES];
	int processes, i;
	size_t bytes;
	time_t end;

	if (argc < 5) {
		fprintf(stderr,
			"usage: memload SECONDS MIB PROCESSES DIRECTORY [SEED]\n");
		return 2;
	}
	end = time(NULL) + atoi(argv[1]);
	processes = atoi(argv[3]);
	if (processes < 1 || processes > MAX_PROCESSES) {
		fprintf(stderr, "memload: 1 to %d processes\n", MAX_PROCESSES);
		return 2;
	}
	bytes = (size_t)atoi(argv[2]) * (1 << 20) / processes;
	directory = argv[4];
	state = argc > 5 ? strtoull(argv[5], NULL, 0) : (uint64_t)time(NULL);
	printf("memload: seed %llu\n", (unsigned long long)state);
	fflush(stdout);

	sigaction(SIGTERM, &action, NULL);
	for (i = 0; i < processes; i++) {
		pids[i] = fork();
		if (pids[i] < 0)
			die("fork");
		if (!pids[i]) {
			state = mix(state + i + 1);
			work(end, bytes);
		}
	}
	return wait_for_all(pids, processes);
}
