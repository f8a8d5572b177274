/* SPDX-License-Identifier: MIT */
/*
 * mcuboot.c - images for MCUboot (docs.mcuboot.com/design.html, "Image format"):
 *
 *	header, padded to its own length; application; protected TLVs; TLVs
 *
 * Numbers are little-endian. A block of TLVs begins with a magic and its length; one of them has
 * the SHA-256 over all before the last block.
 */
#include "chip/mcuboot.h"

#include <errno.h>
#include <inttypes.h>

#include "base/util.h"
#include "image/digest.h"

#define HEADER_BYTES	   32
#define TLV_MAGIC	   0x6907
#define PROTECTED_MAGIC	   0x6908
#define TLV_HEAD_BYTES	   4
#define TLV_SHA256	   0x10

#define FLAG_ENCRYPTED_128 0x004
#define FLAG_ENCRYPTED_256 0x008
#define FLAG_RAM_LOAD	   0x020
#define FLAG_LZMA1	   0x200
#define FLAG_LZMA2	   0x400

/* The image from its header on, gaps as 0xFF. */
struct reader {
	const uint8_t *bytes;
	uint32_t n_bytes;
	uint64_t n_hashed; /* header, application and protected TLVs */
	struct reason *reason;
};

static uint16_t half(const uint8_t *b)
{
	return (uint16_t)(b[0] | b[1] << 8);
}

static int refuse_cut(const struct reader *reader, uint64_t end)
{
	return reason_refuse(IMAGE_REFUSED, reader->reason,
		"it begins with MCUboot's header, whose image ends %" PRIu64
		" bytes behind its start, and there are %u: it was cut off, or not signed by imgtool",
		end, reader->n_bytes);
}

/* The digest of the block of TLVs at hand; without one there is nothing to compare. */
static int check_digest(const struct reader *reader, const uint8_t *tlvs, uint32_t n_tlvs)
{
	char hex[DIGEST_HEX_SIZE];

	for (uint32_t at = TLV_HEAD_BYTES; at + TLV_HEAD_BYTES <= n_tlvs;) {
		uint16_t type = half(tlvs + at), length = half(tlvs + at + 2);

		at += TLV_HEAD_BYTES;
		if (length > n_tlvs - at)
			return refuse_cut(reader, reader->n_hashed + at + length);
		if (type == TLV_SHA256 && length == DIGEST_SIZE) {
			digest_sha256(reader->bytes, (size_t)reader->n_hashed, hex);
			if (digest_is(hex, tlvs + at))
				return IMAGE_OK;
			return reason_refuse(IMAGE_REFUSED, reader->reason,
				"it begins with MCUboot's header, and its SHA-256 is not the one at its end: it is damaged");
		}
		at += length;
	}
	return IMAGE_OK;
}

static int check_tlvs(const struct reader *reader, uint64_t protected_at, bool is_opaque)
{
	uint64_t at = reader->n_hashed;
	const uint8_t *tlvs;

	/* An MCUboot that is built without validation asks for no TLVs. */
	if (at == reader->n_bytes && at == protected_at)
		return IMAGE_OK;
	if (at + TLV_HEAD_BYTES > reader->n_bytes)
		return refuse_cut(reader, at + TLV_HEAD_BYTES);
	if (at > protected_at && half(reader->bytes + protected_at) != PROTECTED_MAGIC)
		return refuse_cut(reader, at);
	tlvs = reader->bytes + at;
	if (half(tlvs) != TLV_MAGIC)
		return refuse_cut(reader, at);
	if (half(tlvs + 2) < TLV_HEAD_BYTES || half(tlvs + 2) > reader->n_bytes - at)
		return refuse_cut(reader, at + half(tlvs + 2));
	/* The digest is that of the image before it was encrypted. */
	return is_opaque ? IMAGE_OK : check_digest(reader, tlvs, half(tlvs + 2));
}

int mcuboot_check(
	const struct image *image, uint32_t address, struct mcuboot *ret, struct reason *reason)
{
	const struct segment *last = &image->segments[image->n_segments - 1];
	uint64_t n = (uint64_t)last->address + last->size - address, n_image = image_bytes(image);
	CLEANUP(freep) uint8_t *bytes = NULL;
	struct reader reader = {.reason = reason};
	uint64_t protected_at;
	uint32_t n_header, flags;

	/* imgtool leaves no gaps: behind one there is something else. */
	if (n > n_image)
		n = n_image;
	bytes = malloc((size_t)n);
	if (!bytes)
		return -ENOMEM;
	image_copy(image, address, bytes, (size_t)n);
	reader.bytes = bytes;
	reader.n_bytes = (uint32_t)n;
	if (n < HEADER_BYTES)
		return refuse_cut(&reader, HEADER_BYTES);
	n_header = half(bytes + 8);
	flags = word_at(bytes + 16);
	if (n_header < HEADER_BYTES || n_header % 4 != 0)
		return reason_refuse(IMAGE_REFUSED, reason,
			"it begins with MCUboot's header, which says that it has %u bytes: it is damaged",
			n_header);
	protected_at = (uint64_t)n_header + word_at(bytes + 12);
	reader.n_hashed = protected_at + half(bytes + 10);
	*ret = (struct mcuboot){
		.vectors = address + n_header,
		.is_opaque =
			flags & (FLAG_ENCRYPTED_128 | FLAG_ENCRYPTED_256 | FLAG_LZMA1 | FLAG_LZMA2),
		.has_load_address = flags & FLAG_RAM_LOAD,
		.load_address = word_at(bytes + 4),
	};
	return check_tlvs(&reader, protected_at, ret->is_opaque);
}
