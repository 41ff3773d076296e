// SPDX-License-Identifier: GPL-2.0
/*
 * Free page hints: a host that migrates this guest asks for all that is free, to
 * leave it out, anew each time it has looked for what the guest has written to.
 *
 * It writes a number into free_page_hint_cmd_id; the guest sends that number, then
 * the memory, then "stop".  The core isolates the memory and calls vfpr_hint() for
 * each batch of it, vfpr_hint_done() in the end.
 *
 * Source: virtio 1.2, section 5.5.6.5 (Free Page Hinting); QEMU
 * hw/virtio/virtio-balloon.c get_free_page_hints().
 */
#include <linux/scatterlist.h>
#include <linux/virtio_config.h>

#include "driver.h"

/* The commands are read once by the device, one at a time. */
static int send(struct vfpr *vf, u32 command)
{
	struct scatterlist sg, *sgs[] = { &sg };
	unsigned int len;

	vf->hint_cmd = cpu_to_virtio32(vf->vdev, command);
	sg_init_one(&sg, &vf->hint_cmd, sizeof(vf->hint_cmd));
	return vfpr_transact(vf, VFPR_HINTING, sgs, 1, 0, &len);
}

/* Say which request the memory is for that follows, once. */
static int begin(struct vfpr *vf, u32 number)
{
	int err = 0;

	if (vf->hint_begun != number)
		err = send(vf, number);
	if (!err)
		vf->hint_begun = number;
	return err;
}

/* Whether the host still wants to know: it need not wait for the end of a batch. */
static bool wanted(const struct vfpr *vf, u32 number)
{
	return READ_ONCE(vf->hint_wanted) == number;
}

/*
 * A buffer for each entry: older QEMUs looked at the first entry of a buffer only.
 * It is device-writable, since the host may do with the memory what it likes.
 */
int vfpr_hint(struct fpr_device *fdev, u32 number, struct scatterlist *sgl,
	      unsigned int nents)
{
	struct vfpr *vf = container_of(fdev, struct vfpr, fdev);
	struct scatterlist *sg;
	unsigned int i, len;
	int err = begin(vf, number);

	for_each_sg(sgl, sg, nents, i) {
		struct scatterlist one, *sgs[] = { &one };

		if (err || !wanted(vf, number))
			break;
		sg_init_table(&one, 1);
		sg_set_page(&one, sg_page(sg), sg->length, 0);
		err = vfpr_transact(vf, VFPR_HINTING, sgs, 0, 1, &len);
		if (!err)
			WRITE_ONCE(vf->hinted_bytes,
				   vf->hinted_bytes + sg->length);
	}
	return err;
}

/*
 * Also a host that was told of nothing waits for the end, if it still wants to
 * know.  An error was dealt with where it happened.
 */
void vfpr_hint_done(struct fpr_device *fdev, u32 number)
{
	struct vfpr *vf = container_of(fdev, struct vfpr, fdev);

	if (vf->hint_begun != number &&
	    (!wanted(vf, number) || begin(vf, number)))
		return;
	vf->hint_begun = VIRTIO_BALLOON_CMD_ID_STOP;
	send(vf, VIRTIO_BALLOON_CMD_ID_STOP);
}

/**
 * vfpr_hinting_changed() - look whether the host wants hints
 * @vf: stock device
 *
 * The number is read when the host says that the configuration has changed and
 * not otherwise: QEMU shows it until the guest has sent it, then "stop".
 * Context: process context, may sleep; one call at a time.
 */
void vfpr_hinting_changed(struct vfpr *vf)
{
	u32 command;

	if (!vf->vqs[VFPR_HINTING] || READ_ONCE(vf->gone))
		return;
	/* Little endian in legacy devices too. */
	virtio_cread_le(vf->vdev, struct virtio_balloon_config,
			free_page_hint_cmd_id, &command);
	if (command == vf->hint_wanted)
		return;
	/* First the number: the core may call at once. */
	WRITE_ONCE(vf->hint_wanted, command);
	if (command == VIRTIO_BALLOON_CMD_ID_STOP ||
	    command == VIRTIO_BALLOON_CMD_ID_DONE)
		fpr_hint_stop(&vf->fdev);
	else if (fpr_hint_start(&vf->fdev, command))
		/* To be looked at again when the core takes this device. */
		WRITE_ONCE(vf->hint_wanted, VIRTIO_BALLOON_CMD_ID_STOP);
}

/**
 * vfpr_hinting_stopped() - forget what the host wanted
 * @vf: stock device that was reset and is gone from the core
 */
void vfpr_hinting_stopped(struct vfpr *vf)
{
	vf->hint_wanted = VIRTIO_BALLOON_CMD_ID_STOP;
	vf->hint_begun = VIRTIO_BALLOON_CMD_ID_STOP;
}
