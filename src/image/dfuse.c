/* SPDX-License-Identifier: MIT */
/*
 * dfuse.c - ST's DfuSe files (UM0391, "DfuSe File Format Specification", revision 1; the suffix is
 * that of USB's "Device Firmware Upgrade Specification" 1.1, appendix B).
 *
 *	prefix, then for each target: target prefix, then for each element: address, size, bytes;
 *	suffix with a CRC over all before it. Numbers are little-endian and nothing is aligned.
 */
#include <string.h>

#include "base/util.h"
#include "image/digest.h"
#include "image/image.h"
#include "image/pieces.h"

#define PREFIX_BYTES	    11
#define TARGET_PREFIX_BYTES 274
#define ELEMENT_HEAD_BYTES  8
#define SUFFIX_BYTES	    16

/* Within the target prefix. */
enum {
	TARGET_ALTERNATE_SETTING = 6,
	TARGET_SIZE = 266,
	TARGET_N_ELEMENTS = 270,
};

/* Within the suffix. */
enum {
	SUFFIX_DFU_VERSION = 6,
	SUFFIX_SIGNATURE = 8,
	SUFFIX_LENGTH = 11,
	SUFFIX_CRC = 12,
};

struct reader {
	const uint8_t *data;
	size_t at;  /* what was not read yet */
	size_t end; /* where the suffix begins */
	struct pieces *pieces;
};

/* Suffix and prefix. */
static int check_ends(const uint8_t *data, size_t n_data, struct reason *reason)
{
	size_t begin = n_data - SUFFIX_BYTES;
	const uint8_t *suffix = data + begin;
	unsigned version =
		(unsigned)(suffix[SUFFIX_DFU_VERSION] | suffix[SUFFIX_DFU_VERSION + 1] << 8);
	uint32_t crc, size;

	if (memcmp(suffix + SUFFIX_SIGNATURE, "UFD", 3) != 0)
		return image_refuse(reason, "offset", begin + SUFFIX_SIGNATURE,
			"expected 'UFD' in the suffix of a DFU file: was it cut off?");
	if (suffix[SUFFIX_LENGTH] != SUFFIX_BYTES)
		return image_refuse(reason, "offset", begin + SUFFIX_LENGTH,
			"expected a suffix of %d bytes, seen %u", SUFFIX_BYTES,
			(unsigned)suffix[SUFFIX_LENGTH]);
	if (version != 0x011A)
		return image_refuse(reason, "offset", begin + SUFFIX_DFU_VERSION,
			"expected DFU version 0x011a, which is ST's, seen 0x%04x", version);
	crc = ~digest_crc32(
		data, begin + SUFFIX_CRC); /* not inverted at the end, DFU 1.1, appendix B */
	if (crc != word_at(suffix + SUFFIX_CRC))
		return image_refuse(reason, "offset", begin + SUFFIX_CRC,
			"bad CRC: expected 0x%08X, seen 0x%08X: the file is damaged", crc,
			word_at(suffix + SUFFIX_CRC));

	if (data[5] != 1)
		return image_refuse(reason, "offset", 5,
			"expected version 1 of the format, seen %u", (unsigned)data[5]);
	/* Of the whole file, says the manual: dfuse-pack counts the suffix in, fwupd does not. */
	size = word_at(data + 6);
	if (size != n_data && size != n_data - SUFFIX_BYTES)
		return image_refuse(reason, "offset", 6,
			"the file has %zu bytes, but says %u: was it cut off?", n_data, size);
	return IMAGE_OK;
}

/* The element at hand, which may reach to `end`, that of its target. */
static int read_element(struct reader *reader, size_t end)
{
	size_t at = reader->at;
	uint32_t address, size;

	if (end - at < ELEMENT_HEAD_BYTES)
		return image_refuse(reader->pieces->reason, "offset", at,
			"expected an element's address and size, but its target ends at offset %zu",
			end);
	address = word_at(reader->data + at);
	size = word_at(reader->data + at + 4);
	if (size > end - at - ELEMENT_HEAD_BYTES)
		return image_refuse(reader->pieces->reason, "offset", at + 4,
			"an element of %u bytes, but its target ends at offset %zu", size, end);
	reader->at = at + ELEMENT_HEAD_BYTES + size;
	return pieces_add(
		reader->pieces, at, address, reader->data + at + ELEMENT_HEAD_BYTES, size);
}

/*
 * The target at hand. ST's loaders show the flash as alternate setting 0 and other memories (option
 * bytes, one-time bytes, an external flash) as further ones, in which the same addresses may mean
 * something else.
 */
static int read_target(struct reader *reader, unsigned n_targets)
{
	const uint8_t *target = reader->data + reader->at;
	struct reason *reason = reader->pieces->reason;
	size_t begin = reader->at, end;
	unsigned setting;
	uint32_t size;

	if (reader->end - begin < TARGET_PREFIX_BYTES)
		return image_refuse(reason, "offset", begin,
			"expected a target prefix of %d bytes, but the targets end at offset %zu",
			TARGET_PREFIX_BYTES, reader->end);
	if (memcmp(target, "Target", 6) != 0)
		return image_refuse(
			reason, "offset", begin, "expected 'Target' at a target's begin");
	setting = target[TARGET_ALTERNATE_SETTING];
	if (n_targets > 1 && setting != 0)
		return image_refuse(reason, "offset", begin + TARGET_ALTERNATE_SETTING,
			"one of %u targets is for alternate setting %u: only the flash, setting 0, can be written; have a file made with that alone",
			n_targets, setting);
	reader->at += TARGET_PREFIX_BYTES;
	size = word_at(target + TARGET_SIZE);
	if (size > reader->end - reader->at)
		return image_refuse(reason, "offset", begin + TARGET_SIZE,
			"a target of %u bytes, but the targets end at offset %zu", size,
			reader->end);

	end = reader->at + size;
	for (uint32_t i = word_at(target + TARGET_N_ELEMENTS); i > 0; i--) {
		int r = read_element(reader, end);

		if (r != IMAGE_OK)
			return r;
	}
	if (reader->at != end)
		return image_refuse(reason, "offset", reader->at,
			"%zu bytes of the target belong to none of its elements", end - reader->at);
	return IMAGE_OK;
}

static int dfuse_read(const uint8_t *data, size_t n_data, const struct image_options *options,
	struct image *ret, struct reason *reason)
{
	CLEANUP(pieces_done)
	struct pieces pieces = PIECES_INIT("element at offset", options, reason);
	struct reader reader = {
		.data = data,
		.at = PREFIX_BYTES,
		.end = n_data - SUFFIX_BYTES,
		.pieces = &pieces,
	};
	unsigned n_targets;
	int r;

	if (n_data < PREFIX_BYTES + SUFFIX_BYTES)
		return image_refuse(reason, "offset", n_data,
			"the file ends, but prefix and suffix alone have %d bytes: was it cut off?",
			PREFIX_BYTES + SUFFIX_BYTES);
	r = check_ends(data, n_data, reason);
	n_targets = data[10];
	for (unsigned i = 0; r == IMAGE_OK && i < n_targets; i++)
		r = read_target(&reader, n_targets);
	if (r != IMAGE_OK)
		return r;
	if (reader.at != reader.end)
		return image_refuse(reason, "offset", reader.at,
			"%zu bytes before the suffix belong to none of the %u targets",
			reader.end - reader.at, n_targets);
	if (pieces.n_items == 0)
		return image_refuse(
			reason, "offset", reader.at, "the targets end and have no byte of data");
	return pieces_build(&pieces, ret);
}

static bool dfuse_is(const uint8_t *data, size_t n_data)
{
	return n_data >= 5 && memcmp(data, "DfuSe", 5) == 0;
}

const struct image_format image_format_dfuse = {
	.name = "DfuSe",
	.suffixes = (const char *const[]){".dfu", NULL},
	.is = dfuse_is,
	.read = dfuse_read,
};
