// SPDX-License-Identifier: GPL-2.0
#include <linux/pci_regs.h>
#include <string.h>

#include "pci_config.h"

/* First byte behind the header */
#define FIRST_CAP	0x40

/* Four hexadecimal digits, neither more nor fewer */
static bool parse_id(const char *text, uint16_t *id)
{
	unsigned int value = 0;

	for (int i = 0; i < 4; i++) {
		char c = text[i];

		value <<= 4;
		if (c >= '0' && c <= '9')
			value |= c - '0';
		else if ((c | 0x20) >= 'a' && (c | 0x20) <= 'f')
			value |= (c | 0x20) - 'a' + 10;
		else
			return false;
	}
	*id = value;
	return true;
}

static const char *check_ids(const struct pci_ids *ids, bool subsystem)
{
	if (ids->vendor == 0 || ids->vendor == 0xffff ||
	    ids->sub_vendor == 0 || ids->sub_vendor == 0xffff)
		return "has vendor id 0000 or ffff, which are no vendor's";
	if (ids->device < 0x1000 || ids->device > 0x107f)
		return "needs a device id of 1000 to 107f, where virtio is; 104d is usual";
	if (ids->device < 0x1040 && !subsystem)
		return "needs a subsystem for a device id below 1040: it names the virtio id";
	if (pci_ids_virtio_id(ids) == 0)
		return "means virtio id 0, which is no device; device id 104d means 13";
	return NULL;
}

const char *pci_ids_parse(const char *text, struct pci_ids *ids)
{
	uint16_t *fields[] = {
		&ids->vendor, &ids->device, &ids->sub_vendor, &ids->sub_device
	};
	size_t len = strlen(text);

	if (len != 9 && len != 19)
		goto malformed;
	for (size_t i = 0; 5 * i < len; i++) {
		char end = 5 * i + 4 == len ? '\0' : ':';

		if (!parse_id(&text[5 * i], fields[i]) || text[5 * i + 4] != end)
			goto malformed;
	}
	if (len == 9) {
		ids->sub_vendor = ids->vendor;
		ids->sub_device = ids->device;
	}
	return check_ids(ids, len != 9);
malformed:
	return "is VVVV:DDDD or VVVV:DDDD:SVVV:SDDD, four hexadecimal digits each";
}

unsigned int pci_ids_virtio_id(const struct pci_ids *ids)
{
	return ids->device < 0x1040 ? ids->sub_device : ids->device - 0x1040;
}

void pci_config_init(struct pci_config *config, const struct pci_ids *ids,
		     uint32_t class_code)
{
	uint8_t *data = config->data, *writable = config->writable;

	memset(config, 0, sizeof(*config));
	config->free = FIRST_CAP;
	le_put(&data[PCI_VENDOR_ID], ids->vendor, 2);
	le_put(&data[PCI_DEVICE_ID], ids->device, 2);
	le_put(&data[PCI_SUBSYSTEM_VENDOR_ID], ids->sub_vendor, 2);
	le_put(&data[PCI_SUBSYSTEM_ID], ids->sub_device, 2);
	/* Revision 1 and more: not a transitional device (virtio 1.2, 4.1.2.1) */
	data[PCI_REVISION_ID] = 1;
	le_put(&data[PCI_CLASS_PROG], class_code, 3);
	data[PCI_INTERRUPT_PIN] = 1;

	le_put(&writable[PCI_COMMAND], PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER |
	       PCI_COMMAND_PARITY | PCI_COMMAND_SERR |
	       PCI_COMMAND_INTX_DISABLE, 2);
	writable[PCI_CACHE_LINE_SIZE] = 0xff;
	writable[PCI_INTERRUPT_LINE] = 0xff;
}

void pci_config_add_bar(struct pci_config *config, unsigned int bar,
			uint32_t size)
{
	/* The bits that cannot be written tell the driver the size. */
	le_put(&config->writable[PCI_BASE_ADDRESS_0 + 4 * bar], ~(size - 1), 4);
	le_put(&config->data[PCI_BASE_ADDRESS_0 + 4 * bar],
	       PCI_BASE_ADDRESS_SPACE_MEMORY | PCI_BASE_ADDRESS_MEM_TYPE_32, 4);
}

unsigned int pci_config_add_cap(struct pci_config *config, uint8_t id,
				unsigned int len)
{
	unsigned int at = config->free;

	config->data[at + PCI_CAP_LIST_ID] = id;
	if (config->last_cap)
		config->data[config->last_cap + PCI_CAP_LIST_NEXT] = at;
	else
		config->data[PCI_CAPABILITY_LIST] = at;
	config->data[PCI_STATUS] |= PCI_STATUS_CAP_LIST;
	config->last_cap = at;
	config->free = (at + len + 3) & ~3u;
	return at;
}

void pci_config_ready(struct pci_config *config)
{
	memcpy(config->initial, config->data, sizeof(config->initial));
}

void pci_config_reset(struct pci_config *config)
{
	memcpy(config->data, config->initial, sizeof(config->data));
}

void pci_config_write(struct pci_config *config, size_t offset,
		      const void *from, size_t len)
{
	const uint8_t *bytes = from;

	for (size_t i = 0; i < len; i++) {
		uint8_t writable = config->writable[offset + i];
		uint8_t *byte = &config->data[offset + i];

		*byte = (*byte & ~writable) | (bytes[i] & writable);
	}
}
