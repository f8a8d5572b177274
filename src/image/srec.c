/* SPDX-License-Identifier: MIT */
/*
 * srec.c - Motorola S-records ("M68000 Family Programmer's Reference Manual", appendix C; S19, S28
 * and S37 after the width of their addresses).
 *
 * As strict as Intel HEX: a file that was damaged or cut off must not reach a chip. Widths may be
 * mixed, for srec_cat writes each record with the shortest that holds its address. Green Hills'
 * tools write counts (S5) of four bytes, and others end records with any address or none.
 */
#include <inttypes.h>

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
	uint8_t data[255];
};

struct reader {
	struct records records;
	size_t n_data;	   /* data records */
	size_t count_line; /* of the count record, 0 before it */
};

static void reader_done(struct reader *reader)
{
	records_done(&reader->records);
}

/* ------------------------------------------------------------------ one line, one record */

static int check_type(struct records *records, const uint8_t *line, size_t n_line)
{
	char shown[8];

	if (line[0] != 'S' && line[0] != 's')
		return records_refuse(
			records, "a record begins with 'S', seen %s", records_show(line[0], shown));
	if (n_line < 2)
		return records_refuse(records,
			"short record: expected a type and a length, seen 'S' alone: was it cut off?");
	if (line[1] < '0' || line[1] > '9' || types[line[1] - '0'].use == USE_RESERVED)
		return records_refuse(records,
			"unknown record type %s behind the 'S', expected 0 to 3 or 5 to 9",
			records_show(line[1], shown));
	return records_check_digits(records, line, n_line, 2);
}

/* The length counts what follows it, the sum included. */
static int check_length(
	struct records *records, const uint8_t *line, size_t n_line, size_t *ret_length)
{
	const size_t n_frame = 4; /* mark, type and length */
	unsigned least = types[line[1] - '0'].width + 1u;
	size_t length, n_expected;

	if (n_line < n_frame)
		return records_refuse(records,
			"short record: expected at least %zu characters, seen %zu: was it cut off?",
			n_frame + 2 * least, n_line);
	length = records_byte(line + 2, 0);
	n_expected = n_frame + 2 * length;
	if (n_line != n_expected)
		return records_refuse(records,
			"%s record: expected %zu characters for a length of %zu, seen %zu%s",
			n_line < n_expected ? "short" : "long", n_expected, length, n_line,
			n_line < n_expected ? ": was it cut off?" : "");
	if (length < least)
		return records_refuse(records,
			"expected a length of at least %u in a record of type S%c, seen %zu", least,
			line[1], length);
	*ret_length = length;
	return IMAGE_OK;
}

static int parse_record(
	struct records *records, const uint8_t *line, size_t n_line, struct record *ret)
{
	const uint8_t *digits = line + 2;
	size_t length = 0, width;
	uint8_t expected = 0xFF, seen;
	int r;

	r = check_type(records, line, n_line);
	if (r == IMAGE_OK)
		r = check_length(records, line, n_line, &length);
	if (r != IMAGE_OK)
		return r;

	/* The complement of the sum: what is left when all are taken from 0xFF. */
	for (size_t i = 0; i < length; i++)
		expected = (uint8_t)(expected - records_byte(digits, i));
	seen = records_byte(digits, length);
	if (seen != expected)
		return records_refuse(records, "bad checksum: expected 0x%02X, seen 0x%02X",
			(unsigned)expected, (unsigned)seen);

	ret->type = (uint8_t)(line[1] - '0');
	width = types[ret->type].width;
	if (types[ret->type].most > 0)
		width = length - 1 < types[ret->type].most ? length - 1 : types[ret->type].most;
	ret->width = (uint8_t)width;
	ret->address = 0;
	for (size_t i = 0; i < width; i++)
		ret->address = ret->address << 8 | records_byte(digits, 1 + i);
	ret->length = (uint8_t)(length - width - 1);
	for (size_t i = 0; i < ret->length; i++)
		ret->data[i] = records_byte(digits, 1 + width + i);
	return IMAGE_OK;
}

/* ------------------------------------------------------------------ what a record means */

static int take_count(struct reader *reader, const struct record *record)
{
	if (record->length > 0)
		return records_refuse(&reader->records,
			"expected no data bytes in a record of type S%u (count), seen %u",
			(unsigned)record->type, (unsigned)record->length);
	if (reader->count_line > 0)
		return records_refuse(&reader->records,
			"a second count of data records, the first is in line %zu",
			reader->count_line);
	/* Some tools count more than two bytes hold: such a count is no proof of a whole file. */
	reader->records.is_whole = record->address == reader->n_data;
	if (!reader->records.is_whole &&
		!(record->width == 2 && record->address == (uint16_t)reader->n_data))
		return records_refuse(&reader->records,
			"the file counts %" PRIu32
			" data records, seen %zu: is a part of it missing?",
			record->address, reader->n_data);
	/* Where it is true no end is needed: srec_cat 1.64 writes none without a start address. */
	reader->count_line = reader->records.line;
	return IMAGE_OK;
}

static int take_line(void *userdata, const uint8_t *line, size_t n_line)
{
	struct reader *reader = userdata;
	struct records *records = &reader->records;
	struct record record = {0};
	int r = parse_record(records, line, n_line, &record);

	if (r != IMAGE_OK)
		return r;
	switch (types[record.type].use) {
	case USE_HEADER: /* the name of a module, or anything else */
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
		if (record.length > 0)
			return records_refuse(records,
				"expected no data bytes in a record of type S%u (end), seen %u",
				(unsigned)record.type, (unsigned)record.length);
		records->ended = true;
		return IMAGE_OK;
	case USE_RESERVED: /* refused with the type */
		break;
	}
	return IMAGE_OK;
}

static int srec_read(const uint8_t *data, size_t n_data, const struct image_options *options,
	struct image *ret, struct reason *reason)
{
	static const struct records_format format = {
		.end = "end record", .end_form = "S7, S8 or S9", .take = take_line};
	CLEANUP(reader_done) struct reader reader = {};
	int r = records_init(&reader.records, data, n_data, options, reason);

	return r < 0 ? r : records_read(&reader.records, &format, &reader, ret);
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
