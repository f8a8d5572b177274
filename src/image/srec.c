/* SPDX-License-Identifier: MIT */
/*
 * srec.c - Motorola S-records ("M68000 Family Programmer's Reference Manual", appendix C; S19, S28
 * and S37 after the width of their addresses).
 *
 *	'S' and the type, then in digits: length of what follows, address, data, sum
 *
 * All bytes of a record add up to 0xFF. As strict as Intel HEX: a file that was damaged or cut off
 * must not reach a chip. Widths may be mixed, for srec_cat writes each record with the shortest
 * that holds its address. Green Hills' tools write counts (S5) of four bytes, and others end
 * records with any address or none.
 */

#include "base/util.h"
#include "image/image.h"
#include "image/records.h"

enum use { USE_HEADER, USE_DATA, USE_RESERVED, USE_COUNT, USE_END };

/* By the digit behind the S. */
static const struct {
	enum use use;
	uint8_t width; /* bytes of address, count or start address, at least */
	uint8_t most;  /* where there may be more, and data there is none */
} types[] = {
	{USE_HEADER, 2, 0},
	{USE_DATA, 2, 0},
	{USE_DATA, 3, 0},
	{USE_DATA, 4, 0},
	{USE_RESERVED, 0, 0},
	{USE_COUNT, 2, 4},
	{USE_COUNT, 3, 4},
	{USE_END, 0, 4},
	{USE_END, 0, 4},
	{USE_END, 0, 4},
};

struct record {
	uint8_t type;
	uint32_t address; /* or what stands in its place */
	uint8_t width;	  /* its bytes */
	uint8_t length;
	const uint8_t *data;
};

struct reader {
	struct records records;
	size_t n_data;	   /* data records */
	size_t count_line; /* of the count record, 0 before it */
};

/* The bytes are those of the line, which the record points into. */
static int parse_record(struct records *records, const uint8_t *line, size_t n_line,
	uint8_t bytes[RECORD_MAX_BYTES], struct record *ret)
{
	uint8_t type, width;
	char shown[8];
	int r;

	if (line[0] != 'S' && line[0] != 's')
		return records_refuse(
			records, "a record begins with 'S', seen %s", records_show(line[0], shown));
	if (n_line < 2)
		return records_refuse(records,
			"short record: expected a type and a length, seen 'S' alone: was it cut off?");
	type = (uint8_t)(line[1] - '0');
	if (type >= ARRAY_SIZE(types) || types[type].use == USE_RESERVED)
		return records_refuse(records,
			"unknown record type %s behind the 'S', expected 0 to 3 or 5 to 9",
			records_show(line[1], shown));
	r = records_decode(records, line, n_line, types[type].width + 1u, bytes);
	if (r != IMAGE_OK)
		return r;

	width = types[type].width;
	if (types[type].most > 0)
		width = bytes[0] - 1 < types[type].most ? (uint8_t)(bytes[0] - 1)
							: types[type].most;
	*ret = (struct record){
		.type = type,
		.width = width,
		.length = (uint8_t)(bytes[0] - width - 1),
		.data = bytes + 1 + width,
	};
	for (size_t i = 0; i < width; i++)
		ret->address = ret->address << 8 | bytes[1 + i];
	return IMAGE_OK;
}

static int take_count(struct reader *reader, const struct record *record)
{
	if (reader->count_line > 0)
		return records_refuse(&reader->records,
			"a second count of data records, the first is in line %zu",
			reader->count_line);
	/* A count of two bytes is too short for what some tools count with it: then no proof. */
	reader->records.is_whole = record->address == reader->n_data;
	if (!reader->records.is_whole &&
		!(record->width == 2 && record->address == (uint16_t)reader->n_data))
		return records_refuse(&reader->records,
			"the file counts %u data records, seen %zu: is a part of it missing?",
			record->address, reader->n_data);
	/* Where it is true no end is needed: srec_cat 1.64 writes none without a start address. */
	reader->count_line = reader->records.line;
	return IMAGE_OK;
}

static int take_line(struct records *records, const uint8_t *line, size_t n_line)
{
	struct reader *reader = (struct reader *)records;
	uint8_t bytes[RECORD_MAX_BYTES];
	struct record record = {0};
	enum use use;
	int r = parse_record(records, line, n_line, bytes, &record);

	if (r != IMAGE_OK)
		return r;
	use = types[record.type].use;
	if (record.length > 0 && (use == USE_COUNT || use == USE_END))
		return records_refuse(records,
			"expected no data bytes in a record of type S%u (%s), seen %u",
			(unsigned)record.type, use == USE_END ? "end" : "count",
			(unsigned)record.length);
	switch (use) {
	case USE_HEADER: /* the name of a module, or what a tool likes to say */
		if (reader->n_data > 0)
			return records_refuse(records,
				"a header record (S0) behind data: are these two files in one?");
		return IMAGE_OK;
	case USE_DATA:
		if (reader->count_line > 0)
			return records_refuse(records,
				"a data record behind the count of data records in line %zu",
				reader->count_line);
		reader->n_data++;
		return records_add(records, record.address, record.data, record.length);
	case USE_COUNT:
		return take_count(reader, &record);
	case USE_END: /* its start address is for debuggers: the chip has its vector table */
		records->ended = true;
		return IMAGE_OK;
	case USE_RESERVED:
		break; /* refused with the type */
	}
	return IMAGE_OK;
}

static int srec_read(const uint8_t *data, size_t n_data, const struct image_options *options,
	struct image *ret, struct reason *reason)
{
	static const struct records_format format = {
		.end = "end record",
		.end_form = "S7, S8 or S9",
		.length = {"a length of ", ""},
		.n_mark = 2,
		.n_uncounted = 1,
		.sum = 0xFF,
		.take = take_line,
	};
	struct reader reader = {};

	return records_read(&reader.records, &format, data, n_data, options, ret, reason);
}

static bool srec_is(const uint8_t *data, size_t n_data)
{
	for (char type = '0'; type <= '9'; type++)
		if (image_begins_with_record(data, n_data, (char[]){'S', type, '\0'}) ||
			image_begins_with_record(data, n_data, (char[]){'s', type, '\0'}))
			return true;
	return false;
}

const struct image_format image_format_srec = {
	.name = "Motorola S-record",
	.suffixes = (const char *const[]){".srec", ".s19", ".s28", ".s37", ".mot", NULL},
	.is = srec_is,
	.read = srec_read,
};
