/* SPDX-License-Identifier: MIT */
/*
 * ihex.c - Intel HEX ("Hexadecimal Object File Format Specification", revision A, Intel 1988).
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

struct record {
	uint8_t length;
	uint16_t offset;
	uint8_t type;
	uint8_t data[255];
};

struct reader {
	struct records records;
	bool segmented; /* the base is of a segment address record */
	uint32_t base;
};

static void reader_done(struct reader *reader)
{
	records_done(&reader->records);
}

/* ------------------------------------------------------------------ one line, one record */

/* The form that all records share: mark, digits, length, sum. */
static int parse_record(
	struct records *records, const uint8_t *line, size_t n_line, struct record *ret)
{
	const size_t n_frame = 11; /* the mark, and length, offset, type and sum in digits */
	const uint8_t *digits = line + 1;
	size_t length;
	uint8_t sum = 0;
	char shown[8];
	int r;

	if (line[0] != ':')
		return records_refuse(
			records, "a record begins with ':', seen %s", records_show(line[0], shown));
	r = records_check_digits(records, line, n_line, 1);
	if (r != IMAGE_OK)
		return r;
	if (n_line < n_frame)
		return records_refuse(records,
			"short record: expected at least %zu characters, seen %zu: was it cut off?",
			n_frame, n_line);
	length = records_byte(digits, 0);
	if (n_line != n_frame + 2 * length)
		return records_refuse(records,
			"%s record: expected %zu characters for %zu data bytes, seen %zu%s",
			n_line < n_frame + 2 * length ? "short" : "long", n_frame + 2 * length,
			length, n_line, n_line < n_frame + 2 * length ? ": was it cut off?" : "");

	/* All bytes with the sum add up to zero. */
	for (size_t i = 0; i < length + 4; i++)
		sum = (uint8_t)(sum + records_byte(digits, i));
	if ((uint8_t)(sum + records_byte(digits, length + 4)) != 0)
		return records_refuse(records, "bad checksum: expected 0x%02X, seen 0x%02X",
			(unsigned)(uint8_t)-sum, (unsigned)records_byte(digits, length + 4));

	ret->length = (uint8_t)length;
	ret->offset = (uint16_t)(records_byte(digits, 1) << 8 | records_byte(digits, 2));
	ret->type = records_byte(digits, 3);
	for (size_t i = 0; i < length; i++)
		ret->data[i] = records_byte(digits, 4 + i);
	return IMAGE_OK;
}

/* ------------------------------------------------------------------ what a record means */

/*
 * Behind a segment address the offset wraps inside its 64 KiB; behind a linear one (and without
 * any) the address runs on.
 */
static int take_data(struct reader *reader, const struct record *record)
{
	uint32_t until_wrap = 0x10000 - record->offset, first = record->length;
	int r;

	if (reader->segmented && first > until_wrap)
		first = until_wrap;
	if (first == 0)
		return IMAGE_OK;
	r = records_add(
		&reader->records, (uint64_t)reader->base + record->offset, record->data, first);
	if (r == IMAGE_OK && first < record->length)
		r = records_add(&reader->records, reader->base, record->data + first,
			record->length - first);
	return r;
}

static int take_base(struct reader *reader, const struct record *record)
{
	bool segmented = record->type == RECORD_SEGMENT_ADDRESS;
	uint32_t value = (uint32_t)(record->data[0] << 8 | record->data[1]);

	/* Tools differ in whether the older base still counts; at 0 it makes no difference. */
	if (reader->base != 0 && segmented != reader->segmented)
		return records_refuse(&reader->records,
			"segment (02) and linear (04) address records in one file: which one counts is not defined; have it written with linear ones only");
	reader->segmented = segmented;
	reader->base = value << (segmented ? 4 : 16);
	return IMAGE_OK;
}

static int take_line(void *userdata, const uint8_t *line, size_t n_line)
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

	struct reader *reader = userdata;
	struct record made = {0};
	const struct record *record = &made;
	int r = parse_record(&reader->records, line, n_line, &made);

	if (r != IMAGE_OK)
		return r;
	if (record->type >= ARRAY_SIZE(forms))
		return records_refuse(&reader->records,
			"unknown record type %02X, expected 00 to 05", (unsigned)record->type);
	if (forms[record->type].length >= 0 && forms[record->type].length != record->length)
		return records_refuse(&reader->records,
			"expected %d data bytes in a record of type %02X (%s), seen %u",
			forms[record->type].length, (unsigned)record->type,
			forms[record->type].name, (unsigned)record->length);

	switch ((enum record_type)record->type) {
	case RECORD_DATA:
		return take_data(reader, record);
	case RECORD_END:
		reader->records.ended = true;
		return IMAGE_OK;
	case RECORD_SEGMENT_ADDRESS:
	case RECORD_LINEAR_ADDRESS:
		return take_base(reader, record);
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
		.end = "end-of-file record", .end_form = "':00000001FF'", .take = take_line};
	CLEANUP(reader_done) struct reader reader = {};
	int r = records_init(&reader.records, data, n_data, options, reason);

	return r < 0 ? r : records_read(&reader.records, &format, &reader, ret);
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
