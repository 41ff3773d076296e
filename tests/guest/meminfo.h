/* SPDX-License-Identifier: GPL-2.0 */
/* What the kernel says of its memory. */
#ifndef _GUEST_MEMINFO_H
#define _GUEST_MEMINFO_H

#include <stdio.h>

/* What can be had without swapping; 0 if the kernel does not say. */
static unsigned long available_kib(void)
{
	unsigned long kib = 0;
	char line[128];
	FILE *file = fopen("/proc/meminfo", "r");

	while (file && fgets(line, sizeof(line), file))
		if (sscanf(line, "MemAvailable: %lu", &kib) == 1)
			break;
	if (file)
		fclose(file);
	return kib;
}

#endif /* _GUEST_MEMINFO_H */
