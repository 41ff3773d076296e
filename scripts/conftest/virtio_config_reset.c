// SPDX-License-Identifier: GPL-2.0
/* Until 5.16: the reset of the transport. */
#include <linux/virtio_config.h>

void fpr_probe(struct virtio_device *vdev);
void fpr_probe(struct virtio_device *vdev)
{
	vdev->config->reset(vdev);
}
