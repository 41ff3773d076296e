// SPDX-License-Identifier: GPL-2.0
/*
 * Makes the kernel need memory for itself: empty files, whose inodes and names it keeps.
 *
 * usage: manyfiles FOLDER NUMBER
 *
 * Exit status 1 if there is no room for all of them.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	long number, i;

	if (argc != 3 || chdir(argv[1])) {
		fprintf(stderr, "usage: manyfiles FOLDER NUMBER\n");
		return 2;
	}
	number = atol(argv[2]);
	for (i = 0; i < number; i++) {
		char name[24];
		int fd;

		snprintf(name, sizeof(name), "%ld", i);
		fd = open(name, O_CREAT | O_WRONLY, 0600);
		if (fd < 0) {
			perror(name);
			return 1;
		}
		close(fd);
	}
	return 0;
}
