// SPDX-License-Identifier: GPL-2.0
/*
 * fpr's own device, which says what it has discarded, what it can discard, how
 * badly the host needs memory, and may ask for all that is free.  What guest and
 * host agree on is in include/uapi/linux/virtio_fpr.h; pictures in
 * docs/device.md.
 */
#include <linux/module.h>
#include <linux/scatterlist.h>
#include <linux/slab.h>
#include <linux/sysfs.h>
#include <linux/virtio_config.h>
#include <linux/virtio_ids.h>
#include <linux/virtio_ring.h>

#include "../../include/uapi/linux/virtio_fpr.h"

#include "../compat/virtio.h"
#include "driver.h"

/**
 * struct vfpr_vendor - buffers and counters of a device
 * @request: number of the latest request of the host that the core knows of
 * @req: what the device reads first
 * @resp: its answer
 * @discarded: bytes the host says it has discarded, lifetime
 * @refused: bytes it says it has not
 * @told: statuses that were mentioned in the log, a bit each
 * @granule_shift: log2 of the smallest piece that the host can discard, bytes
 * @room: ranges that there is room for: a host may say more after a reset
 * @ranges: what the device reads then
 *
 * The buffers are the device's while a request is in flight.  Of the counters
 * there is one writer, the core's worker.
 */
struct vfpr_vendor {
	u32 request;
	struct virtio_fpr_req req;
	struct virtio_fpr_resp resp;
	u64 discarded;
	u64 refused;
	unsigned long told;
	unsigned int granule_shift;
	unsigned int room;
	struct virtio_fpr_range ranges[];
};

#define read_config(vdev, field, to) \
	virtio_cread_le(vdev, struct virtio_fpr_config, field, to)

static int check_config(struct virtio_device *vdev)
{
	u64 max_range;
	u32 max_ranges;
	u16 size;
	u8 shift;

	read_config(vdev, config_size, &size);
	/* What is behind its end is not read: virtio-pci makes a BUG() of that. */
	if (size < sizeof(struct virtio_fpr_config)) {
		dev_err(&vdev->dev,
			"the device's configuration makes no sense: %u bytes, not %zu\n",
			size, sizeof(struct virtio_fpr_config));
		return -EINVAL;
	}
	read_config(vdev, granule_shift, &shift);
	read_config(vdev, max_ranges, &max_ranges);
	read_config(vdev, max_range, &max_range);
	if (shift >= 12 && shift <= 63 && max_ranges &&
	    (!max_range || max_range >= BIT_ULL(shift)))
		return 0;
	dev_err(&vdev->dev,
		"the device's configuration makes no sense: granule of 2^%u bytes, %u ranges of %llu bytes\n",
		shift, max_ranges, max_range);
	return -EINVAL;
}

static int check(struct virtio_device *vdev)
{
	u32 magic, bytes = vfpr_config_bytes(vdev);
	u16 version;

	if (bytes < sizeof(struct virtio_fpr_config)) {
		dev_info(&vdev->dev, "not a device of fpr: its configuration has %u bytes, not %zu\n",
			 bytes, sizeof(struct virtio_fpr_config));
		return -ENODEV;
	}
	read_config(vdev, magic, &magic);
	if (magic != VIRTIO_FPR_MAGIC) {
		dev_info(&vdev->dev, "not a device of fpr: magic %08x, not %08x\n",
			 magic, VIRTIO_FPR_MAGIC);
		return -ENODEV;
	}
	read_config(vdev, version, &version);
	if (VIRTIO_FPR_MAJOR(version) != VIRTIO_FPR_MAJOR(VIRTIO_FPR_VERSION)) {
		dev_err(&vdev->dev, "the device has version %u.%u of the interface, this driver knows %u.x: use an fpr of the host's generation\n",
			VIRTIO_FPR_MAJOR(version), version & 0xff,
			VIRTIO_FPR_MAJOR(VIRTIO_FPR_VERSION));
		return -EINVAL;
	}
	if (!virtio_has_feature(vdev, VIRTIO_F_VERSION_1)) {
		dev_err(&vdev->dev, "the device is no virtio 1.x device\n");
		return -EINVAL;
	}
	return check_config(vdev);
}

static unsigned int max_ranges(struct virtio_device *vdev)
{
	u32 n;

	read_config(vdev, max_ranges, &n);
	return min_t(u32, n, FPR_MAX_ENTRIES);
}

static int init(struct vfpr *vf)
{
	unsigned int room = max_ranges(vf->vdev);

	vf->vendor = kzalloc(struct_size(vf->vendor, ranges, room), GFP_KERNEL);
	if (!vf->vendor)
		return -ENOMEM;
	vf->vendor->room = room;
	return 0;
}

static void vendor_exit(struct vfpr *vf)
{
	kfree(vf->vendor);
}

static int find_queues(struct vfpr *vf)
{
	struct fpr_vq want = { "requests", vfpr_answered };
	int err = fpr_find_vqs(vf->vdev, 1, &want);

	if (!err)
		vf->vqs[VFPR_REPORTING] = want.vq;
	return err;
}

static void limits(struct vfpr *vf)
{
	struct fpr_device *fdev = &vf->fdev;
	u8 shift;

	fdev->max_entries = min(max_ranges(vf->vdev), vf->vendor->room);
	read_config(vf->vdev, max_range, &fdev->max_entry_bytes);
	read_config(vf->vdev, granule_shift, &shift);
	fdev->min_order = shift > PAGE_SHIFT ? shift - PAGE_SHIFT : 0;
	vf->vendor->granule_shift = min_t(unsigned int, shift, 63);
	fdev->fills = BIT(FPR_FILL_ANY);
	if (virtio_has_feature(vf->vdev, VIRTIO_FPR_F_ZERO))
		fdev->fills |= BIT(FPR_FILL_ZERO);
	/* After a reset it is to be answered anew. */
	vf->vendor->request = 0;
}

/* One request to the device; the buffers hold it already. */
static int send(struct vfpr *vf, unsigned int nr_ranges)
{
	struct vfpr_vendor *v = vf->vendor;
	struct scatterlist req, ranges, resp;
	struct scatterlist *sgs[3] = { &req };
	unsigned int out = 1, len;
	int err;

	v->req.nr_ranges = cpu_to_le32(nr_ranges);
	memset(&v->resp, 0, sizeof(v->resp));
	sg_init_one(&req, &v->req, sizeof(v->req));
	if (nr_ranges) {
		sg_init_one(&ranges, v->ranges, nr_ranges * sizeof(v->ranges[0]));
		sgs[out++] = &ranges;
	}
	sg_init_one(&resp, &v->resp, sizeof(v->resp));
	sgs[out] = &resp;
	err = vfpr_transact(vf, VFPR_REPORTING, sgs, out, 1, &len);
	if (!err && len < sizeof(v->resp))
		err = vfpr_give_up(vf, "the device's answer is too short",
				   vf->kind->revived);
	return err;
}

static const char *status_text(u32 status)
{
	switch (status) {
	case VIRTIO_FPR_S_GRANULE:
		return "it does not cover whole granules of the host";
	case VIRTIO_FPR_S_RANGE:
		return "the host does not know it as memory of this guest";
	case VIRTIO_FPR_S_DISABLED:
		return "the host does not discard memory at present";
	case VIRTIO_FPR_S_UNSUPPORTED:
		return "the host does not know this kind of request";
	default:
		return "the host failed to discard it";
	}
}

/* Once for each reason; the counters say how much. */
static void tell_status(struct vfpr *vf, u32 status)
{
	u32 bit = min_t(u32, status, BITS_PER_LONG - 1);

	if (status != VIRTIO_FPR_S_OK && !__test_and_set_bit(bit, &vf->vendor->told))
		dev_warn(&vf->vdev->dev, "memory was reported in vain: %s (status %u)\n",
			 status_text(status), status);
}

static int report(struct fpr_device *fdev, struct scatterlist *sgl,
		  unsigned int nents)
{
	struct vfpr *vf = container_of(fdev, struct vfpr, fdev);
	struct vfpr_vendor *v = vf->vendor;
	struct scatterlist *sg;
	u64 bytes = 0, discarded;
	unsigned int i;
	u32 status;
	int err;

	for_each_sg(sgl, sg, nents, i) {
		v->ranges[i].addr = cpu_to_le64(sg_phys(sg));
		v->ranges[i].len = cpu_to_le64(sg->length);
		bytes += sg->length;
	}
	v->req.type = cpu_to_le32(VIRTIO_FPR_T_REPORT);
	v->req.request = 0;
	v->req.bytes = cpu_to_le64(bytes);
	err = send(vf, nents);
	if (err)
		return err;

	/* Once: a bad host may go on writing. */
	status = le32_to_cpu(READ_ONCE(v->resp.status));
	discarded = le64_to_cpu(READ_ONCE(v->resp.discarded));
	if (discarded > bytes) {
		dev_warn_once(&vf->vdev->dev, "the host says that it has discarded %llu bytes of %llu\n",
			      discarded, bytes);
		discarded = bytes;
	}
	WRITE_ONCE(v->discarded, v->discarded + discarded);
	WRITE_ONCE(v->refused, v->refused + bytes - discarded);
	tell_status(vf, status);
	/* Worth another attempt, later. */
	return status == VIRTIO_FPR_S_DISABLED && !discarded ? -EAGAIN : 0;
}

static void all_reported(struct fpr_device *fdev, u32 number, u64 bytes)
{
	struct vfpr *vf = container_of(fdev, struct vfpr, fdev);
	struct vfpr_vendor *v = vf->vendor;

	v->req.type = cpu_to_le32(VIRTIO_FPR_T_DONE);
	v->req.request = cpu_to_le32(number);
	v->req.bytes = cpu_to_le64(bytes);
	send(vf, 0);
}

static const struct fpr_device_ops ops = {
	.report = report,
	.all_reported = all_reported,
};

static enum fpr_pressure pressure_of(u32 level)
{
	switch (level) {
	case VIRTIO_FPR_P_NONE:
		return FPR_PRESSURE_NONE;
	case VIRTIO_FPR_P_LOW:
		return FPR_PRESSURE_LOW;
	case VIRTIO_FPR_P_HIGH:
		return FPR_PRESSURE_HIGH;
	default:
		return FPR_PRESSURE_CRITICAL;
	}
}

static u32 generation(struct virtio_device *vdev)
{
	return vdev->config->generation ? vdev->config->generation(vdev) : 0;
}

/* What changes in the configuration, together; see the interface. */
struct wishes {
	u32 pressure;
	u32 request;
	u8 request_shift;
};

/*
 * Each field with an access of its own width (virtio 1.2, 4.1.3.1 and 4.2.2.2): a
 * number read in bytes could be half of one and half of the next, and the
 * generation need not tell, where the host answers from a process beside the VMM.
 * A configuration that changes all the time is read a few times only: each change
 * comes with an interrupt.
 */
static void read_wishes(struct virtio_device *vdev, struct wishes *w)
{
	unsigned int tries = 8;
	u32 before;

	do {
		before = generation(vdev);
		read_config(vdev, pressure, &w->pressure);
		read_config(vdev, request, &w->request);
		read_config(vdev, request_shift, &w->request_shift);
	} while (before != generation(vdev) && --tries);
}

static void config_changed(struct vfpr *vf)
{
	struct virtio_device *vdev = vf->vdev;
	unsigned int shift;
	struct wishes w;

	/* QEMU does not survive every access to a device whose program is gone. */
	if (READ_ONCE(vf->gone))
		return;
	read_wishes(vdev, &w);
	if (virtio_has_feature(vdev, VIRTIO_FPR_F_PRESSURE))
		fpr_set_pressure(&vf->fdev, pressure_of(w.pressure));
	if (!virtio_has_feature(vdev, VIRTIO_FPR_F_REQUEST) ||
	    w.request == vf->vendor->request)
		return;
	vf->vendor->request = w.request;
	/* A device whose process is a new one has not asked yet. */
	if (!w.request)
		return;
	shift = max_t(unsigned int, w.request_shift, PAGE_SHIFT);
	fpr_request_all(&vf->fdev, w.request, shift - PAGE_SHIFT);
}

/* As for the stock device: nothing is allocated while free memory is taken. */
static int validate(struct virtio_device *vdev)
{
	__virtio_clear_bit(vdev, VIRTIO_RING_F_INDIRECT_DESC);
	return 0;
}

/* In the directory of the virtio device. */

static u64 *counter(struct device *dev, bool refused)
{
	struct vfpr *vf = dev_to_virtio(dev)->priv;

	return refused ? &vf->vendor->refused : &vf->vendor->discarded;
}

static ssize_t discarded_bytes_show(struct device *dev,
				    struct device_attribute *attr, char *buf)
{
	return sysfs_emit(buf, "%llu\n", READ_ONCE(*counter(dev, false)));
}

static ssize_t refused_bytes_show(struct device *dev,
				  struct device_attribute *attr, char *buf)
{
	return sysfs_emit(buf, "%llu\n", READ_ONCE(*counter(dev, true)));
}

static ssize_t granule_bytes_show(struct device *dev,
				  struct device_attribute *attr, char *buf)
{
	struct vfpr *vf = dev_to_virtio(dev)->priv;

	return sysfs_emit(buf, "%llu\n", BIT_ULL(vf->vendor->granule_shift));
}

static DEVICE_ATTR_RO(granule_bytes);
static DEVICE_ATTR_RO(discarded_bytes);
static DEVICE_ATTR_RO(refused_bytes);

static struct attribute *attrs[] = {
	&dev_attr_granule_bytes.attr,
	&dev_attr_discarded_bytes.attr,
	&dev_attr_refused_bytes.attr,
	&dev_attr_reporting.attr,
	NULL
};

static const struct attribute_group group = {
	.name = "fpr",
	.attrs = attrs,
};

static const struct attribute_group *groups[] = {
	&group,
	NULL
};

static const unsigned int features[] = {
	VIRTIO_FPR_F_ZERO,
	VIRTIO_FPR_F_PRESSURE,
	VIRTIO_FPR_F_REQUEST,
};

/* The second is for vfpr_vendor_match(), and says nothing until then. */
static struct virtio_device_id vendor_ids[] = {
	{ VIRTIO_FPR_ID, VIRTIO_DEV_ANY_ID },
	{ 0 },
	{ 0 },
};

/**
 * vfpr_vendor_match() - bind a vendor's device that has another virtio id
 * @id: virtio device id
 * @vendor: virtio vendor id; on PCI the subsystem vendor
 *
 * Context: before the driver is registered.
 */
void vfpr_vendor_match(u32 id, u32 vendor)
{
	vendor_ids[1].device = id;
	vendor_ids[1].vendor = vendor;
}

struct vfpr_kind vfpr_vendor = {
	.driver = {
		.feature_table = features,
		.feature_table_size = ARRAY_SIZE(features),
		.driver.name = "virtio_fpr_vendor",
		.driver.owner = THIS_MODULE,
		.driver.dev_groups = groups,
		.id_table = vendor_ids,
		.validate = validate,
		.probe = vfpr_probe,
		.remove = vfpr_remove,
		.config_changed = vfpr_config_changed,
#ifdef CONFIG_PM_SLEEP
		.freeze = vfpr_freeze,
		.restore = vfpr_restore,
#endif
	},
	.ops = &ops,
	.rank = 1,
	/* Its program may be gone, and QEMU aborts if the device is started then. */
	.revived = false,
	.check = check,
	.init = init,
	.find_queues = find_queues,
	.limits = limits,
	.config_changed = config_changed,
	.exit = vendor_exit,
};

MODULE_DEVICE_TABLE(virtio, vendor_ids);
