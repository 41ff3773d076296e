// SPDX-License-Identifier: GPL-2.0
/* Guest memory as a VMM hands it over; see mem.h. */
#define _GNU_SOURCE
#include "mem.h"

#include <errno.h>
#include <linux/magic.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

_Static_assert(sizeof(size_t) == sizeof(uint64_t), "regions are mapped whole");

static uint64_t system_page_size(void)
{
	return (uint64_t)sysconf(_SC_PAGESIZE);
}

static bool overlap(uint64_t a, uint64_t b, uint64_t a_size, uint64_t b_size)
{
	return a < b + b_size && b < a + a_size;
}

/* Both ends are addresses: the very last byte of the space is not used. */
static bool wraps(uint64_t start, uint64_t size)
{
	return start + size < start;
}

void mem_init(struct mem *mem)
{
	mem->nr = 0;
}

static int check_file(int fd, uint64_t offset, uint64_t size,
		      uint64_t *page_size)
{
	struct stat st;
	struct statfs fs;

	if (fstat(fd, &st) || fstatfs(fd, &fs))
		return -errno;
	/* Nothing else has both pages to map and holes to punch. */
	if (!S_ISREG(st.st_mode))
		return -EINVAL;
	if ((uint64_t)st.st_size < size || (uint64_t)st.st_size - size < offset)
		return -EINVAL;
	*page_size = system_page_size();
	if (fs.f_type == HUGETLBFS_MAGIC)
		*page_size = (uint64_t)fs.f_bsize;
	return 0;
}

/*
 * hugetlbfs maps whole pages only, while a VMM may cut a region anywhere (around
 * the VGA hole, for one): then the mapping is larger than the region, by @head
 * bytes in front.
 */
static uint64_t map_head(const struct mem_region *r)
{
	return r->offset & (r->page_size - 1);
}

static uint64_t map_size(const struct mem_region *r)
{
	return (map_head(r) + r->size + r->page_size - 1) & ~(r->page_size - 1);
}

static int map_region(struct mem_region *r)
{
	uint8_t *map = mmap(NULL, map_size(r), PROT_READ | PROT_WRITE,
			    MAP_SHARED | MAP_NORESERVE, r->fd,
			    (off_t)(r->offset - map_head(r)));

	if (map == MAP_FAILED)
		return -errno;
	/* A core file of this program is no place for a guest's memory. */
	madvise(map, map_size(r), MADV_DONTDUMP);
	r->map = map + map_head(r);
	return 0;
}

static void unmap_region(const struct mem_region *r)
{
	munmap(r->map - map_head(r), map_size(r));
	close(r->fd);
}

int mem_add(struct mem *mem, uint64_t gpa, uint64_t size, uint64_t uva,
	    uint64_t offset, int fd)
{
	struct mem_region region = {
		.gpa = gpa, .size = size, .uva = uva, .offset = offset, .fd = fd,
	};
	unsigned int i;
	int err;

	if (!size || (gpa | size | offset) & (system_page_size() - 1) ||
	    wraps(gpa, size) || wraps(uva, size) || wraps(offset, size))
		return -EINVAL;
	if (mem->nr == MEM_MAX_REGIONS)
		return -ENOSPC;
	for (i = 0; i < mem->nr; i++) {
		const struct mem_region *r = &mem->regions[i];

		if (overlap(gpa, r->gpa, size, r->size))
			return -EEXIST;
		if (uva && r->uva && overlap(uva, r->uva, size, r->size))
			return -EEXIST;
	}
	err = check_file(fd, offset, size, &region.page_size);
	if (!err)
		err = map_region(&region);
	if (err)
		return err;

	for (i = mem->nr; i > 0 && mem->regions[i - 1].gpa > gpa; i--)
		mem->regions[i] = mem->regions[i - 1];
	mem->regions[i] = region;
	mem->nr++;
	return 0;
}

int mem_remove(struct mem *mem, uint64_t gpa, uint64_t size)
{
	const struct mem_region *r = mem_find(mem, gpa);
	size_t i;

	if (!r || r->gpa != gpa || r->size != size)
		return -ENOENT;
	unmap_region(r);
	i = (size_t)(r - mem->regions);
	mem->nr--;
	memmove(&mem->regions[i], &mem->regions[i + 1],
		(mem->nr - i) * sizeof(mem->regions[0]));
	return 0;
}

void mem_clear(struct mem *mem)
{
	while (mem->nr)
		unmap_region(&mem->regions[--mem->nr]);
}

const struct mem_region *mem_find(const struct mem *mem, uint64_t gpa)
{
	unsigned int low = 0, high = mem->nr;

	while (low < high) {
		unsigned int mid = (low + high) / 2;
		const struct mem_region *r = &mem->regions[mid];

		if (gpa >= r->gpa && gpa - r->gpa < r->size)
			return r;
		if (gpa < r->gpa)
			high = mid;
		else
			low = mid + 1;
	}
	return NULL;
}

void *mem_at(const struct mem *mem, uint64_t gpa, uint64_t len)
{
	const struct mem_region *r = mem_find(mem, gpa);

	if (!r || len > r->size - (gpa - r->gpa))
		return NULL;
	return r->map + (gpa - r->gpa);
}

/* Rings are set up rarely, so there is no second order to search in. */
void *mem_at_uva(const struct mem *mem, uint64_t uva, uint64_t len)
{
	unsigned int i;

	for (i = 0; i < mem->nr; i++) {
		const struct mem_region *r = &mem->regions[i];

		if (!r->uva || uva < r->uva || uva - r->uva >= r->size)
			continue;
		if (len <= r->size - (uva - r->uva))
			return r->map + (uva - r->uva);
		break;
	}
	return NULL;
}

uint64_t mem_granule(const struct mem *mem)
{
	uint64_t granule = system_page_size();
	unsigned int i;

	for (i = 0; i < mem->nr; i++)
		if (mem->regions[i].page_size > granule)
			granule = mem->regions[i].page_size;
	return granule;
}
