/* SPDX-License-Identifier: MIT */
/*
 * deflate.h - bytes packed in zlib's format, cut into the packets of a boot loader that unpacks
 * them. Pure.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

struct deflate_packet {
	const uint8_t *bytes; /* as long as the struct deflate is there */
	uint32_t n_bytes;
	uint32_t n_output; /* bytes that this packet is unpacked to, by those before it */
};

struct deflate {
	uint8_t *bytes;
	struct deflate_packet *packets;
	size_t n_packets;
};

/* Packs all bytes into packets of `packet_size` but for the last. 0 or -ENOMEM. */
int deflate_new(const uint8_t *bytes, size_t n_bytes, uint32_t packet_size, struct deflate **ret);

/* NULL is fine. Returns NULL. */
struct deflate *deflate_free(struct deflate *deflate);
