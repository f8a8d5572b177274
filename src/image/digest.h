/* SPDX-License-Identifier: MIT */
/* digest.h - SHA-256 as libsodium computes it. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#define DIGEST_SIZE	32
#define DIGEST_HEX_SIZE (2 * DIGEST_SIZE + 1)

/* The lower-case hexadecimal digest of the bytes, as sha256sum prints it. */
void digest_sha256(const uint8_t *data, size_t n_data, char ret[DIGEST_HEX_SIZE]);
