// SPDX-License-Identifier: GPL-2.0
/* Since 5.17: resetting also waits for running callbacks. */
#include <linux/virtio.h>

void fpr_probe(struct virtio_device *vdev);
void fpr_probe(struct virtio_device *vdev)
{
	virtio_reset_device(vdev);
}
