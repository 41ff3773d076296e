// SPDX-License-Identifier: GPL-2.0
/*
 * Fills memory with pages that the kernel cannot move, in pipes of 1 MiB, and gives half
 * of it back, so that nearly no pageblock is free as a whole.
 *
 * usage: pinned MIB EVERY
 *
 * Prints "filled"; after a character on standard input closes EVERY pipes of each twice
 * as many, and prints "halved"; keeps the rest until standard input ends.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

#define PIPES 2048
#define PIPE_BYTES (1 << 20)

static int pipes[PIPES][2];

static int fill(int *ends)
{
	static char page[4096];
	int room = PIPE_BYTES;

	if (pipe(ends) || fcntl(ends[1], F_SETPIPE_SZ, PIPE_BYTES) < 0 ||
	    fcntl(ends[1], F_SETFL, O_NONBLOCK))
		return -1;
	for (; room; room -= sizeof(page))
		if (write(ends[1], page, sizeof(page)) < 0)
			return -1;
	return 0;
}

static int say(const char *text)
{
	char byte;

	puts(text);
	fflush(stdout);
	return read(0, &byte, 1) == 1;
}

int main(int argc, char **argv)
{
	struct rlimit many = { 2 * PIPES + 16, 2 * PIPES + 16 };
	int mib = argc == 3 ? atoi(argv[1]) : 0, every = argc == 3 ? atoi(argv[2]) : 0, i;

	if (mib < 1 || mib > PIPES || every < 1) {
		fprintf(stderr, "usage: pinned MIB EVERY; at most %d MiB\n", PIPES);
		return 2;
	}
	setrlimit(RLIMIT_NOFILE, &many);
	for (i = 0; i < mib; i++)
		if (fill(pipes[i])) {
			perror("pinned");
			return 1;
		}
	if (!say("filled"))
		return 0;
	for (i = 0; i < mib; i++)
		if (i / every % 2) {
			close(pipes[i][0]);
			close(pipes[i][1]);
		}
	while (say("halved"))
		;
	return 0;
}
