/* SPDX-License-Identifier: MIT */
/* digest.h - SHA-256 and BLAKE2b-512 as libsodium computes them, MD5 as libmd does, and the CRC-32
 * that file formats have. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/text.h"

#define DIGEST_SIZE	    32
#define DIGEST_BLAKE2B_SIZE 64
#define DIGEST_MD5_SIZE	    16

/* The lower-case hexadecimal digest of the bytes, as sha256sum prints it. */
void digest_sha256(const uint8_t *data, size_t n_data, char ret[DIGEST_HEX_SIZE]);

/* Both digests of bytes that come one after the other. */
struct digests {
	char sha256[DIGEST_HEX_SIZE];
	uint8_t blake2b[DIGEST_BLAKE2B_SIZE];
};

struct digest_stream;

/* NULL: no memory. */
struct digest_stream *digest_stream_new(void);
void digest_stream_take(struct digest_stream *stream, const uint8_t *data, size_t n_data);
void digest_stream_end(struct digest_stream *stream, struct digests *ret);
void digest_stream_free(struct digest_stream *stream);

/* Both at once. 0 or -ENOMEM. */
int digest_all(const uint8_t *data, size_t n_data, struct digests *ret);

/* Whether the text, in lower case, is the hexadecimal form of these bytes. */
bool digest_is(const char *hex, const uint8_t bytes[DIGEST_SIZE]);

/* The ROM of an ESP32 computes no other digest of its flash: it shows what was written, and proves
 * nothing to somebody who wants to deceive. */
void digest_md5(const uint8_t *data, size_t n_data, uint8_t ret[static DIGEST_MD5_SIZE]);

/* The CRC-32 of IEEE 802.3, bits reflected, inverted at the end, as zlib and Ethernet have it. */
uint32_t digest_crc32(const uint8_t *data, size_t n_data);

/* That one and the same with the polynomial of Castagnoli (0x1EDC6F41, as iSCSI has it), each with
 * its least significant byte first: the two see different faults, so that both being right by
 * accident is as rare as with 64 bits. */
#define DIGEST_SUMS_SIZE 8
void digest_sums(const uint8_t *data, size_t n_data, uint8_t ret[static DIGEST_SUMS_SIZE]);
