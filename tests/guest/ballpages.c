// SPDX-License-Identifier: GPL-2.0
/*
 * Counts the ballooned base pages in a range of physical memory, by the kernel's
 * own flags.
 *
 * usage: ballpages FROM_MIB TO_MIB
 */
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* Pages that are no memory of the guest's for now (linux/kernel-page-flags.h) */
#define KPF_OFFLINE	23

#define PAGES_PER_MIB	256

int main(int argc, char **argv)
{
	unsigned long pfn, from, to, pages = 0;
	uint64_t flags[PAGES_PER_MIB];
	ssize_t n;
	int fd, i;

	if (argc != 3) {
		fprintf(stderr, "usage: ballpages FROM_MIB TO_MIB\n");
		return 2;
	}
	from = strtoul(argv[1], NULL, 0) * PAGES_PER_MIB;
	to = strtoul(argv[2], NULL, 0) * PAGES_PER_MIB;
	fd = open("/proc/kpageflags", O_RDONLY);
	if (fd < 0) {
		perror("ballpages: /proc/kpageflags");
		return 1;
	}
	for (pfn = from; pfn < to; pfn += n / sizeof(flags[0])) {
		n = pread(fd, flags, sizeof(flags), pfn * sizeof(flags[0]));
		if (n < (ssize_t)sizeof(flags[0]))
			break;
		for (i = 0; i < (int)(n / sizeof(flags[0])); i++)
			pages += flags[i] >> KPF_OFFLINE & 1;
	}
	printf("%lu\n", pages);
	return 0;
}
