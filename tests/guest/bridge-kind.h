/* SPDX-License-Identifier: MIT */
/*
 * bridge-kind.h - the CP210x parts that can be played, and how they describe themselves to USB.
 *
 * Data sheets of the CP2102, CP2105 and CP2102N; the requests are AN571's.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#define BRIDGE_INTERFACES 2

struct bridge_kind {
	const char *name;
	uint8_t part_number; /* GET_PARTNUM */
	uint16_t product_id;
	const char *product;
	unsigned n_interfaces;
	const char *interfaces[BRIDGE_INTERFACES];
	uint16_t version_request; /* wValue that asks for the firmware version; 0: none */
	size_t in_size, out_size; /* bytes buffered from the chip and to the chip */
};

const struct bridge_kind *bridge_kind_find(const char *name);

/* What one bridge says of itself; ASCII. */
struct bridge_identity {
	const struct bridge_kind *kind;
	uint16_t vendor_id, product_id;
	char manufacturer[127];
	char product[127];
	char serial[127];
};

/* Answers GET_DESCRIPTOR; the number of bytes, or -EPIPE. `size` has room for 255. */
int bridge_descriptor(
	const struct bridge_identity *identity, uint16_t value, uint8_t *data, size_t size);
