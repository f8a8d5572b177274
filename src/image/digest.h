/* SPDX-License-Identifier: MIT */
/* digest.h - SHA-256 as libsodium computes it, and the CRC-32 that file formats have. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define DIGEST_SIZE	32
#define DIGEST_HEX_SIZE (2 * DIGEST_SIZE + 1)

/* The lower-case hexadecimal digest of the bytes, as sha256sum prints it. */
void digest_sha256(const uint8_t *data, size_t n_data, char ret[DIGEST_HEX_SIZE]);

/* Whether the text, in lower case, is the hexadecimal form of these bytes. */
bool digest_is(const char *hex, const uint8_t bytes[DIGEST_SIZE]);

/* The CRC-32 of IEEE 802.3, bits reflected, inverted at the end, as zlib and Ethernet have it. */
uint32_t digest_crc32(const uint8_t *data, size_t n_data);
