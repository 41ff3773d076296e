// SPDX-License-Identifier: GPL-2.0
/*
 * Fragments free memory: touches as much as it may, and frees one piece of it in
 * so many.
 *
 * usage: fragment RESERVE_MIB [PIECE_KIB [EVERY]]
 *
 * All memory that is available but for RESERVE_MIB is touched, in base pages.
 * Then one PIECE_KIB (64) in EVERY (2) of it is given back, "fragmented KEPT_KIB"
 * is printed, and the rest is kept until standard input ends or a signal comes.
 * Each character read gives the next piece of each EVERY back, but the last.
 */
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "meminfo.h"

#define PAGE 4096UL

int main(int argc, char **argv)
{
	unsigned long reserve, piece, every, bytes, at, freed;
	char *mem, byte;

	reserve = argc > 1 ? strtoul(argv[1], NULL, 10) << 10 : 0;
	piece = (argc > 2 ? strtoul(argv[2], NULL, 10) : 64) << 10;
	every = argc > 3 ? strtoul(argv[3], NULL, 10) : 2;
	if (!reserve || !piece || every < 2 || argc > 4) {
		fprintf(stderr, "usage: fragment RESERVE_MIB [PIECE_KIB [EVERY]]\n");
		return 2;
	}
	if (available_kib() <= reserve) {
		fprintf(stderr, "fragment: no more than %lu KiB are available\n",
			available_kib());
		return 1;
	}
	bytes = ((available_kib() - reserve) << 10) / (every * piece) * (every * piece);
	mem = mmap(NULL, bytes, PROT_READ | PROT_WRITE,
		   MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (mem == MAP_FAILED) {
		perror("fragment: mmap");
		return 1;
	}
	/* Fails on a kernel without huge pages, which is as good. */
	madvise(mem, bytes, MADV_NOHUGEPAGE);
	for (at = 0; at < bytes; at += PAGE)
		mem[at] = 1;
	for (freed = 0; freed + 1 < every; freed++) {
		for (at = freed * piece; at < bytes; at += every * piece)
			if (madvise(mem + at, piece, MADV_DONTNEED)) {
				perror("fragment: madvise");
				return 1;
			}
		printf("fragmented %lu\n", (bytes - bytes / every * (freed + 1)) >> 10);
		fflush(stdout);
		if (read(0, &byte, 1) <= 0)
			return 0;
	}
	while (read(0, &byte, 1) > 0)
		;
	return 0;
}
