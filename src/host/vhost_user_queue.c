// SPDX-License-Identifier: GPL-2.0
/*
 * The rings: what the VMM says about them, and when the device processes them.
 *
 * Where a ring is and how large it is, the driver may have chosen: what is wrong
 * with that makes the device need a reset, and the session goes on.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <sys/stat.h>
#include <unistd.h>

#include "log.h"
#include "vhost_user_int.h"

#define BIT64(n)	(UINT64_C(1) << (n))

static void close_fd(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

void vhost_user_signal(int fd)
{
	const uint64_t one = 1;

	/* A counter that is full, or a VMM that is gone, needs no signal. */
	if (fd >= 0 && write(fd, &one, sizeof(one)) < 0)
		log_debug("a signal was not delivered errno=%d", errno);
}

void vhost_user_process(struct vhost_user *vu, unsigned int q)
{
	struct vhost_user_queue *queue = &vu->queues[q];

	queue->more = queue->running && vu->dev->ops->kick(vu->dev, q);
	if (queue->more)
		vu->ops->again(vu->ctx);
}

void vhost_user_pause(struct vhost_user *vu, unsigned int q)
{
	struct vhost_user_queue *queue = &vu->queues[q];

	if (!queue->running)
		return;
	queue->running = false;
	queue->base = vu->dev->ops->queue_stop(vu->dev, q);
}

void vhost_user_pause_all(struct vhost_user *vu)
{
	for (unsigned int q = 0; q < vu->dev->ops->nr_queues; q++)
		vhost_user_pause(vu, q);
}

/* Does the VMM want it to run, and has it said all that is needed? */
static bool queue_ready(const struct vhost_user *vu,
			const struct vhost_user_queue *queue)
{
	bool enabled = queue->enabled ||
		!(vu->features & BIT64(VHOST_USER_F_PROTOCOL_FEATURES));

	return enabled && !vu->broken && queue->size && queue->have_addr &&
	       queue->kick >= 0;
}

bool vhost_user_resume(struct vhost_user *vu, unsigned int q)
{
	struct vhost_user_queue *queue = &vu->queues[q];
	struct vdev *dev = vu->dev;
	struct vdev_queue_setup setup = {
		.size = queue->size,
		.next_avail = queue->base,
	};

	if (queue->running || !queue_ready(vu, queue))
		return true;
	/* The lengths are those of the rings with their event index. */
	setup.desc = mem_at_uva(&dev->mem, queue->desc, 16ul * queue->size);
	setup.avail = mem_at_uva(&dev->mem, queue->avail, 6 + 2ul * queue->size);
	setup.used = mem_at_uva(&dev->mem, queue->used, 6 + 8ul * queue->size);
	if (!setup.desc || !setup.avail || !setup.used)
		return false;
	if (dev->ops->queue_start(dev, q, &setup)) {
		vu->breaking = "the driver has not accepted what a ring needs";
		return true;
	}
	queue->running = true;
	if (vu->config_changed)
		dev->transport_ops->config_changed(vu);
	/* Kicks may have been lost on the way. */
	vhost_user_process(vu, q);
	return true;
}

void vhost_user_resume_all(struct vhost_user *vu)
{
	for (unsigned int q = 0; q < vu->dev->ops->nr_queues; q++)
		if (!vhost_user_resume(vu, q))
			log_warn("ring waits for its memory queue=%u", q);
}

void vhost_user_stop(struct vhost_user *vu, unsigned int q)
{
	struct vhost_user_queue *queue = &vu->queues[q];

	vhost_user_pause(vu, q);
	if (queue->kick >= 0)
		vu->ops->unwatch(vu->ctx, q);
	close_fd(&queue->kick);
}

void vhost_user_stop_all(struct vhost_user *vu)
{
	for (unsigned int q = 0; q < vu->dev->ops->nr_queues; q++)
		vhost_user_stop(vu, q);
}

void vhost_user_close_queues(struct vhost_user *vu)
{
	vhost_user_stop_all(vu);
	for (unsigned int q = 0; q < VDEV_MAX_QUEUES; q++) {
		close_fd(&vu->queues[q].call);
		close_fd(&vu->queues[q].err);
	}
}

/* The ring that a message is about; NULL if there is none. */
static struct vhost_user_queue *named_queue(struct vhost_user *vu, uint32_t index)
{
	if (index < vu->dev->ops->nr_queues)
		return &vu->queues[index];
	vu->why = "no such queue";
	return NULL;
}

/* Start the ring that was changed if that was all it waited for. */
static enum vhost_user_result settle(struct vhost_user *vu, uint32_t index)
{
	bool running = vu->queues[index].running;

	if (!vhost_user_resume(vu, index))
		vu->breaking = "a ring that is not in guest memory";
	if (vu->queues[index].running && !running)
		log_info("queue runs queue=%u size=%u features=%#" PRIx64,
			 index, vu->queues[index].size, vu->features);
	return VU_DONE;
}

enum vhost_user_result vhost_user_set_vring_num(struct vhost_user *vu)
{
	const struct vhost_user_vring_state *state = &vu->msg.payload.state;
	struct vhost_user_queue *queue = named_queue(vu, state->index);

	if (!queue)
		return VU_BAD;
	if (queue->running)
		return vhost_user_bad(vu, "the ring is running");
	queue->size = 0;
	if (!state->num || state->num > VDEV_MAX_QUEUE_SIZE ||
	    state->num & (state->num - 1)) {
		vu->breaking = "a ring whose size is no power of two up to 1024";
		return VU_DONE;
	}
	queue->size = state->num;
	return settle(vu, state->index);
}

enum vhost_user_result vhost_user_set_vring_addr(struct vhost_user *vu)
{
	const struct vhost_user_vring_addr *addr = &vu->msg.payload.addr;
	struct vhost_user_queue *queue = named_queue(vu, addr->index);

	if (!queue)
		return VU_BAD;
	if (addr->flags)
		return vhost_user_bad(vu, "logging was not offered");
	vhost_user_pause(vu, addr->index);
	queue->have_addr = false;
	if (addr->desc % 16 || addr->avail % 2 || addr->used % 4) {
		vu->breaking = "a ring that is not aligned";
		return VU_DONE;
	}
	queue->desc = addr->desc;
	queue->avail = addr->avail;
	queue->used = addr->used;
	queue->have_addr = true;
	return settle(vu, addr->index);
}

enum vhost_user_result vhost_user_set_vring_base(struct vhost_user *vu)
{
	const struct vhost_user_vring_state *state = &vu->msg.payload.state;
	struct vhost_user_queue *queue = named_queue(vu, state->index);

	if (!queue)
		return VU_BAD;
	if (queue->running)
		return vhost_user_bad(vu, "the ring is running");
	if (state->num > UINT16_MAX)
		return vhost_user_bad(vu, "index beyond 65535");
	queue->base = (uint16_t)state->num;
	return VU_DONE;
}

/*
 * After the last ring a broken device is as good as reset: VMMs stop the rings when
 * the driver resets the device, but QEMU 11 says no status of 0.  A VMM that only
 * paused finds the same request in the ring, and the device breaks again.  Features
 * may not be said again.
 */
static void all_stopped(struct vhost_user *vu)
{
	for (unsigned int q = 0; q < vu->dev->ops->nr_queues; q++)
		if (vu->queues[q].kick >= 0)
			return;
	if (!vu->broken)
		return;
	vu->dev->ops->reset(vu->dev);
	vu->dev->ops->set_features(vu->dev, vu->features &
				   ~BIT64(VHOST_USER_F_PROTOCOL_FEATURES));
	vu->broken = false;
	vu->status &= (uint8_t)~VHOST_USER_STATUS_NEEDS_RESET;
}

enum vhost_user_result vhost_user_get_vring_base(struct vhost_user *vu)
{
	struct vhost_user_vring_state state = vu->msg.payload.state;
	struct vhost_user_queue *queue = named_queue(vu, state.index);

	if (!queue)
		return VU_BAD;
	if (queue->running)
		log_info("queue stops queue=%u", state.index);
	vhost_user_stop(vu, state.index);
	all_stopped(vu);
	state.num = queue->base;
	return vhost_user_reply(vu, &state, sizeof(state));
}

/**
 * take_file() - the file that a message names for a ring
 * @vu: the session
 * @index: set to the ring's
 * @fd: set to the file, -1 for none
 * Return: false, with a reason, if the message is not in order.
 */
static bool take_file(struct vhost_user *vu, uint32_t *index, int *fd)
{
	uint64_t word = vu->msg.payload.u64;
	bool none = word & VHOST_USER_VRING_NO_FD;
	bool one = vu->msg.nr_fds == 1;
	struct stat st;
	int flags;

	*index = word & VHOST_USER_VRING_INDEX_MASK;
	*fd = -1;
	if (word >> 9 || none == one) {
		vu->why = "says one thing about files and brings another";
		return false;
	}
	if (!named_queue(vu, *index))
		return false;
	if (none)
		return true;
	/* Neither a full counter nor an empty one may hold this program up... */
	flags = fcntl(vu->msg.fds[0], F_GETFL);
	/* ...and a disk may, whatever its flags. */
	if (fstat(vu->msg.fds[0], &st) || S_ISREG(st.st_mode) || S_ISBLK(st.st_mode)) {
		vu->why = "a file that is no signal";
		return false;
	}
	if (flags < 0 || fcntl(vu->msg.fds[0], F_SETFL, flags | O_NONBLOCK)) {
		vu->why = "the file cannot be used";
		return false;
	}
	*fd = vhost_user_msg_take_fd(&vu->msg);
	return true;
}

enum vhost_user_result vhost_user_set_vring_kick(struct vhost_user *vu)
{
	struct vhost_user_queue *queue;
	uint32_t index;
	int fd;

	if (!take_file(vu, &index, &fd))
		return VU_BAD;
	if (fd < 0)
		return vhost_user_bad(vu, "polling is not supported");
	vhost_user_stop(vu, index);
	queue = &vu->queues[index];
	if (vu->ops->watch(vu->ctx, index, fd)) {
		close(fd);
		return vhost_user_bad(vu, "the file cannot be watched");
	}
	queue->kick = fd;
	return settle(vu, index);
}

enum vhost_user_result vhost_user_set_vring_call(struct vhost_user *vu)
{
	uint32_t index;
	int fd;

	if (!take_file(vu, &index, &fd))
		return VU_BAD;
	close_fd(&vu->queues[index].call);
	vu->queues[index].call = fd;
	/* Buffers may have been used while there was nothing to signal. */
	if (vu->queues[index].running)
		vhost_user_signal(fd);
	return VU_DONE;
}

enum vhost_user_result vhost_user_set_vring_err(struct vhost_user *vu)
{
	uint32_t index;
	int fd;

	if (!take_file(vu, &index, &fd))
		return VU_BAD;
	close_fd(&vu->queues[index].err);
	vu->queues[index].err = fd;
	return VU_DONE;
}

enum vhost_user_result vhost_user_set_vring_enable(struct vhost_user *vu)
{
	const struct vhost_user_vring_state *state = &vu->msg.payload.state;
	struct vhost_user_queue *queue = named_queue(vu, state->index);

	if (!queue)
		return VU_BAD;
	if (state->num > 1)
		return vhost_user_bad(vu, "neither 0 nor 1");
	queue->enabled = state->num;
	if (!queue->enabled)
		vhost_user_pause(vu, state->index);
	return settle(vu, state->index);
}
