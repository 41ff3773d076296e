/* SPDX-License-Identifier: GPL-2.0 */
/* Shared by the files of vhost_user*.c, nobody else's business. */
#ifndef FPR_HOST_VHOST_USER_INT_H
#define FPR_HOST_VHOST_USER_INT_H

#include "vhost_user.h"

/**
 * enum vhost_user_result - how a message was taken
 * @VU_DONE: acknowledged if the VMM wants that
 * @VU_REPLIED: answered already
 * @VU_REFUSED: not done, which the VMM is told if it wants to know
 * @VU_BAD: breaks the protocol; &vhost_user.why says how
 */
enum vhost_user_result {
	VU_DONE,
	VU_REPLIED,
	VU_REFUSED,
	VU_BAD,
};

typedef enum vhost_user_result vhost_user_handler(struct vhost_user *vu);

vhost_user_handler vhost_user_set_mem_table;
vhost_user_handler vhost_user_add_mem_reg;
vhost_user_handler vhost_user_rem_mem_reg;
vhost_user_handler vhost_user_set_vring_num;
vhost_user_handler vhost_user_set_vring_addr;
vhost_user_handler vhost_user_set_vring_base;
vhost_user_handler vhost_user_get_vring_base;
vhost_user_handler vhost_user_set_vring_kick;
vhost_user_handler vhost_user_set_vring_call;
vhost_user_handler vhost_user_set_vring_err;
vhost_user_handler vhost_user_set_vring_enable;

static inline enum vhost_user_result vhost_user_bad(struct vhost_user *vu,
						    const char *why)
{
	vu->why = why;
	return VU_BAD;
}

/* Was that feature of the protocol accepted? */
static inline bool vhost_user_negotiated(const struct vhost_user *vu,
					 unsigned int feature)
{
	return vu->protocol_features >> feature & 1;
}

/* Act on the message in hand, whatever it is; -EPROTO if that ends the session. */
int vhost_user_handle(struct vhost_user *vu);

enum vhost_user_result vhost_user_reply(struct vhost_user *vu,
					const void *payload, uint32_t size);

/* Let the device stop processing a ring; where it was is kept. */
void vhost_user_pause(struct vhost_user *vu, unsigned int q);
void vhost_user_pause_all(struct vhost_user *vu);

/**
 * vhost_user_resume() - let the device process a ring if all is known that it needs
 * Return: false if the ring is not where the memory is.
 */
bool vhost_user_resume(struct vhost_user *vu, unsigned int q);
void vhost_user_resume_all(struct vhost_user *vu);

/* Stop a ring: only another SET_VRING_KICK starts it. */
void vhost_user_stop(struct vhost_user *vu, unsigned int q);
void vhost_user_stop_all(struct vhost_user *vu);

/* Close the files of all stopped rings. */
void vhost_user_close_queues(struct vhost_user *vu);

/* Let the device look at a ring, if it runs. */
void vhost_user_process(struct vhost_user *vu, unsigned int q);

/* Signal one of the files of a ring; -1 is none. */
void vhost_user_signal(int fd);

#endif /* FPR_HOST_VHOST_USER_INT_H */
