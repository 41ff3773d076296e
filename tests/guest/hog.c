// SPDX-License-Identifier: GPL-2.0
/*
 * Takes memory up to a limit, keeps it, and checks that it is as it was written.
 *
 * usage: hog MIB MILLISECONDS [RESERVE_KIB]
 *
 * With RESERVE_KIB it stops where no more than that is available, to the kernel's
 * own count.  Exit status 0, 1 for a wrong byte.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "meminfo.h"

#define MIB (1UL << 20)

int main(int argc, char **argv)
{
	unsigned long mib, reserve, taken, i;
	uint64_t *mem;

	if (argc < 3) {
		fprintf(stderr, "usage: hog MIB MILLISECONDS [RESERVE_KIB]\n");
		return 2;
	}
	mib = strtoul(argv[1], NULL, 0);
	reserve = argc > 3 ? strtoul(argv[3], NULL, 0) : 0;
	mem = mmap(NULL, mib * MIB, PROT_READ | PROT_WRITE,
		   MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (mem == MAP_FAILED) {
		perror("hog");
		return 2;
	}
	for (taken = 0; taken < mib; taken++) {
		if (reserve && available_kib() < reserve + 1024)
			break;
		for (i = 0; i < MIB / 4096; i++)
			mem[(taken * MIB + i * 4096) / 8] = ~(taken * 256 + i);
	}
	usleep(strtoul(argv[2], NULL, 0) * 1000);
	for (i = 0; i < taken * 256; i++)
		if (mem[i * 512] != ~i) {
			fprintf(stderr, "hog: CORRUPTION in page %lu of %lu\n",
				i, taken * 256);
			return 1;
		}
	printf("hog: %lu MiB\n", taken);
	return 0;
}
