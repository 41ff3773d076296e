// SPDX-License-Identifier: GPL-2.0
/*
 * A load that verifies its memory: fills, keeps, checks and frees anonymous
 * memory, huge pages, tmpfs files, hugetlb pages (where there are any) and pages
 * shared with a child until they are written, of random sizes, in several
 * processes.  Any byte that is not what was written ends it with status 1.
 *
 * usage: memload SECONDS MIB PROCESSES DIRECTORY [SEED]
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <sys/mman.h>

#include "load.h"

#define SLOTS		64
#define HUGE_SIZE	(2UL << 20)

enum kind { ANON, HUGE, FILE_MAPPED, FILE_WRITTEN, HUGETLB, COPIED, KINDS };

struct slot {
	enum kind kind;
	uint64_t *mem;
	size_t size;
	uint64_t key;
	int fd;
	pid_t child;
};

static struct slot slots[SLOTS];
/* Of all slots; what is shared until it is written counts twice, as it will be. */
static size_t in_use;

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

/*
 * In a child that is to have one slot: the others' ends have to be their
 * parent's alone, and so has their memory, which would stay in use otherwise
 * when the parent has freed it.
 */
static void drop_others(const struct slot *s)
{
	int i;

	for (i = 0; i < SLOTS; i++) {
		if (&slots[i] == s || !slots[i].size)
			continue;
		if (slots[i].fd >= 0)
			close(slots[i].fd);
		if (slots[i].kind != FILE_WRITTEN)
			munmap(slots[i].mem, slots[i].size);
	}
}

/*
 * A child that has the same pages.  The parent writes its own over them; when
 * the child is told to, by the end of the pipe, it looks at what it has.
 */
static void share_slot(struct slot *s)
{
	int ends[2];
	char end;

	map_slot(s, MAP_PRIVATE | MAP_ANONYMOUS);
	if (pipe(ends))
		die("pipe");
	s->child = fork();
	if (s->child < 0)
		die("fork");
	if (!s->child) {
		close(ends[1]);
		drop_others(s);
		while (read(ends[0], &end, 1) < 0 && errno == EINTR)
			;
		check(s, s->mem, 0, s->size);
		_exit(0);
	}
	close(ends[0]);
	s->fd = ends[1];
	s->key = rnd();
	fill(s->mem, s->key, 0, s->size);
}

static void part_slot(struct slot *s)
{
	int status;

	close(s->fd);
	s->fd = -1;
	while (waitpid(s->child, &status, 0) < 0)
		if (errno != EINTR)
			die("waitpid");
	/* It has said what it found. */
	if (ended_badly(status))
		exit(1);
	verified += s->size;
}

/*
 * hugetlb pages are there when somebody has set some aside.  But even one that
 * is reserved cannot always be had while memory is being taken offline (7.3):
 * SIGBUS for who touches it, an error here (5.10 has no such call).
 */
static int map_hugetlb(struct slot *s)
{
	s->size = (1 + rnd() % 4) * HUGE_SIZE;
	s->mem = mmap(NULL, s->size, PROT_READ | PROT_WRITE,
		      MAP_PRIVATE | MAP_ANONYMOUS | MAP_HUGETLB, -1, 0);
	if (s->mem == MAP_FAILED)
		return 0;
	if (madvise(s->mem, s->size, MADV_POPULATE_WRITE) && errno != EINVAL) {
		munmap(s->mem, s->size);
		return 0;
	}
	fill(s->mem, s->key, 0, s->size);
	return 1;
}

static size_t footprint(const struct slot *s)
{
	return s->kind == COPIED ? 2 * s->size : s->size;
}

static void take(struct slot *s, size_t limit)
{
	s->kind = rnd() % KINDS;
	s->size = 4096 * (1 + rnd() % (rnd() % 2 ? 16 : limit / 4096));
	if (s->kind == HUGE)
		s->size = (s->size + HUGE_SIZE - 1) & ~(HUGE_SIZE - 1);
	if (s->kind == COPIED)
		s->size = (s->size / 2 + 4095) & ~4095UL;
	s->key = rnd();
	s->fd = -1;
	s->child = 0;
	switch (s->kind) {
	case FILE_MAPPED:
		s->fd = file_of_size(s->size);
		map_slot(s, MAP_SHARED);
		break;
	case FILE_WRITTEN:
		s->fd = file_of_size(s->size);
		write_slot(s);
		break;
	case COPIED:
		share_slot(s);
		break;
	case HUGETLB:
		if (map_hugetlb(s))
			break;
		s->kind = ANON;
		/* fallthrough */
	default:
		map_slot(s, MAP_PRIVATE | MAP_ANONYMOUS);
	}
	allocated += s->size;
	in_use += footprint(s);
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
	in_use -= footprint(s);
	if (s->child)
		part_slot(s);
	if (s->kind != FILE_WRITTEN)
		munmap(s->mem, s->size);
	if (s->fd >= 0)
		close(s->fd);
	s->size = 0;
}

/* One process: on average a third of @bytes is in use, and never much more than @bytes. */
static void work(time_t end, size_t bytes)
{
	size_t limit = bytes / SLOTS * 2, i;

	while (!stop && time(NULL) < end) {
		struct slot *s = &slots[rnd() % SLOTS];

		if (!s->size && in_use < bytes)
			take(s, limit < 4096 ? 4096 : limit);
		else if (!s->size)
			continue;
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
}

int main(int argc, char **argv)
{
	return run_load(argc, argv, work);
}
