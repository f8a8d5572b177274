/* SPDX-License-Identifier: MIT */
/*
 * ihex.c - Intel HEX ("Hexadecimal Object File Format Specification", revision A, Intel 1988).
 *
 *	':', then in digits: length of the data, offset (2 bytes), type, data, sum
 *
 * All bytes of a record add up to 0. The address of data is the offset behind a base, which comes
 * in records of its own. Behind a segment address the offset wraps inside its 64 KiB; behind a
 * linear one, and without any, the address runs on.
 *
 * Strict: whatever the specification does not allow is refused with its line, for a file that was
 * damaged or cut off must not reach a chip. Memory is bounded by the data, never by the addresses.
 */
#include "base/util.h"
#include "image/image.h"
#include "image/records.h"

enum record_type {
	RECORD_DATA,
	RECORD_END,
	RECORD_SEGMENT_ADDRESS,
	RECORD_SEGMENT_START,
	RECORD_LINEAR_ADDRESS,
	RECORD_LINEAR_START,
};

struct reader {
	struct records records;
	bool segmented; /* the base is of a segment address record */
	uint32_t base;
};

static int take_data(struct reader *reader, uint32_t offset, const uint8_t *data, uint32_t n_data)
{
	uint32_t until_wrap = 0x10000 - offset, n = n_data;
	int r;

	if (reader->segmented && n > until_wrap)
		n = until_wrap;
	r = records_add(&reader->records, (uint64_t)reader->base + offset, data, n);
	return r == IMAGE_OK ? records_add(&reader->records, reader->base, data + n, n_data - n)
			     : r;
}

static int take_base(struct reader *reader, bool segmented, uint32_t value)
{
	/* Tools differ in whether the older base still counts; at 0 it makes no difference. */
	if (reader->base != 0 && segmented != reader->segmented)
		return records_refuse(&reader->records,
			"segment (02) and linear (04) address records in one file: which one counts is not defined; have it written with linear ones only");
	reader->segmented = segmented;
	reader->base = value << (segmented ? 4 : 16);
	return IMAGE_OK;
}

static int take_line(struct records *records, const uint8_t *line, size_t n_line)
{
	static const struct {
		const char *name;
		int length; /* -1: any */
	} forms[] = {
		[RECORD_DATA] = {"data", -1},
		/* The offset means nothing in these; old tools keep a start address there. */
		[RECORD_END] = {"end-of-file", 0},
		[RECORD_SEGMENT_ADDRESS] = {"segment address", 2},
		[RECORD_SEGMENT_START] = {"segment start", 4},
		[RECORD_LINEAR_ADDRESS] = {"linear address", 2},
		[RECORD_LINEAR_START] = {"linear start", 4},
	};
	struct reader *reader = (struct reader *)records;
	uint8_t bytes[RECORD_MAX_BYTES], length, type;
	const uint8_t *data = bytes + 4;
	char shown[8];
	int r;

	if (line[0] != ':')
		return records_refuse(
			records, "a record begins with ':', seen %s", records_show(line[0], shown));
	r = records_decode(records, line, n_line, 0, bytes);
	if (r != IMAGE_OK)
		return r;
	length = bytes[0];
	type = bytes[3];
	if (type >= ARRAY_SIZE(forms))
		return records_refuse(
			records, "unknown record type %02X, expected 00 to 05", (unsigned)type);
	if (forms[type].length >= 0 && forms[type].length != length)
		return records_refuse(records,
			"expected %d data bytes in a record of type %02X (%s), seen %u",
			forms[type].length, (unsigned)type, forms[type].name, (unsigned)length);

	switch ((enum record_type)type) {
	case RECORD_DATA:
		return take_data(reader, (uint32_t)(bytes[1] << 8 | bytes[2]), data, length);
	case RECORD_END:
		records->ended = true;
		return IMAGE_OK;
	case RECORD_SEGMENT_ADDRESS:
	case RECORD_LINEAR_ADDRESS:
		return take_base(
			reader, type == RECORD_SEGMENT_ADDRESS, (uint32_t)(data[0] << 8 | data[1]));
	case RECORD_SEGMENT_START:
	case RECORD_LINEAR_START:
		return IMAGE_OK; /* where a debugger would begin: the chip has its vector table */
	}
	return IMAGE_OK;
}

static int ihex_read(const uint8_t *data, size_t n_data, const struct image_options *options,
	struct image *ret, struct reason *reason)
{
	static const struct records_format format = {
		.end = "end-of-file record",
		.end_form = "':00000001FF'",
		.length = {"", " data bytes"},
		.n_mark = 1,
		.n_uncounted = 5,
		.take = take_line,
	};
	struct reader reader = {};

	return records_read(&reader.records, &format, data, n_data, options, ret, reason);
}

static bool ihex_is(const uint8_t *data, size_t n_data)
{
	return image_begins_with_record(data, n_data, ":");
}

const struct image_format image_format_ihex = {
	.name = "Intel HEX",
	.suffixes = (const char *const[]){".hex", ".ihex", ".ihx", NULL},
	.is = ihex_is,
	.read = ihex_read,
};
