// SPDX-License-Identifier: GPL-2.0
/*
 * Changes names in a file: each string that is OLD, from its beginning to its end,
 * becomes NEW, of the same length.
 *
 * usage: rename FILE OLD NEW
 *
 * Fails unless there is one, and no more.
 */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>

int main(int argc, char **argv)
{
	struct stat st;
	size_t n, i;
	int fd, found = 0;
	char *text;

	if (argc != 4 || strlen(argv[2]) != strlen(argv[3])) {
		fprintf(stderr, "usage: rename FILE OLD NEW (of the same length)\n");
		return 2;
	}
	n = strlen(argv[2]) + 1;
	fd = open(argv[1], O_RDWR);
	if (fd < 0 || fstat(fd, &st)) {
		perror(argv[1]);
		return 1;
	}
	text = mmap(NULL, st.st_size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (text == MAP_FAILED) {
		perror(argv[1]);
		return 1;
	}
	for (i = 1; i + n <= (size_t)st.st_size; i++) {
		if (text[i - 1] || memcmp(text + i, argv[2], n))
			continue;
		memcpy(text + i, argv[3], n);
		found++;
	}
	return found == 1 ? 0 : 1;
}
