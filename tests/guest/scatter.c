// SPDX-License-Identifier: GPL-2.0
/*
 * Leaves free memory in single pages: takes MIB of memory, gives every fourth
 * page of it back, and keeps the rest until it is killed.
 *
 * usage: scatter MIB
 *
 * Says "scattered" when it has done so.
 */
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#define MIB	(1UL << 20)
#define PAGE	4096UL

int main(int argc, char **argv)
{
	unsigned long size, at;
	char *mem;

	if (argc != 2) {
		fprintf(stderr, "usage: scatter MIB\n");
		return 2;
	}
	size = strtoul(argv[1], NULL, 0) * MIB;
	mem = mmap(NULL, size, PROT_READ | PROT_WRITE,
		   MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (mem == MAP_FAILED) {
		perror("scatter");
		return 1;
	}
	/* A huge page would come back in one piece. */
	madvise(mem, size, MADV_NOHUGEPAGE);
	for (at = 0; at < size; at += PAGE)
		mem[at] = 1;
	for (at = 0; at < size; at += 4 * PAGE)
		if (madvise(mem + at, PAGE, MADV_DONTNEED)) {
			perror("scatter");
			return 1;
		}
	puts("scattered");
	fflush(stdout);
	for (;;)
		pause();
}
