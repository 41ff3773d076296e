// SPDX-License-Identifier: GPL-2.0
/* What the client asks for, but memory and interrupts. */
#include <errno.h>
#include <linux/vfio.h>
#include <stdio.h>
#include <string.h>

#include "log.h"
#include "vfio_user_int.h"

/*
 * What we announce, and in the reply only what the client knows (the reply is a
 * subset, the specification says).  What the client announces limits requests of
 * ours, and there are none.
 */
static const struct {
	const char *name;
	unsigned long value;
} capabilities[] = {
	{ "max_msg_fds", VFIO_USER_MAX_FDS },
	{ "max_data_xfer_size", VFIO_USER_MAX_DATA },
	{ "max_dma_maps", MEM_MAX_REGIONS },
	{ "pgsizes", 4096 },
	{ NULL, 0 }
};

static int version_data(const char *theirs, char *ours, size_t room)
{
	const char *comma = "";
	int len = snprintf(ours, room, "{\"capabilities\":{");

	for (size_t i = 0; capabilities[i].name; i++) {
		char quoted[32];

		snprintf(quoted, sizeof(quoted), "\"%s\"", capabilities[i].name);
		if (!strstr(theirs, quoted))
			continue;
		len += snprintf(ours + len, room - len, "%s%s:%lu", comma, quoted,
				capabilities[i].value);
		comma = ",";
	}
	return len + snprintf(ours + len, room - len, "}}") + 1;
}

static int negotiate(struct vfio_user *vu, void *reply, const char **why)
{
	struct vfio_user_version version;
	size_t size = vfio_user_payload_size(vu);
	const char *data = (const char *)vu->payload + sizeof(version);

	*why = "a VERSION of a wrong size, without its NUL, or with a file";
	if (size < sizeof(version) || vu->nr_fds ||
	    (size > sizeof(version) && vu->payload[size - 1]))
		return VFIO_USER_FATAL;
	*why = "the client sent its version twice";
	if (vu->negotiated)
		return VFIO_USER_FATAL;
	version = *(const struct vfio_user_version *)vu->payload;
	*why = "the client speaks another major version than 0";
	if (version.major != 0)
		return VFIO_USER_FATAL;
	log_info("client connected version=%u.%u", version.major, version.minor);
	vu->negotiated = true;
	version.minor = 0;
	memcpy(reply, &version, sizeof(version));
	if (size == sizeof(version))
		return sizeof(version);
	return sizeof(version) +
	       version_data(data, (char *)reply + sizeof(version),
			    VFIO_USER_MAX_PAYLOAD - sizeof(version));
}

static int device_info(struct vfio_user *vu, void *reply, const char **why)
{
	/* Without the fields that later versions of Linux have appended */
	const size_t size = offsetof(struct vfio_device_info, cap_offset);
	struct vfio_device_info info = {
		.argsz = size,
		.flags = VFIO_DEVICE_FLAGS_RESET | VFIO_DEVICE_FLAGS_PCI,
		.num_regions = VFIO_PCI_NUM_REGIONS,
		.num_irqs = VFIO_PCI_NUM_IRQS,
	};

	if (vfio_user_payload_size(vu) < size || vu->nr_fds) {
		*why = "a GET_INFO of a wrong size, or with a file";
		return VFIO_USER_FATAL;
	}
	if (le_get(vu->payload, 4) < size)
		return -EINVAL;
	memcpy(reply, &info, size);
	return size;
}

static uint64_t region_size(uint32_t region)
{
	if (region == VFIO_PCI_CONFIG_REGION_INDEX)
		return PCI_CONFIG_SIZE;
	return region < VFIO_PCI_ROM_REGION_INDEX ? virtio_pci_bar_size(region) : 0;
}

static int region_info(struct vfio_user *vu, void *reply, const char **why)
{
	struct vfio_region_info info;

	if (vfio_user_payload_size(vu) < sizeof(info) || vu->nr_fds) {
		*why = "a GET_REGION_INFO of a wrong size, or with a file";
		return VFIO_USER_FATAL;
	}
	memcpy(&info, vu->payload, sizeof(info));
	if (info.argsz < sizeof(info) || info.index >= VFIO_PCI_NUM_REGIONS)
		return -EINVAL;
	info = (struct vfio_region_info) {
		.argsz = sizeof(info),
		.index = info.index,
		.size = region_size(info.index),
	};
	if (info.size)
		info.flags = VFIO_REGION_INFO_FLAG_READ |
			     VFIO_REGION_INFO_FLAG_WRITE;
	memcpy(reply, &info, sizeof(info));
	return sizeof(info);
}

static int region_read(struct vfio_user *vu, void *reply, const char **why)
{
	struct vfio_user_region_access access;
	uint8_t *data = (uint8_t *)reply + sizeof(access);
	bool ok;

	if (vfio_user_payload_size(vu) != sizeof(access) || vu->nr_fds) {
		*why = "a REGION_READ of a wrong size, or with a file";
		return VFIO_USER_FATAL;
	}
	memcpy(&access, vu->payload, sizeof(access));
	if (access.count > VFIO_USER_MAX_DATA)
		return -EINVAL;
	if (access.region == VFIO_PCI_CONFIG_REGION_INDEX)
		ok = virtio_pci_config_read(&vu->vp, access.offset, data,
					    access.count);
	else
		ok = virtio_pci_bar_read(&vu->vp, access.region, access.offset,
					 data, access.count);
	if (!ok)
		return -EINVAL;
	memcpy(reply, &access, sizeof(access));
	return sizeof(access) + access.count;
}

static int region_write(struct vfio_user *vu, void *reply, const char **why)
{
	const uint8_t *data = vu->payload + sizeof(struct vfio_user_region_access);
	struct vfio_user_region_access access;
	size_t size = vfio_user_payload_size(vu);
	bool ok;

	if (size >= sizeof(access))
		memcpy(&access, vu->payload, sizeof(access));
	if (size < sizeof(access) || size - sizeof(access) != access.count ||
	    vu->nr_fds) {
		*why = "a REGION_WRITE of a wrong size, or with a file";
		return VFIO_USER_FATAL;
	}
	if (access.region == VFIO_PCI_CONFIG_REGION_INDEX)
		ok = virtio_pci_config_write(&vu->vp, access.offset, data,
					     access.count);
	else
		ok = virtio_pci_bar_write(&vu->vp, access.region, access.offset,
					  data, access.count);
	if (!ok)
		return -EINVAL;
	memcpy(reply, &access, sizeof(access));
	return sizeof(access);
}

static int device_reset(struct vfio_user *vu, const char **why)
{
	if (vfio_user_payload_size(vu) || vu->nr_fds) {
		*why = "a DEVICE_RESET that is not alone";
		return VFIO_USER_FATAL;
	}
	virtio_pci_function_reset(&vu->vp);
	return 0;
}

int vfio_user_command(struct vfio_user *vu, void *reply, const char **why)
{
	switch (vu->header.command) {
	case VFIO_USER_VERSION:
		return negotiate(vu, reply, why);
	case VFIO_USER_DMA_MAP:
		return vfio_user_map(vu, why);
	case VFIO_USER_DMA_UNMAP:
		return vfio_user_unmap(vu, reply, why);
	case VFIO_USER_DEVICE_GET_INFO:
		return device_info(vu, reply, why);
	case VFIO_USER_DEVICE_GET_REGION_INFO:
		return region_info(vu, reply, why);
	case VFIO_USER_DEVICE_GET_IRQ_INFO:
		return vfio_user_irq_info(vu, reply, why);
	case VFIO_USER_DEVICE_SET_IRQS:
		return vfio_user_set_irqs(vu, why);
	case VFIO_USER_REGION_READ:
		return region_read(vu, reply, why);
	case VFIO_USER_REGION_WRITE:
		return region_write(vu, reply, why);
	case VFIO_USER_DEVICE_RESET:
		return device_reset(vu, why);
	default:
		/* Migration, and what need not be there */
		log_debug("a command that is not supported command=%u",
			  vu->header.command);
		return -EOPNOTSUPP;
	}
}
