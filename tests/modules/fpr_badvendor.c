// SPDX-License-Identifier: GPL-2.0
/*
 * Makes the host of fpr's own device a bad one, for tests of virtio_fpr: answers
 * that are too short or make no sense, and a configuration space in which a field
 * has another value, or one that changes all the time.
 *
 * What a bad host would write into an answer is written just before the driver
 * looks at it; the configuration is what this module's own way of reading it says.
 */
#define pr_fmt(fmt) "fpr_badvendor: " fmt

#include <linux/delay.h>
#include <linux/device.h>
#include <linux/jiffies.h>
#include <linux/kprobes.h>
#include <linux/module.h>
#include <linux/moduleparam.h>
#include <linux/scatterlist.h>
#include <linux/string.h>
#include <linux/virtio.h>
#include <linux/virtio_config.h>
#include <linux/virtio_ring.h>
#include <linux/workqueue.h>

#include "../../include/uapi/linux/virtio_fpr.h"

enum answer { GOOD, SHORT, EMPTY, UNKNOWN_STATUS, TOO_MUCH, NR_ANSWERS };

static unsigned int answer;
module_param(answer, uint, 0644);
MODULE_PARM_DESC(answer, "1 too short, 2 nothing, 3 a status that does not exist, 4 more discarded than reported");
static unsigned long spoilt;
module_param(spoilt, ulong, 0444);
MODULE_PARM_DESC(spoilt, "answers so far that were made so");

static unsigned int field_offset;
module_param(field_offset, uint, 0644);
static unsigned int field_size;
module_param(field_size, uint, 0644);
MODULE_PARM_DESC(field_size, "bytes of the field that has another value; 0 for none");
static ulong field_value;
module_param(field_value, ulong, 0644);
static unsigned int field_reads;
module_param(field_reads, uint, 0644);
MODULE_PARM_DESC(field_reads, "so many times it has that value, then its own; 0 for ever");
static unsigned long changes;
module_param(changes, ulong, 0644);
MODULE_PARM_DESC(changes, "changes of the request's number so far; 0 for its own number");

static unsigned long reads_behind;
module_param(reads_behind, ulong, 0444);
MODULE_PARM_DESC(reads_behind, "reads behind the end, while config_size is the field that has another value");
static unsigned long reads_in_part;
module_param(reads_in_part, ulong, 0444);
MODULE_PARM_DESC(reads_in_part, "reads of less than the whole pressure or request");

static struct virtio_device *device;
static const struct virtio_config_ops *real_ops;
static struct virtio_config_ops our_ops;

/* The configuration */

/* Writes as much of a little-endian field as lies in what was read. */
static void put_field(unsigned int at, unsigned int size, u64 value,
		      unsigned int offset, u8 *buf, unsigned int len)
{
	unsigned int i;

	for (i = 0; i < size && i < sizeof(value); i++)
		if (at + i >= offset && at + i - offset < len)
			buf[at + i - offset] = value >> (8 * i);
}

static void count_bad_reads(unsigned int offset, unsigned int len)
{
	unsigned int first = offsetof(struct virtio_fpr_config, pressure);
	unsigned int end = offsetof(struct virtio_fpr_config, request_shift);

	if (offset >= first && offset < end && len < sizeof(__le32))
		reads_in_part++;
	if (READ_ONCE(field_size) && offset + len > READ_ONCE(field_value) &&
	    READ_ONCE(field_offset) ==
		    offsetof(struct virtio_fpr_config, config_size))
		reads_behind++;
}

static void bad_get(struct virtio_device *vdev, unsigned int offset, void *buf,
		    unsigned int len)
{
	count_bad_reads(offset, len);
	real_ops->get(vdev, offset, buf, len);
	put_field(READ_ONCE(field_offset), READ_ONCE(field_size),
		  READ_ONCE(field_value), offset, buf, len);
	if (offset == READ_ONCE(field_offset) && field_reads && !--field_reads)
		WRITE_ONCE(field_size, 0);
	if (READ_ONCE(changes))
		put_field(offsetof(struct virtio_fpr_config, request),
			  sizeof(__le32), READ_ONCE(changes), offset, buf, len);
}

static unsigned int restless_ms;
static struct delayed_work restless_work;

static void restless_fn(struct work_struct *work)
{
	unsigned int ms = READ_ONCE(restless_ms);

	if (!ms)
		return;
	WRITE_ONCE(changes, changes + 1);
	virtio_config_changed(device);
	schedule_delayed_work(&restless_work, msecs_to_jiffies(ms));
}

static int set_restless(const char *text, const struct kernel_param *kp)
{
	int err = param_set_uint(text, kp);

	/* On the command line: badvendor_init() does. */
	if (!err && device)
		schedule_delayed_work(&restless_work, 0);
	return err;
}

static const struct kernel_param_ops restless_param = {
	.set = set_restless,
	.get = param_get_uint,
};

module_param_cb(restless_ms, &restless_param, &restless_ms, 0644);
MODULE_PARM_DESC(restless_ms, "the host makes another request each so many ms; 0 for no more");

/* The answers; the driver has one request in flight, so all is in its context. */

static struct virtio_fpr_resp *resp;
static u16 first_used;

static bool is_ours(struct virtqueue *vq)
{
	return vq->vdev == device;
}

static u16 used_idx(struct virtqueue *vq)
{
	return virtio16_to_cpu(vq->vdev, virtqueue_get_vring(vq)->used->idx);
}

static int on_add(struct kprobe *kp, struct pt_regs *regs)
{
	struct virtqueue *vq = (void *)regs_get_kernel_argument(regs, 0);
	struct scatterlist **sgs = (void *)regs_get_kernel_argument(regs, 1);
	unsigned int out = regs_get_kernel_argument(regs, 2);

	if (!is_ours(vq))
		return 0;
	resp = sg_virt(sgs[out]);
	first_used = used_idx(vq);
	return 0;
}

NOKPROBE_SYMBOL(on_add);

static void spoil(struct virtqueue *vq)
{
	const struct vring *vring = virtqueue_get_vring(vq);
	vring_used_elem_t *elem = &vring->used->ring[first_used &
						     (vring->num - 1)];

	switch (READ_ONCE(answer)) {
	case SHORT:
		elem->len = cpu_to_virtio32(vq->vdev, sizeof(*resp) - 1);
		break;
	case EMPTY:
		elem->len = 0;
		break;
	case UNKNOWN_STATUS:
		resp->status = cpu_to_le32(4711);
		resp->discarded = 0;
		break;
	case TOO_MUCH:
		resp->discarded = cpu_to_le64(1ULL << 60);
		break;
	default:
		return;
	}
	spoilt++;
}

static int on_get_buf(struct kprobe *kp, struct pt_regs *regs)
{
	struct virtqueue *vq = (void *)regs_get_kernel_argument(regs, 0);

	if (is_ours(vq) && resp && used_idx(vq) != first_used) {
		spoil(vq);
		resp = NULL;
	}
	return 0;
}

NOKPROBE_SYMBOL(on_get_buf);

static struct kprobe probes[] = {
	{ .symbol_name = "virtqueue_add_sgs", .pre_handler = on_add },
	{ .symbol_name = "virtqueue_get_buf", .pre_handler = on_get_buf },
};

/* The device: the first of our id, bound to a driver or not. */

static int is_vendor(struct device *dev, void *unused)
{
	struct virtio_device *vdev = dev_to_virtio(dev);

	if (vdev->id.device != VIRTIO_FPR_ID)
		return 0;
	device = vdev;
	return 1;
}

/* Registered for a moment, to learn what bus it is on. */
static const struct virtio_device_id no_ids[] = { { 0 } };

static int no_probe(struct virtio_device *vdev)
{
	return -ENODEV;
}

static void no_remove(struct virtio_device *vdev)
{
}

static struct virtio_driver finder = {
	.driver.name = "fpr_badvendor",
	.driver.owner = THIS_MODULE,
	.id_table = no_ids,
	.probe = no_probe,
	.remove = no_remove,
};

static int find_device(void)
{
	int err = register_virtio_driver(&finder);

	if (err)
		return err;
	bus_for_each_dev(finder.driver.bus, NULL, NULL, is_vendor);
	unregister_virtio_driver(&finder);
	if (!device) {
		pr_err("no device of id %d\n", VIRTIO_FPR_ID);
		return -ENODEV;
	}
	return 0;
}

/* How large its configuration is, by its PCI capability: the driver reads nothing else. */

static unsigned int pci_bytes;
module_param(pci_bytes, uint, 0644);
MODULE_PARM_DESC(pci_bytes, "bytes of the configuration by the PCI capability; 0 for what they are");

struct dword_read {
	u32 *value;
};

static int on_read(struct kretprobe_instance *instance, struct pt_regs *regs)
{
	struct dword_read *read = (void *)instance->data;

	read->value = (void *)regs_get_kernel_argument(regs, 2);
	return !READ_ONCE(pci_bytes);
}

NOKPROBE_SYMBOL(on_read);

static int after_read(struct kretprobe_instance *instance, struct pt_regs *regs)
{
	struct dword_read *read = (void *)instance->data;

	*read->value = READ_ONCE(pci_bytes);
	return 0;
}

NOKPROBE_SYMBOL(after_read);

static struct kretprobe dword_probe = {
	.kp.symbol_name = "pci_read_config_dword",
	.entry_handler = on_read,
	.handler = after_read,
	.data_size = sizeof(struct dword_read),
};

static int __init badvendor_init(void)
{
	unsigned int i;
	int err = find_device();

	for (i = 0; !err && i < ARRAY_SIZE(probes); i++) {
		err = register_kprobe(&probes[i]);
		if (!err)
			continue;
		pr_err("no probe on %s (error %d)\n", probes[i].symbol_name, err);
		while (i--)
			unregister_kprobe(&probes[i]);
	}
	if (err)
		return err;
	err = register_kretprobe(&dword_probe);
	if (err) {
		pr_err("no probe on %s (error %d)\n", dword_probe.kp.symbol_name, err);
		while (i--)
			unregister_kprobe(&probes[i]);
		return err;
	}
	INIT_DELAYED_WORK(&restless_work, restless_fn);
	real_ops = device->config;
	our_ops = *real_ops;
	our_ops.get = bad_get;
	WRITE_ONCE(device->config, &our_ops);
	schedule_delayed_work(&restless_work, 0);
	return 0;
}

static void __exit badvendor_exit(void)
{
	unsigned int i;

	WRITE_ONCE(restless_ms, 0);
	cancel_delayed_work_sync(&restless_work);
	WRITE_ONCE(device->config, real_ops);
	for (i = 0; i < ARRAY_SIZE(probes); i++)
		unregister_kprobe(&probes[i]);
	unregister_kretprobe(&dword_probe);
	/* Who reads the configuration right now has yet to leave this text. */
	msleep(100);
}

module_init(badvendor_init);
module_exit(badvendor_exit);

MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("Makes the host of fpr's own device a bad one, for tests of virtio_fpr");
