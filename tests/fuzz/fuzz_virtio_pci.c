// SPDX-License-Identifier: GPL-2.0
/*
 * The PCI function with the vendor device behind it: any accesses in any order,
 * and what the device and the client do in between.
 *
 * Input: operations, a byte each, and their operands.
 */
#define _GNU_SOURCE
#include <linux/virtio_config.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "../../src/host/device.h"
#include "../../src/host/log.h"
#include "../../src/host/virtio_pci.h"

#define RAM	0x10000

static struct device device;
static struct virtio_pci vp;
static bool line;

/* In place of log.c, which would write a line for each bad input */
void log_line(enum log_level level, const char *format, ...)
{
	char text[512];
	va_list args;

	(void)level;
	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
}

static void irq_msix(void *irq, unsigned int vector)
{
	(void)irq;
	if (vector >= virtio_pci_nr_vectors(&vp))
		abort();
}

static void irq_intx(void *irq, bool asserted)
{
	(void)irq;
	if (line == asserted)
		abort();
	line = asserted;
}

static const struct virtio_pci_irq_ops irq_ops = { irq_msix, irq_intx };

/* Operands; zeros when the input ends */
struct input {
	const uint8_t *data;
	size_t left;
};

static uint32_t take(struct input *in, size_t len)
{
	uint32_t value;

	if (len > in->left)
		len = in->left;
	value = le_get(in->data, len);
	in->data += len;
	in->left -= len;
	return value;
}

static void access_bytes(struct input *in, unsigned int op)
{
	uint8_t bytes[256] = { 0 };
	uint64_t offset = take(in, 2);
	size_t len = 1u << (op >> 4 & 3);

	if (op & 0x40)
		len = take(in, 1);
	if (op & 0x80)
		offset = take(in, 4) * 0x100000001ULL;
	if (op & 1)
		for (size_t i = 0; i < len && i < 8; i++)
			bytes[i] = take(in, 1);
	switch (op & 7) {
	case 0:
		virtio_pci_config_read(&vp, offset, bytes, len);
		break;
	case 1:
		virtio_pci_config_write(&vp, offset, bytes, len);
		break;
	case 2:
		virtio_pci_bar_read(&vp, op >> 3 & 1, offset, bytes, len);
		break;
	case 3:
		virtio_pci_bar_write(&vp, op >> 3 & 1, offset, bytes, len);
		break;
	default:
		break;
	}
}

static void write_ram(struct input *in)
{
	uint64_t at = take(in, 2);
	uint64_t len = take(in, 1);
	uint8_t *to = mem_at(&device.vdev.mem, at, len);

	for (uint64_t i = 0; i < len; i++) {
		uint8_t byte = take(in, 1);

		if (to)
			to[i] = byte;
	}
}

static void change_memory(struct input *in, int ram)
{
	uint64_t gpa = take(in, 1) << 12, size = take(in, 1) << 12;

	virtio_pci_mem_begin(&vp);
	if (gpa & 0x1000 || !mem_remove(&device.vdev.mem, 0, RAM)) {
		int fd = dup(ram);

		if (mem_add(&device.vdev.mem, gpa & 0x80000 ? gpa : 0,
			    gpa & 0x80000 ? size : RAM, 0, 0, fd))
			close(fd);
	}
	virtio_pci_mem_end(&vp);
}

static void other(struct input *in, unsigned int op, int ram)
{
	uint32_t number;

	switch (op >> 3 & 7) {
	case 0:
		virtio_pci_mask(&vp, take(in, 1), op & 0x80);
		break;
	case 1:
		virtio_pci_work(&vp);
		break;
	case 2:
		write_ram(in);
		break;
	case 3:
		change_memory(in, ram);
		break;
	case 4:
		device_set_pressure(&device, take(in, 1) & 3);
		break;
	case 5:
		device_request(&device, take(in, 1), &number);
		break;
	default:
		virtio_pci_function_reset(&vp);
		break;
	}
}

static void check(void)
{
	if (line != vp.intx || (line && !vp.isr))
		abort();
	for (unsigned int q = 0; q < VDEV_MAX_QUEUES; q++)
		if (vp.queues[q].running && (!vp.queues[q].enabled ||
		    !(vp.status & VIRTIO_CONFIG_S_DRIVER_OK)))
			abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct pci_ids ids = { 0x1234, 0x104d, 0x1234, 0x104d };
	struct input in = { data, size };
	int ram = memfd_create("ram", MFD_CLOEXEC), fd = dup(ram);

	if (ram < 0 || ftruncate(ram, RAM))
		abort();
	line = false;
	device_init(&device);
	virtio_pci_init(&vp, &device.vdev, &ids, &irq_ops, NULL);
	if (mem_add(&device.vdev.mem, 0, RAM, 0, 0, fd))
		abort();
	while (in.left) {
		unsigned int op = take(&in, 1);

		if ((op & 7) < 4)
			access_bytes(&in, op);
		else
			other(&in, op, ram);
		check();
	}
	virtio_pci_release(&vp);
	mem_clear(&device.vdev.mem);
	close(ram);
	return 0;
}
