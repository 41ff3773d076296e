// SPDX-License-Identifier: GPL-2.0
/* Guest memory as the VMM hands it over: the whole table, or region by region. */
#include <errno.h>
#include <inttypes.h>
#include <stddef.h>

#include "log.h"
#include "vhost_user_int.h"

static int add_region(struct vhost_user *vu, const struct vhost_user_region *region,
		      int *fd)
{
	int err = mem_add(&vu->dev->mem, region->gpa, region->size, region->uva,
			  region->offset, *fd);

	if (err) {
		log_warn("memory region refused gpa=%#" PRIx64 " size=%" PRIu64
			 " offset=%#" PRIx64 " errno=%d",
			 region->gpa, region->size, region->offset, -err);
		return err;
	}
	*fd = -1;
	log_debug("memory region added gpa=%#" PRIx64 " size=%" PRIu64,
		  region->gpa, region->size);
	return 0;
}

static void memory_changed(struct vhost_user *vu)
{
	vu->dev->ops->mem_changed(vu->dev);
	vhost_user_resume_all(vu);
}

enum vhost_user_result vhost_user_set_mem_table(struct vhost_user *vu)
{
	const struct vhost_user_mem_table *table = &vu->msg.payload.table;
	const size_t header = offsetof(struct vhost_user_mem_table, regions);
	bool fit = true;

	if (table->nr > VHOST_USER_MAX_FDS || table->nr != vu->msg.nr_fds)
		return vhost_user_bad(vu, "not as many files as regions");
	if (vu->msg.header.size != header + table->nr * sizeof(table->regions[0]))
		return vhost_user_bad(vu, "length and number of regions differ");
	/* The rings' addresses hold only as long as their memory is mapped. */
	vhost_user_pause_all(vu);
	mem_clear(&vu->dev->mem);
	for (unsigned int i = 0; i < table->nr && fit; i++)
		fit = !add_region(vu, &table->regions[i], &vu->msg.fds[i]);
	memory_changed(vu);
	return fit ? VU_DONE : vhost_user_bad(vu, "a region cannot be used");
}

enum vhost_user_result vhost_user_add_mem_reg(struct vhost_user *vu)
{
	if (add_region(vu, &vu->msg.payload.reg.region, &vu->msg.fds[0]))
		return vhost_user_bad(vu, "the region cannot be used");
	memory_changed(vu);
	return VU_DONE;
}

enum vhost_user_result vhost_user_rem_mem_reg(struct vhost_user *vu)
{
	const struct vhost_user_region *region = &vu->msg.payload.reg.region;
	const struct mem_region *known = mem_find(&vu->dev->mem, region->gpa);

	if (!known || known->gpa != region->gpa || known->uva != region->uva ||
	    known->size != region->size)
		return vhost_user_bad(vu, "no such region");
	vhost_user_pause_all(vu);
	mem_remove(&vu->dev->mem, region->gpa, region->size);
	log_debug("memory region removed gpa=%#" PRIx64 " size=%" PRIu64,
		  region->gpa, region->size);
	memory_changed(vu);
	return VU_DONE;
}
