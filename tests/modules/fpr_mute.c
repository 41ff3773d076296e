// SPDX-License-Identifier: GPL-2.0
/*
 * Makes a queue of a virtio-balloon device mute, for tests: while loaded, kicks of
 * that queue get lost, so that the host never answers.
 */
#define pr_fmt(fmt) "fpr_mute: " fmt

#include <linux/kprobes.h>
#include <linux/module.h>
#include <linux/moduleparam.h>
#include <linux/string.h>
#include <linux/virtio.h>

static char *queue = "reporting_vq";
module_param(queue, charp, 0444);
MODULE_PARM_DESC(queue, "name of the queue");
static unsigned long lost;
module_param(lost, ulong, 0444);
MODULE_PARM_DESC(lost, "kicks swallowed");

/* Takes the place of virtqueue_kick(): the kick seems to have worked. */
static noinline notrace bool kick_nothing(struct virtqueue *vq)
{
	return true;
}

static int swallow(struct kprobe *kp, struct pt_regs *regs)
{
	const struct virtqueue *vq = (void *)regs_get_kernel_argument(regs, 0);

	if (!vq->name || strcmp(vq->name, queue))
		return 0;
	lost++;
	instruction_pointer_set(regs, (unsigned long)kick_nothing);
	return 1;
}

NOKPROBE_SYMBOL(swallow);

static struct kprobe kick = {
	.symbol_name = "virtqueue_kick",
	.pre_handler = swallow,
};

/* Kicks without asking whether the device wants one. */
static struct kprobe notify = {
	.symbol_name = "virtqueue_notify",
	.pre_handler = swallow,
};

static struct kprobe *probes[] = { &kick, &notify };

static int __init mute_init(void)
{
	return register_kprobes(probes, ARRAY_SIZE(probes));
}

static void __exit mute_exit(void)
{
	unregister_kprobes(probes, ARRAY_SIZE(probes));
}

module_init(mute_init);
module_exit(mute_exit);

MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("Swallows kicks of a queue, for tests of virtio_fpr");
