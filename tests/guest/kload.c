// SPDX-License-Identifier: GPL-2.0
/*
 * A load of kernel objects that verifies their contents: small files, their
 * names and links, full pipes, and messages waiting in sockets, in several
 * processes.  Any byte that is not what was written ends it with status 1.
 *
 * usage: kload SECONDS MIB PROCESSES DIRECTORY [SEED]
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include "load.h"

#define SLOTS		48
#define FILES		200
#define PIPE_BYTES	65536
#define MESSAGES	40
#define LONGEST		1024

enum kind { TREE, PIPE, SOCKET, KINDS };

struct slot {
	enum kind kind;
	int used;
	unsigned int number;
	unsigned int count;
	uint64_t key;
	int fds[2];
};

static struct slot slots[SLOTS];
static unsigned char want[LONGEST], got[LONGEST];

static void corrupt(const struct slot *s, unsigned int i, const char *what)
{
	fprintf(stderr, "kload: CORRUPTION kind %d object %u of %u: %s\n",
		s->kind, i, s->count, what);
	exit(1);
}

/* The bytes of object @i of a slot into @want; how many there are. */
static size_t expect(const struct slot *s, unsigned int i, size_t longest)
{
	uint64_t x = mix(s->key + i * 2654435761ULL);
	size_t n = 1 + x % longest, at;

	for (at = 0; at < n; at++) {
		if (at % 8 == 0)
			x = mix(x + at);
		want[at] = x >> at % 8 * 8;
	}
	return n;
}

static void compare(const struct slot *s, unsigned int i, ssize_t n, size_t len)
{
	if (n < 0)
		die("read");
	if ((size_t)n != len || memcmp(want, got, len))
		corrupt(s, i, "its bytes differ");
	verified += len;
}

static void tree_name(char *name, size_t size, const struct slot *s)
{
	snprintf(name, size, "%s/kload.%d.%u", directory, (int)getpid(),
		 s->number);
}

/* Names long enough to be allocated on their own. */
static void file_name(char *name, size_t size, const struct slot *s,
		      unsigned int i)
{
	uint64_t x = mix(s->key ^ i);

	snprintf(name, size, "%u-%016llx%016llx%016llx", i,
		 (unsigned long long)x, (unsigned long long)mix(x + 1),
		 (unsigned long long)mix(x + 2));
}

static void tree_fill(struct slot *s)
{
	char dir[256], name[128], link[160];
	unsigned int i;
	int at;

	tree_name(dir, sizeof(dir), s);
	if (mkdir(dir, 0700))
		die(dir);
	at = open(dir, O_RDONLY | O_DIRECTORY);
	if (at < 0)
		die(dir);
	for (i = 0; i < s->count; i++) {
		size_t n = expect(s, i, 300);
		int fd;

		file_name(name, sizeof(name), s, i);
		fd = openat(at, name, O_WRONLY | O_CREAT | O_EXCL, 0600);
		if (fd < 0 || write(fd, want, n) != (ssize_t)n)
			die("file");
		close(fd);
		snprintf(link, sizeof(link), "l%u", i);
		if (symlinkat(name, at, link))
			die("symlink");
	}
	close(at);
}

static void tree_check(struct slot *s, int keep)
{
	char dir[256], name[128], link[160];
	unsigned int i;
	int at;

	tree_name(dir, sizeof(dir), s);
	at = open(dir, O_RDONLY | O_DIRECTORY);
	if (at < 0)
		corrupt(s, 0, "the directory is not there");
	for (i = 0; i < s->count; i++) {
		size_t n = expect(s, i, 300);
		ssize_t len;
		int fd;

		file_name(name, sizeof(name), s, i);
		snprintf(link, sizeof(link), "l%u", i);
		len = readlinkat(at, link, (char *)got, sizeof(got));
		if (len != (ssize_t)strlen(name) || memcmp(got, name, len))
			corrupt(s, i, "its link differs");
		fd = openat(at, name, O_RDONLY);
		if (fd < 0)
			corrupt(s, i, "its name is not there");
		compare(s, i, read(fd, got, sizeof(got)), n);
		close(fd);
		if (!keep && (unlinkat(at, name, 0) || unlinkat(at, link, 0)))
			die("unlink");
	}
	close(at);
	if (!keep && rmdir(dir))
		corrupt(s, s->count, "the directory is not empty");
}

static void pipe_fill(struct slot *s)
{
	unsigned int i;

	if (pipe(s->fds))
		die("pipe");
	for (i = 0; i < s->count; i++) {
		expect(s, i, LONGEST);
		if (write(s->fds[1], want, LONGEST) != LONGEST)
			die("pipe");
	}
}

static void pipe_check(struct slot *s)
{
	unsigned int i;

	for (i = 0; i < s->count; i++) {
		size_t n = expect(s, i, LONGEST);
		ssize_t len = read(s->fds[0], got, LONGEST);

		compare(s, i, len == LONGEST ? (ssize_t)n : len, n);
	}
}

/* Whether there are sockets: a kernel may be built without. */
static int socket_fill(struct slot *s)
{
	unsigned int i;

	if (socketpair(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0, s->fds)) {
		if (errno == ENOSYS || errno == EAFNOSUPPORT)
			return 0;
		die("socketpair");
	}
	for (i = 0; i < s->count; i++) {
		size_t n = expect(s, i, LONGEST);

		if (send(s->fds[1], want, n, 0) == (ssize_t)n)
			continue;
		if (errno != EAGAIN && errno != ENOBUFS)
			die("send");
		s->count = i;
	}
	return 1;
}

static void socket_check(struct slot *s)
{
	unsigned int i;

	for (i = 0; i < s->count; i++) {
		size_t n = expect(s, i, LONGEST);

		compare(s, i, recv(s->fds[0], got, LONGEST, 0), n);
	}
}

static void take(struct slot *s)
{
	static unsigned int number;

	s->kind = rnd() % KINDS;
	s->key = rnd();
	s->number = number++;
	s->used = 1;
	switch (s->kind) {
	case TREE:
		s->count = 1 + rnd() % FILES;
		tree_fill(s);
		allocated += s->count * 4096UL;
		break;
	case PIPE:
		s->count = PIPE_BYTES / LONGEST;
		pipe_fill(s);
		allocated += PIPE_BYTES;
		break;
	default:
		s->count = 1 + rnd() % MESSAGES;
		s->used = socket_fill(s);
		if (!s->used)
			break;
		allocated += (uint64_t)s->count * LONGEST;
	}
}

/* What can be looked at without taking it out is looked at more than once. */
static void look(struct slot *s)
{
	if (s->kind == TREE)
		tree_check(s, 1);
}

static void drop(struct slot *s)
{
	s->used = 0;
	if (s->kind == TREE) {
		tree_check(s, 0);
		return;
	}
	if (s->kind == PIPE)
		pipe_check(s);
	else
		socket_check(s);
	close(s->fds[0]);
	close(s->fds[1]);
}

/* As many slots as fit: a tree is about 400 KiB on average. */
static void work(time_t end, size_t bytes)
{
	size_t i, n = bytes / (400 << 10);

	n = n < 2 ? 2 : n > SLOTS ? SLOTS : n;
	while (!stop && time(NULL) < end) {
		struct slot *s = &slots[rnd() % n];

		if (!s->used)
			take(s);
		else if (rnd() % 4)
			drop(s);
		else
			look(s);
		/* Now and then everything at once, so that whole slabs go. */
		if (rnd() % 100 == 0)
			for (i = 0; i < n; i++)
				if (slots[i].used)
					drop(&slots[i]);
	}
	for (i = 0; i < n; i++)
		if (slots[i].used)
			drop(&slots[i]);
}

int main(int argc, char **argv)
{
	return run_load(argc, argv, work);
}
