/* SPDX-License-Identifier: MIT */
#include "guest/bridge-kind.h"

#include <errno.h>
#include <string.h>

#include "base/util.h"

static const struct bridge_kind kinds[] = {
	{
		.name = "cp2102",
		.part_number = 0x02,
		.product_id = 0xEA60,
		.product = "CP2102 USB to UART Bridge Controller",
		.n_interfaces = 1,
		.in_size = 576,
		.out_size = 640,
	},
	{
		.name = "cp2102n",
		.part_number = 0x20,
		.product_id = 0xEA60,
		.product = "CP2102N USB to UART Bridge Controller",
		.n_interfaces = 1,
		.version_request = 0x0010,
		.in_size = 512,
		.out_size = 512,
	},
	{
		.name = "cp2105",
		.part_number = 0x05,
		.product_id = 0xEA70,
		.product = "CP2105 Dual USB to UART Bridge Controller",
		.n_interfaces = 2,
		.interfaces = {"Enhanced Com Port", "Standard Com Port"},
		.version_request = 0x000E,
		.in_size = 288,
		.out_size = 128,
	},
};

enum { TYPE_DEVICE = 1, TYPE_CONFIGURATION = 2, TYPE_STRING = 3 };
enum { STRING_MANUFACTURER = 1, STRING_PRODUCT = 2, STRING_SERIAL = 3, STRING_INTERFACE = 4 };

const struct bridge_kind *bridge_kind_find(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++)
		if (strcmp(kinds[i].name, name) == 0)
			return &kinds[i];
	return NULL;
}

static int give(const uint8_t *from, size_t n, uint8_t *data, size_t size)
{
	if (n > size)
		n = size;
	memcpy(data, from, n);
	return (int)n;
}

static int device(const struct bridge_identity *identity, uint8_t *data, size_t size)
{
	const uint8_t descriptor[18] = {
		18,
		TYPE_DEVICE,
		0x10,
		0x01,
		0,
		0,
		0,
		64,
		(uint8_t)identity->vendor_id,
		(uint8_t)(identity->vendor_id >> 8),
		(uint8_t)identity->product_id,
		(uint8_t)(identity->product_id >> 8),
		0x00,
		0x01,
		identity->manufacturer[0] ? STRING_MANUFACTURER : 0,
		identity->product[0] ? STRING_PRODUCT : 0,
		identity->serial[0] ? STRING_SERIAL : 0,
		1,
	};

	return give(descriptor, sizeof(descriptor), data, size);
}

/* An interface of the vendor's class with a bulk endpoint each way, 64 bytes as full speed has. */
static int configuration(const struct bridge_identity *identity, uint8_t *data, size_t size)
{
	const struct bridge_kind *kind = identity->kind;
	uint8_t all[9 + BRIDGE_INTERFACES * 23];
	size_t n = 9 + kind->n_interfaces * 23;
	const uint8_t head[9] = {
		9, TYPE_CONFIGURATION, (uint8_t)n, 0, (uint8_t)kind->n_interfaces, 1, 0, 0x80, 50};

	memcpy(all, head, sizeof(head));
	for (unsigned i = 0; i < kind->n_interfaces; i++) {
		const uint8_t interface[23] = {
			9,
			4,
			(uint8_t)i,
			0,
			2,
			0xFF,
			0,
			0,
			kind->interfaces[i] ? (uint8_t)(STRING_INTERFACE + i) : STRING_PRODUCT,
			7,
			5,
			(uint8_t)(0x81 + i),
			2,
			64,
			0,
			0,
			7,
			5,
			(uint8_t)(0x01 + i),
			2,
			64,
			0,
			0,
		};

		memcpy(all + 9 + i * 23, interface, sizeof(interface));
	}
	return give(all, n, data, size);
}

static int text(const char *characters, uint8_t *data, size_t size)
{
	size_t n = strlen(characters);
	uint8_t all[255] = {(uint8_t)(2 + 2 * n), TYPE_STRING};

	for (size_t i = 0; i < n; i++)
		all[2 + 2 * i] = (uint8_t)characters[i];
	return give(all, 2 + 2 * n, data, size);
}

static int string(
	const struct bridge_identity *identity, unsigned index, uint8_t *data, size_t size)
{
	static const uint8_t languages[4] = {4, TYPE_STRING, 0x09, 0x04};

	switch (index) {
	case 0:
		return give(languages, sizeof(languages), data, size);
	case STRING_MANUFACTURER:
		return text(identity->manufacturer, data, size);
	case STRING_PRODUCT:
		return text(identity->product, data, size);
	case STRING_SERIAL:
		return text(identity->serial, data, size);
	}
	index -= STRING_INTERFACE;
	if (index >= identity->kind->n_interfaces || !identity->kind->interfaces[index])
		return -EPIPE;
	return text(identity->kind->interfaces[index], data, size);
}

int bridge_descriptor(
	const struct bridge_identity *identity, uint16_t value, uint8_t *data, size_t size)
{
	switch (value >> 8) {
	case TYPE_DEVICE:
		return device(identity, data, size);
	case TYPE_CONFIGURATION:
		return configuration(identity, data, size);
	case TYPE_STRING:
		return string(identity, value & 0xFF, data, size);
	}
	/* Above all the device qualifier: a part without high speed has none. */
	return -EPIPE;
}
