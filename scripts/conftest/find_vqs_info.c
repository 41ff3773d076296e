// SPDX-License-Identifier: GPL-2.0
/* Since 6.11: find_vqs takes an array of structures. */
#include <linux/virtio_config.h>

int fpr_probe(struct virtio_device *vdev, struct virtqueue **vqs,
	      struct virtqueue_info *info);
int fpr_probe(struct virtio_device *vdev, struct virtqueue **vqs,
	      struct virtqueue_info *info)
{
	return virtio_find_vqs(vdev, 1, vqs, info, NULL);
}
