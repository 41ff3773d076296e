// SPDX-License-Identifier: GPL-2.0
/*
 * The statistics queue: the driver leaves a buffer with the device, the device
 * returns it when the host wants new figures.
 *
 * Source: virtio 1.2, section 5.5.6.3 (Memory Statistics).
 */
#include <linux/mm.h>
#include <linux/scatterlist.h>
#include <linux/virtio_config.h>
#include <linux/vmstat.h>
#include <linux/workqueue.h>

#include "../compat/stats.h"
#include "driver.h"

static unsigned int add(struct vfpr *vf, unsigned int n, u16 tag, u64 value)
{
	vf->stats[n].tag = cpu_to_virtio16(vf->vdev, tag);
	vf->stats[n].val = cpu_to_virtio64(vf->vdev, value);
	return n + 1;
}

static u64 bytes(unsigned long pages)
{
	return (u64)pages << PAGE_SHIFT;
}

#ifdef CONFIG_VM_EVENT_COUNTERS
/* Allocations that had to reclaim by themselves; counted for each zone. */
static u64 stalls(const unsigned long *ev)
{
	unsigned int zone;
	u64 sum = 0;

	for (zone = 0; zone < MAX_NR_ZONES; zone++)
		sum += ev[ALLOCSTALL_NORMAL - ZONE_NORMAL + zone];
	return sum;
}

static unsigned int add_pressure(struct vfpr *vf, unsigned int n,
				 const unsigned long *ev)
{
	n = add(vf, n, VIRTIO_BALLOON_S_OOM_KILL, ev[OOM_KILL]);
	n = add(vf, n, VIRTIO_BALLOON_S_ALLOC_STALL, stalls(ev));
	n = add(vf, n, VIRTIO_BALLOON_S_ASYNC_SCAN,
		bytes(fpr_reclaim_pages(ev, PGSCAN_KSWAPD)));
	n = add(vf, n, VIRTIO_BALLOON_S_DIRECT_SCAN,
		bytes(fpr_reclaim_pages(ev, PGSCAN_DIRECT)));
	n = add(vf, n, VIRTIO_BALLOON_S_ASYNC_RECLAIM,
		bytes(fpr_reclaim_pages(ev, PGSTEAL_KSWAPD)));
	return add(vf, n, VIRTIO_BALLOON_S_DIRECT_RECLAIM,
		   bytes(fpr_reclaim_pages(ev, PGSTEAL_DIRECT)));
}
#endif

static unsigned int add_events(struct vfpr *vf, unsigned int n)
{
#ifdef CONFIG_VM_EVENT_COUNTERS
	unsigned long ev[NR_VM_EVENT_ITEMS];

	all_vm_events(ev);
	n = add(vf, n, VIRTIO_BALLOON_S_SWAP_IN, bytes(ev[PSWPIN]));
	n = add(vf, n, VIRTIO_BALLOON_S_SWAP_OUT, bytes(ev[PSWPOUT]));
	n = add(vf, n, VIRTIO_BALLOON_S_MAJFLT, ev[PGMAJFAULT]);
	n = add(vf, n, VIRTIO_BALLOON_S_MINFLT, ev[PGFAULT]);
#ifdef CONFIG_HUGETLB_PAGE
	n = add(vf, n, VIRTIO_BALLOON_S_HTLB_PGALLOC,
		ev[HTLB_BUDDY_PGALLOC]);
	n = add(vf, n, VIRTIO_BALLOON_S_HTLB_PGFAIL,
		ev[HTLB_BUDDY_PGALLOC_FAIL]);
#endif
	n = add_pressure(vf, n, ev);
#endif
	return n;
}

static unsigned int collect(struct vfpr *vf)
{
	unsigned int n = add_events(vf, 0);
	struct sysinfo info;

	si_meminfo(&info);
	n = add(vf, n, VIRTIO_BALLOON_S_MEMFREE, bytes(info.freeram));
	n = add(vf, n, VIRTIO_BALLOON_S_MEMTOT, bytes(info.totalram));
	n = add(vf, n, VIRTIO_BALLOON_S_AVAIL, bytes(si_mem_available()));
	n = add(vf, n, VIRTIO_BALLOON_S_CACHES,
		bytes(global_node_page_state(NR_FILE_PAGES)));
	return n;
}

/*
 * Hand the buffer to the device; it is in the driver's hands now.  The figures are
 * collected without the lock, for which a report with memory may be waiting.
 */
static void send(struct vfpr *vf)
{
	struct virtqueue *vq = vf->vqs[VFPR_STATS];
	struct scatterlist sg;

	sg_init_one(&sg, vf->stats, collect(vf) * sizeof(vf->stats[0]));
	mutex_lock(&vf->lock);
	if (!vf->gone && !virtqueue_add_outbuf(vq, &sg, 1, vf, GFP_KERNEL))
		virtqueue_kick(vq);
	mutex_unlock(&vf->lock);
}

static void stats_work(struct work_struct *work)
{
	struct vfpr *vf = container_of(work, struct vfpr, stats_work);
	unsigned int len;

	bool returned;

	mutex_lock(&vf->lock);
	/* After a reset there is no queue, or will be none soon. */
	returned = !vf->gone && virtqueue_get_buf(vf->vqs[VFPR_STATS], &len);
	mutex_unlock(&vf->lock);
	if (returned)
		send(vf);
}

void vfpr_stats_requested(struct virtqueue *vq)
{
	struct vfpr *vf = vq->vdev->priv;

	queue_work(system_freezable_wq, &vf->stats_work);
}

void vfpr_stats_init(struct vfpr *vf)
{
	INIT_WORK(&vf->stats_work, stats_work);
}

/**
 * vfpr_stats_start() - leave the first buffer with the device
 * @vf: device that is ready
 *
 * Context: process context, may sleep.
 */
void vfpr_stats_start(struct vfpr *vf)
{
	if (vf->vqs[VFPR_STATS])
		send(vf);
}
