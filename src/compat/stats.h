/* SPDX-License-Identifier: GPL-2.0 */
/* What kernels count, and the tags that their headers do not have yet. */
#ifndef _FPR_COMPAT_STATS_H
#define _FPR_COMPAT_STATS_H

#include <linux/mm.h>
#include <linux/virtio_balloon.h>
#include <linux/vmstat.h>

#include "fpr-conf.h"

/* Tags of 2024 (6.12); older kernels count the same. */
#ifndef VIRTIO_BALLOON_S_OOM_KILL
#define VIRTIO_BALLOON_S_OOM_KILL	10
#define VIRTIO_BALLOON_S_ALLOC_STALL	11
#define VIRTIO_BALLOON_S_ASYNC_SCAN	12
#define VIRTIO_BALLOON_S_DIRECT_SCAN	13
#define VIRTIO_BALLOON_S_ASYNC_RECLAIM	14
#define VIRTIO_BALLOON_S_DIRECT_RECLAIM	15
#endif

/* Pages scanned and reclaimed: with the events, since 7.0 per node. */
#if defined(FPR_HAVE_RECLAIM_NODE_STATS)
#define fpr_reclaim_pages(events, item) \
	((void)(events), global_node_page_state(item))
#elif defined(FPR_HAVE_RECLAIM_EVENTS)
#define fpr_reclaim_pages(events, item) ((events)[item])
#endif

/*
 * Base pages allocated since the machine was started, 0 where the kernel counts no
 * events.  all_vm_events() takes the CPU hotplug lock, which memory hotplug holds
 * when it calls notifiers; this takes none, and may be off for a moment when a CPU
 * goes, whose counts are added to another's.
 *
 * Source: mm/vmstat.c, vm_events_fold_cpu().
 */
static inline unsigned long fpr_allocated_pages(void)
{
	unsigned long pages = 0;
#ifdef CONFIG_VM_EVENT_COUNTERS
	unsigned int cpu, zone;

	for_each_possible_cpu(cpu)
		for (zone = 0; zone <= ZONE_MOVABLE; zone++)
			pages += READ_ONCE(per_cpu(vm_event_states, cpu)
					   .event[PGALLOC_NORMAL - ZONE_NORMAL + zone]);
#endif
	return pages;
}

#endif /* _FPR_COMPAT_STATS_H */
