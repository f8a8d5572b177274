/* SPDX-License-Identifier: MIT */
/*
 * deflate.c - packs with zlib, and unpacks at once what was packed.
 *
 * A boot loader takes as long for a packet as the flash takes for what comes out of it, and a
 * packet of 1 KiB may hold a whole blank partition. How much comes out of each is known only by
 * unpacking it; this shows too that the stream is whole.
 */
#include "loader/deflate.h"

#include <errno.h>
#include <stdlib.h>

#include <zlib.h>

#include "base/util.h"

/* Window and memory as zlib has them by itself: 32 KiB, which the ROM is made for. */
static int pack(const uint8_t *bytes, size_t n_bytes, struct deflate *deflate, uLongf *ret_n)
{
	uLongf n = compressBound((uLong)n_bytes);

	deflate->bytes = malloc(n);
	if (!deflate->bytes)
		return -ENOMEM;
	if (compress2(deflate->bytes, &n, bytes, (uLong)n_bytes, Z_BEST_COMPRESSION) != Z_OK)
		return -ENOMEM;
	*ret_n = n;
	return 0;
}

static void count_output(z_stream *stream, struct deflate_packet *packet)
{
	uint8_t forgotten[4096];
	uLong before = stream->total_out;

	stream->next_in = (Bytef *)packet->bytes;
	stream->avail_in = packet->n_bytes;
	do {
		stream->next_out = forgotten;
		stream->avail_out = sizeof(forgotten);
	} while (inflate(stream, Z_SYNC_FLUSH) == Z_OK && stream->avail_out == 0);
	packet->n_output = (uint32_t)(stream->total_out - before);
}

static int cut(struct deflate *deflate, size_t n_packed, uint32_t packet_size)
{
	z_stream stream = {0};

	deflate->n_packets = (n_packed + packet_size - 1) / packet_size;
	deflate->packets = calloc(deflate->n_packets, sizeof(*deflate->packets));
	if (!deflate->packets || inflateInit(&stream) != Z_OK)
		return -ENOMEM;
	for (size_t i = 0; i < deflate->n_packets; i++) {
		struct deflate_packet *packet = &deflate->packets[i];
		size_t left = n_packed - i * packet_size;

		packet->bytes = deflate->bytes + i * packet_size;
		packet->n_bytes = left < packet_size ? (uint32_t)left : packet_size;
		count_output(&stream, packet);
	}
	inflateEnd(&stream);
	return 0;
}

int deflate_new(const uint8_t *bytes, size_t n_bytes, uint32_t packet_size, struct deflate **ret)
{
	struct deflate *deflate = calloc(1, sizeof(*deflate));
	uLongf n_packed = 0;
	int r = deflate ? pack(bytes, n_bytes, deflate, &n_packed) : -ENOMEM;

	if (r == 0)
		r = cut(deflate, n_packed, packet_size);
	if (r == 0)
		*ret = TAKE_PTR(deflate);
	deflate_free(deflate);
	return r;
}

struct deflate *deflate_free(struct deflate *deflate)
{
	if (deflate) {
		free(deflate->packets);
		free(deflate->bytes);
	}
	free(deflate);
	return NULL;
}
