// SPDX-License-Identifier: GPL-2.0
/* Memory that the client names, and takes back. */
#include <errno.h>
#include <string.h>

#include "log.h"
#include "vfio_user_int.h"

/*
 * Whether two pieces of memory share a byte.  None wraps: that is checked when it
 * is named.
 */
static bool overlap(const struct vfio_user_window *a, uint64_t address,
		    uint64_t size)
{
	return a->address < address + size && address < a->address + a->size;
}

static int check_window(const struct vfio_user *vu, uint64_t address, uint64_t size)
{
	if (!size || address + size < address)
		return -EINVAL;
	for (unsigned int i = 0; i < vu->nr_windows; i++)
		if (overlap(&vu->windows[i], address, size))
			return -EEXIST;
	return vu->nr_windows < MEM_MAX_REGIONS ? 0 : -ENOSPC;
}

/* Takes the file on success. */
static bool add_memory(struct vfio_user *vu, const struct vfio_user_dma_map *map)
{
	int error;

	virtio_pci_mem_begin(&vu->vp);
	error = mem_add(&vu->vp.dev->mem, map->address, map->size, 0, map->offset,
			vu->fds[0]);
	if (!error)
		vfio_user_take_fd(vu, 0);
	virtio_pci_mem_end(&vu->vp);
	if (error)
		log_warn("memory of the guest cannot be used, nothing in it will be discarded gpa=0x%llx size=%llu offset=%llu errno=%d",
			 (unsigned long long)map->address,
			 (unsigned long long)map->size,
			 (unsigned long long)map->offset, -error);
	return !error;
}

int vfio_user_map(struct vfio_user *vu, const char **why)
{
	struct vfio_user_dma_map map;
	bool usable;
	int error;

	if (vfio_user_payload_size(vu) < sizeof(map) || vu->nr_fds > 1) {
		*why = "a DMA_MAP of a wrong size, or with several files";
		return VFIO_USER_FATAL;
	}
	memcpy(&map, vu->payload, sizeof(map));
	if (map.argsz < sizeof(map) ||
	    map.flags & ~(VFIO_USER_DMA_READABLE | VFIO_USER_DMA_WRITABLE))
		return -EINVAL;
	error = check_window(vu, map.address, map.size);
	if (error)
		return error;

	/*
	 * ROM, memory of other devices and what is not shared: no guest asks for it
	 * to be discarded, and if one does it is refused.  The same goes for a file
	 * that cannot be mapped, since a VMM that is told of an error gives up.
	 */
	usable = vu->nr_fds && map.flags & VFIO_USER_DMA_WRITABLE &&
		 add_memory(vu, &map);
	log_debug("memory named gpa=0x%llx size=%llu usable=%d",
		  (unsigned long long)map.address,
		  (unsigned long long)map.size, usable);
	vu->windows[vu->nr_windows++] = (struct vfio_user_window) {
		.address = map.address,
		.size = map.size,
		.usable = usable,
	};
	return 0;
}

static void remove_window(struct vfio_user *vu, unsigned int i)
{
	const struct vfio_user_window *window = &vu->windows[i];

	if (window->usable) {
		virtio_pci_mem_begin(&vu->vp);
		mem_remove(&vu->vp.dev->mem, window->address, window->size);
		virtio_pci_mem_end(&vu->vp);
	}
	vu->windows[i] = vu->windows[--vu->nr_windows];
}

void vfio_user_unmap_all(struct vfio_user *vu)
{
	while (vu->nr_windows)
		remove_window(vu, vu->nr_windows - 1);
}

int vfio_user_unmap(struct vfio_user *vu, void *reply, const char **why)
{
	struct vfio_user_dma_unmap unmap;
	unsigned int i;

	if (vfio_user_payload_size(vu) < sizeof(unmap) || vu->nr_fds) {
		*why = "a DMA_UNMAP of a wrong size, or with a file";
		return VFIO_USER_FATAL;
	}
	memcpy(&unmap, vu->payload, sizeof(unmap));
	if (unmap.argsz < sizeof(unmap))
		return -EINVAL;
	if (unmap.flags == VFIO_USER_DMA_UNMAP_ALL && !unmap.address &&
	    !unmap.size) {
		vfio_user_unmap_all(vu);
	} else {
		if (unmap.flags)
			return -EOPNOTSUPP;
		for (i = 0; i < vu->nr_windows; i++)
			if (vu->windows[i].address == unmap.address &&
			    vu->windows[i].size == unmap.size)
				break;
		if (i == vu->nr_windows)
			return -ENOENT;
		remove_window(vu, i);
	}
	unmap.argsz = sizeof(unmap);
	memcpy(reply, &unmap, sizeof(unmap));
	return sizeof(unmap);
}
