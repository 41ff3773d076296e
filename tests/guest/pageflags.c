// SPDX-License-Identifier: GPL-2.0
/*
 * What the kernel says of a page.
 *
 * usage: pageflags first NAME [PFN]	the first page, from PFN on, that is NAME
 *	  pageflags of PFN		the names that hold for a page
 *
 * Names: buddy, anon, lru, hwpoison, offline (include/uapi/linux/kernel-page-flags.h).
 */
#include <fcntl.h>
#include <linux/kernel-page-flags.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#ifndef KPF_OFFLINE
#define KPF_OFFLINE 23
#endif

static const struct {
	const char *name;
	unsigned int bit;
} names[] = {
	{ "buddy", KPF_BUDDY },
	{ "anon", KPF_ANON },
	{ "lru", KPF_LRU },
	{ "hwpoison", KPF_HWPOISON },
	{ "offline", KPF_OFFLINE },
};

#define NAMES (sizeof(names) / sizeof(names[0]))

static int first(int file, const char *name, uint64_t pfn)
{
	static uint64_t flags[4096];
	unsigned int n = 0;

	while (n < NAMES && strcmp(names[n].name, name))
		n++;
	if (n == NAMES)
		return 2;
	for (;;) {
		ssize_t got = pread(file, flags, sizeof(flags), pfn * 8);
		ssize_t i;

		if (got <= 0)
			return 1;
		for (i = 0; i < got / 8; i++, pfn++)
			if (flags[i] >> names[n].bit & 1) {
				printf("%llu\n", (unsigned long long)pfn);
				return 0;
			}
	}
}

static int of(int file, uint64_t pfn)
{
	uint64_t flags;
	unsigned int n;

	if (pread(file, &flags, sizeof(flags), pfn * 8) != sizeof(flags))
		return 1;
	for (n = 0; n < NAMES; n++)
		if (flags >> names[n].bit & 1)
			printf("%s ", names[n].name);
	printf("\n");
	return 0;
}

int main(int argc, char **argv)
{
	int file = open("/proc/kpageflags", O_RDONLY);

	if (file < 0) {
		perror("pageflags: /proc/kpageflags");
		return 1;
	}
	if (argc >= 3 && !strcmp(argv[1], "first"))
		return first(file, argv[2], argc > 3 ? strtoull(argv[3], NULL, 0) : 0);
	if (argc == 3 && !strcmp(argv[1], "of"))
		return of(file, strtoull(argv[2], NULL, 0));
	fprintf(stderr, "usage: pageflags first NAME [PFN] | of PFN\n");
	return 2;
}
