// SPDX-License-Identifier: GPL-2.0
/* Until 6.10: find_vqs takes callbacks and names apart. */
#include <linux/virtio_config.h>

int fpr_probe(struct virtio_device *vdev, struct virtqueue **vqs,
	      vq_callback_t **callbacks, const char * const *names);
int fpr_probe(struct virtio_device *vdev, struct virtqueue **vqs,
	      vq_callback_t **callbacks, const char * const *names)
{
	return virtio_find_vqs(vdev, 1, vqs, callbacks, names, NULL);
}
