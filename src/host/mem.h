/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Guest memory as a VMM hands it over: regions, each a part of a file that is
 * mapped here.  Knows no protocol.
 */
#ifndef FPR_HOST_MEM_H
#define FPR_HOST_MEM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Most regions of a guest: what vhost-user announces, and a bound for vfio-user. */
#define MEM_MAX_REGIONS	512

/**
 * struct mem_region - a part of guest memory
 * @gpa: guest physical address, bytes
 * @size: bytes
 * @uva: address in the VMM's address space, which names ring addresses in
 *	vhost-user; 0 where the protocol has none
 * @offset: where it begins in the file, bytes
 * @fd: the file; owned by the region
 * @map: where it is mapped here
 * @page_size: smallest piece of the file that can be discarded, bytes: the page
 *	size, or that of hugetlbfs
 */
struct mem_region {
	uint64_t gpa;
	uint64_t size;
	uint64_t uva;
	uint64_t offset;
	int fd;
	uint8_t *map;
	uint64_t page_size;
};

/**
 * struct mem - the memory of one guest; regions in address order, no overlaps
 */
struct mem {
	struct mem_region regions[MEM_MAX_REGIONS];
	unsigned int nr;
};

void mem_init(struct mem *mem);

/**
 * mem_add() - map a region
 * @mem: memory
 * @gpa: guest physical address
 * @size: bytes
 * @uva: see &struct mem_region
 * @offset: see &struct mem_region
 * @fd: the file; taken over on success, left to the caller on failure
 *
 * Everything comes from a peer and is checked: alignment, wrap-around, overlap,
 * the size of the file.
 * Return: 0; -EINVAL, -EEXIST (overlap), -ENOSPC (too many) or the errno of mmap.
 */
int mem_add(struct mem *mem, uint64_t gpa, uint64_t size, uint64_t uva,
	    uint64_t offset, int fd);

/**
 * mem_remove() - unmap the region that is exactly there, and close its file
 * Return: 0 or -ENOENT.
 */
int mem_remove(struct mem *mem, uint64_t gpa, uint64_t size);

/* Unmap all. */
void mem_clear(struct mem *mem);

/* The region that contains a guest address, or NULL. */
const struct mem_region *mem_find(const struct mem *mem, uint64_t gpa);

/* Where [gpa, gpa + len) is mapped; NULL unless it lies in one region. */
void *mem_at(const struct mem *mem, uint64_t gpa, uint64_t len);

/* The same for an address in the VMM's address space. */
void *mem_at_uva(const struct mem *mem, uint64_t uva, uint64_t len);

/* The largest page size of all regions, at least the system's. */
uint64_t mem_granule(const struct mem *mem);

#endif /* FPR_HOST_MEM_H */
