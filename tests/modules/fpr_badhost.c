// SPDX-License-Identifier: GPL-2.0
/*
 * Makes the host of a virtio-balloon device answer reports badly, for tests of
 * virtio_fpr: late, never, twice, with an answer to something else, or with
 * interrupts that mean nothing.
 *
 * Kicks of the reporting queue are delayed or swallowed, and what a bad device
 * would write is written into the used ring (a split one) just before the driver
 * looks at it.  Which of the faults hits which report is drawn from a seed.
 */
#define pr_fmt(fmt) "fpr_badhost: " fmt

#include <linux/atomic.h>
#include <linux/delay.h>
#include <linux/jiffies.h>
#include <linux/kprobes.h>
#include <linux/module.h>
#include <linux/moduleparam.h>
#include <linux/string.h>
#include <linux/virtio.h>
#include <linux/virtio_config.h>
#include <linux/virtio_ring.h>
#include <linux/workqueue.h>

#include "spin.h"

/*
 * The faults; bit and index of the parameters.  A report that is LATE or sees
 * SPURIOUS interrupts is answered well in the end.
 */
enum fault { LATE, SPURIOUS, NEVER, TWICE, AGAIN, FOREIGN, BEYOND, CONFUSED, NR_FAULTS };

static unsigned int faults;
module_param(faults, uint, 0644);
MODULE_PARM_DESC(faults, "bit mask: 1 late, 2 spurious interrupts, 4 never, 8 twice at once, 16 again later, 32 an answer to another buffer, 64 to a buffer that cannot be, 128 the device is told nonsense, and asks to be reset");
static unsigned int one_in = 1;
module_param(one_in, uint, 0644);
MODULE_PARM_DESC(one_in, "each so manieth report, on average, meets a fault");
static unsigned int max_late_ms = 100;
module_param(max_late_ms, uint, 0644);
static ulong seed = 1;
module_param(seed, ulong, 0644);
MODULE_PARM_DESC(seed, "of the choice; moves on with each report");
static unsigned int slow_bind_ms;
module_param(slow_bind_ms, uint, 0644);
MODULE_PARM_DESC(slow_bind_ms, "the next binding takes that long when it is nearly done");
static unsigned long injected[NR_FAULTS];
module_param_array(injected, ulong, NULL, 0444);
MODULE_PARM_DESC(injected, "faults so far, of each kind");
static unsigned long kicks;
module_param(kicks, ulong, 0444);

/* Calls that were diverted into this module and have not returned. */
static atomic_t inside = ATOMIC_INIT(0);

/*
 * The report in flight.  The driver has one at a time, and all that is here but
 * @late_vq is used in its context.
 */
static int plan = -1;
static bool in_flight;
static u16 first_used;
/* How often the driver has looked for a used buffer since the answer. */
static unsigned int looks;

/* A queue whose kick is to come; it must not be freed before. */
static struct virtqueue *late_vq;
static struct delayed_work late_work;
static unsigned int spurious_left;

static u64 draw(void)
{
	u64 x = seed += 0x9e3779b97f4a7c15UL;

	x ^= x >> 33;
	x *= 0xff51afd7ed558ccdULL;
	return x ^ x >> 29;
}

static int choose(void)
{
	unsigned int mask = READ_ONCE(faults) & (BIT(NR_FAULTS) - 1);
	unsigned int every = READ_ONCE(one_in);
	unsigned int n, i;

	if (!mask || !every || draw() % every)
		return -1;
	n = draw() % hweight32(mask);
	for (i = 0; i < NR_FAULTS; i++)
		if (mask & BIT(i) && !n--)
			return i;
	return -1;
}

/* Not the kernel's own driver's, which waits for a lost answer for ever. */
static bool is_ours(struct virtqueue *vq)
{
	const struct device_driver *driver = vq->vdev->dev.driver;

	return vq->name && !strcmp(vq->name, "reporting_vq") && driver &&
	       !strcmp(driver->name, "virtio_fpr");
}

static u16 used_idx(struct virtqueue *vq)
{
	return virtio16_to_cpu(vq->vdev, virtqueue_get_vring(vq)->used->idx);
}

static vring_used_elem_t *used_elem(struct virtqueue *vq, u16 idx)
{
	const struct vring *vring = virtqueue_get_vring(vq);

	return &vring->used->ring[idx & (vring->num - 1)];
}

/* One more used buffer: that which was returned last. */
static void return_again(struct virtqueue *vq)
{
	u16 idx = used_idx(vq);

	*used_elem(vq, idx) = *used_elem(vq, idx - 1);
	/* First the element, then the index, as a device does. */
	smp_wmb();
	virtqueue_get_vring(vq)->used->idx = cpu_to_virtio16(vq->vdev, idx + 1);
}

static void late_fn(struct work_struct *work)
{
	struct virtqueue *vq = READ_ONCE(late_vq);

	if (!vq)
		return;
	if (spurious_left) {
		spurious_left--;
		if (vq->callback)
			vq->callback(vq);
		schedule_delayed_work(&late_work, msecs_to_jiffies(2));
		return;
	}
	WRITE_ONCE(late_vq, NULL);
	virtqueue_notify(vq);
}

/* Take the place of virtqueue_kick(): the kick seems to have worked. */
static noinline notrace bool kick_late(struct virtqueue *vq)
{
	unsigned int ms = draw() % max(READ_ONCE(max_late_ms), 1U) + 1;

	spurious_left = plan == SPURIOUS ? 1 + draw() % 8 : 0;
	WRITE_ONCE(late_vq, vq);
	schedule_delayed_work(&late_work, msecs_to_jiffies(ms));
	atomic_dec(&inside);
	return true;
}

static noinline notrace bool kick_nothing(struct virtqueue *vq)
{
	atomic_dec(&inside);
	return true;
}

/* Takes the place of vring_del_virtqueue() while a kick is to come. */
static noinline notrace void del_without_kick(struct virtqueue *vq)
{
	WRITE_ONCE(late_vq, NULL);
	cancel_delayed_work_sync(&late_work);
	vring_del_virtqueue(vq);
	atomic_dec(&inside);
}

static int divert(struct pt_regs *regs, void *to)
{
	atomic_inc(&inside);
	instruction_pointer_set(regs, (unsigned long)to);
	return 1;
}
NOKPROBE_SYMBOL(divert);

/* A request that starts with a descriptor which does not exist. */
static void confuse(struct virtqueue *vq)
{
	const struct vring *vring = virtqueue_get_vring(vq);
	u16 idx = virtio16_to_cpu(vq->vdev, vring->avail->idx) - 1;

	vring->avail->ring[idx & (vring->num - 1)] =
		cpu_to_virtio16(vq->vdev, vring->num);
}

static int on_kick(struct kprobe *kp, struct pt_regs *regs)
{
	struct virtqueue *vq = (void *)regs_get_kernel_argument(regs, 0);

	if (!is_ours(vq))
		return 0;
	kicks++;
	in_flight = true;
	first_used = used_idx(vq);
	plan = choose();
	if (plan < 0)
		return 0;
	if (plan == LATE || plan == SPURIOUS || plan == NEVER)
		injected[plan]++;
	if (plan == CONFUSED) {
		injected[plan]++;
		confuse(vq);
	}
	if (plan == LATE || plan == SPURIOUS)
		return divert(regs, kick_late);
	return plan == NEVER ? divert(regs, kick_nothing) : 0;
}
NOKPROBE_SYMBOL(on_kick);

/* The device has answered the report in flight, and the driver is to see it. */
static void spoil(struct virtqueue *vq)
{
	vring_used_elem_t *elem = used_elem(vq, first_used);
	u32 id = virtio32_to_cpu(vq->vdev, elem->id);
	unsigned int num = virtqueue_get_vring(vq)->num;

	switch (plan) {
	case TWICE:
		return_again(vq);
		break;
	case FOREIGN:
		elem->id = cpu_to_virtio32(vq->vdev, (id + 1) & (num - 1));
		break;
	case BEYOND:
		elem->id = cpu_to_virtio32(vq->vdev, num + id);
		break;
	default:
		return;
	}
	injected[plan]++;
	plan = -1;
}

static int on_get_buf(struct kprobe *kp, struct pt_regs *regs)
{
	struct virtqueue *vq = (void *)regs_get_kernel_argument(regs, 0);

	if (!is_ours(vq))
		return 0;
	if (in_flight && used_idx(vq) != first_used) {
		in_flight = false;
		looks = 0;
		spoil(vq);
	} else if (!in_flight && plan == AGAIN && ++looks == 2) {
		/* The first look goes with the answer, this with the next report. */
		injected[plan]++;
		plan = -1;
		return_again(vq);
	}
	return 0;
}
NOKPROBE_SYMBOL(on_get_buf);

/*
 * A driver that does not look between two reports gets it too.  One that has
 * looked does not: it cannot tell it from the answer to the report it is adding.
 */
static int on_add(struct kprobe *kp, struct pt_regs *regs)
{
	struct virtqueue *vq = (void *)regs_get_kernel_argument(regs, 0);

	if (is_ours(vq) && !in_flight && plan == AGAIN && looks < 2) {
		injected[plan]++;
		plan = -1;
		return_again(vq);
	}
	return 0;
}
NOKPROBE_SYMBOL(on_add);

static int on_del(struct kprobe *kp, struct pt_regs *regs)
{
	struct virtqueue *vq = (void *)regs_get_kernel_argument(regs, 0);

	if (!is_ours(vq))
		return 0;
	in_flight = false;
	plan = -1;
	return READ_ONCE(late_vq) == vq ? divert(regs, del_without_kick) : 0;
}
NOKPROBE_SYMBOL(on_del);

/* The last thing that binding does is to have the configuration looked at. */
static int on_queue_work(struct kprobe *kp, struct pt_regs *regs)
{
	if ((void *)regs_get_kernel_argument(regs, 1) == system_freezable_wq &&
	    READ_ONCE(slow_bind_ms))
		spin_ms(xchg(&slow_bind_ms, 0));
	return 0;
}
NOKPROBE_SYMBOL(on_queue_work);

static struct kprobe probes[] = {
	{ .symbol_name = "virtqueue_kick", .pre_handler = on_kick },
	{ .symbol_name = "virtqueue_get_buf", .pre_handler = on_get_buf },
	{ .symbol_name = "virtqueue_add_inbuf", .pre_handler = on_add },
	{ .symbol_name = "vring_del_virtqueue", .pre_handler = on_del },
	{ .symbol_name = "queue_work_on", .pre_handler = on_queue_work },
};

static int __init badhost_init(void)
{
	unsigned int i;
	int err;

	INIT_DELAYED_WORK(&late_work, late_fn);
	for (i = 0; i < ARRAY_SIZE(probes); i++) {
		err = register_kprobe(&probes[i]);
		if (!err)
			continue;
		pr_err("no probe on %s (error %d)\n", probes[i].symbol_name,
		       err);
		while (i--)
			unregister_kprobe(&probes[i]);
		return err;
	}
	return 0;
}

static void __exit badhost_exit(void)
{
	unsigned int i;

	/* No more faults; what is late already comes. */
	WRITE_ONCE(faults, 0);
	while (READ_ONCE(late_vq))
		msleep(20);
	for (i = 0; i < ARRAY_SIZE(probes); i++)
		unregister_kprobe(&probes[i]);
	while (atomic_read(&inside))
		msleep(20);
	cancel_delayed_work_sync(&late_work);
	/* The last diverted call has yet to leave this module's text. */
	msleep(20);
}

module_init(badhost_init);
module_exit(badhost_exit);

MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("Makes the host answer reports badly, for tests of virtio_fpr");
