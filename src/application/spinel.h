/* SPDX-License-Identifier: MIT */
/*
 * spinel.h - frames of Spinel, which an OpenThread RCP speaks (application-protocols.md 5): header,
 * command, and for a property its key and value. Numbers are packed by seven bits. Pure.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum spinel_command { SPINEL_RESET = 1, SPINEL_PROPERTY_GET = 2, SPINEL_PROPERTY_IS = 6 };

enum spinel_property { SPINEL_LAST_STATUS = 0, SPINEL_NCP_VERSION = 2 };

enum { SPINEL_TO_LOADER = 3 }; /* the reason that RESET has */

/* Statuses that say why the RCP was reset, as it says when it has started. */
enum { SPINEL_RESET_FIRST = 112, SPINEL_RESET_LAST = 127 };

/* The header of the first interface, with the number of a transaction (0: none). */
#define SPINEL_HEADER(number) (0x80 | (number))

/* A property that the RCP says. */
struct spinel_property_is {
	uint8_t header;
	uint32_t key;
	const uint8_t *value; /* in what was read */
	size_t n_value;
};

/* False: the body says no property. */
bool spinel_read(const uint8_t *body, size_t n_body, struct spinel_property_is *ret);

/* A packed number of at most three bytes at `*bytes`, which goes behind it. False: there is none.
 */
bool spinel_unpack(const uint8_t **bytes, size_t *n_bytes, uint32_t *ret);
