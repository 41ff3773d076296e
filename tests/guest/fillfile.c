// SPDX-License-Identifier: GPL-2.0
/*
 * fillfile FILE MIB: writes a file of that size, waits for a line on standard
 * input, deletes the file.  Prints "filled", "delete-begin" and "delete-end".
 *
 * One program without fork: a process that starts while the memory is full takes
 * its pages from between the file's, and each keeps a whole block from coming
 * back.  That would be measured as a slow last per cent of whatever driver.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define MIB (1024L * 1024)

static char buffer[MIB];

static void say(const char *text)
{
	if (write(STDOUT_FILENO, text, strlen(text)) < 0)
		_exit(1);
}

static int fill(const char *path, long mib)
{
	int fd = open(path, O_CREAT | O_TRUNC | O_WRONLY, 0600);

	if (fd < 0) {
		perror(path);
		return 1;
	}
	while (mib--) {
		if (write(fd, buffer, MIB) != MIB) {
			perror("write");
			return 1;
		}
	}
	sync();
	return close(fd);
}

int main(int argc, char **argv)
{
	char line[64];

	if (argc != 3) {
		fprintf(stderr, "usage: fillfile FILE MIB\n");
		return 2;
	}
	/* Touched now and kept: nothing is allocated later. */
	memset(buffer, 0, sizeof(buffer));
	if (mlockall(MCL_CURRENT))
		perror("mlockall");
	if (fill(argv[1], atol(argv[2])))
		return 1;
	say("filled\n");
	if (read(STDIN_FILENO, line, sizeof(line)) <= 0)
		return 1;
	say("delete-begin\n");
	if (unlink(argv[1])) {
		perror("unlink");
		return 1;
	}
	say("delete-end\n");
	/* Stay, so that the end of a process does not blur the picture. */
	return read(STDIN_FILENO, line, sizeof(line)) <= 0;
}
