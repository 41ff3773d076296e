/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The configuration space of a PCI function: bytes, which of them can be written,
 * and what a reset makes of them.  Knows no virtio.
 */
#ifndef FPR_HOST_PCI_CONFIG_H
#define FPR_HOST_PCI_CONFIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PCI_CONFIG_SIZE	256

/**
 * struct pci_ids - who made it, and what it is
 * @vendor: vendor id
 * @device: device id
 * @sub_vendor: subsystem vendor id; the virtio bus of a Linux guest shows this one
 * @sub_device: subsystem device id
 */
struct pci_ids {
	uint16_t vendor;
	uint16_t device;
	uint16_t sub_vendor;
	uint16_t sub_device;
};

/**
 * struct pci_config - configuration space
 * @data: as it is read
 * @writable: which bits the driver can write
 * @initial: as it is after a reset
 * @last_cap: offset of the last capability; 0 if there is none
 * @free: first byte behind the capabilities
 */
struct pci_config {
	uint8_t data[PCI_CONFIG_SIZE];
	uint8_t writable[PCI_CONFIG_SIZE];
	uint8_t initial[PCI_CONFIG_SIZE];
	unsigned int last_cap;
	unsigned int free;
};

/* Little-endian numbers of up to 8 bytes */
static inline uint64_t le_get(const void *from, size_t len)
{
	const uint8_t *bytes = from;
	uint64_t value = 0;

	while (len--)
		value = value << 8 | bytes[len];
	return value;
}

static inline void le_put(void *to, uint64_t value, size_t len)
{
	uint8_t *bytes = to;

	for (size_t i = 0; i < len; i++, value >>= 8)
		bytes[i] = value & 0xff;
}

/**
 * pci_ids_parse() - read ids from VVVV:DDDD[:SVVV:SDDD]
 * @text: four hexadecimal digits each; without a subsystem it has the same ids
 * @ids: set on success
 *
 * The device id must lie in what Linux' virtio-pci accepts from any vendor: 0x1040
 * to 0x107f, the virtio device id being what exceeds 0x1040; or 0x1000 to 0x103f,
 * where the subsystem device id is the virtio device id, and must be given.
 *
 * Return: NULL, or what is wrong: a sentence without its subject.
 */
const char *pci_ids_parse(const char *text, struct pci_ids *ids);

/* The virtio device id that a Linux guest takes these ids for. */
unsigned int pci_ids_virtio_id(const struct pci_ids *ids);

/**
 * pci_config_init() - begin a function without BARs and capabilities
 * @config: configuration space
 * @ids: ids
 * @class_code: class, subclass and interface in one number of three bytes
 */
void pci_config_init(struct pci_config *config, const struct pci_ids *ids,
		     uint32_t class_code);

/* A 32-bit memory BAR; @size is a power of two, at least 16. */
void pci_config_add_bar(struct pci_config *config, unsigned int bar,
			uint32_t size);

/**
 * pci_config_add_cap() - append a capability
 * @config: configuration space
 * @id: capability id
 * @len: bytes, with the two that every capability begins with
 *
 * Return: its offset.
 */
unsigned int pci_config_add_cap(struct pci_config *config, uint8_t id,
				unsigned int len);

/* What was set up until now is what a reset restores. */
void pci_config_ready(struct pci_config *config);
void pci_config_reset(struct pci_config *config);

/* Whether [offset, offset + len) lies in the configuration space */
static inline bool pci_config_has(uint64_t offset, uint64_t len)
{
	return offset <= PCI_CONFIG_SIZE && len <= PCI_CONFIG_SIZE - offset;
}

/* Write what can be written; the range lies within. */
void pci_config_write(struct pci_config *config, size_t offset,
		      const void *from, size_t len);

static inline uint16_t pci_config_get16(const struct pci_config *config,
					size_t offset)
{
	return le_get(&config->data[offset], 2);
}

#endif /* FPR_HOST_PCI_CONFIG_H */
