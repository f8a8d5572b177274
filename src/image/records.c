/* SPDX-License-Identifier: MIT */
/* records.c - see records.h. */
#include "image/records.h"

#include <ctype.h>
#include <errno.h>
#include <string.h>

#include "base/parse.h"

/* The next line that is not blank; false at the end. */
static bool next_line(struct records *records, const uint8_t **ret, size_t *ret_n)
{
	while (records->n_text > 0) {
		const uint8_t *line = records->text;
		size_t n = 0, n_end = 0;

		while (n < records->n_text && line[n] != '\n' && line[n] != '\r')
			n++;
		if (n < records->n_text)
			n_end = 1;
		if (n + 1 < records->n_text && line[n] == '\r' && line[n + 1] == '\n')
			n_end = 2;
		records->text += n + n_end;
		records->n_text -= n + n_end;
		records->line++;

		for (; n > 0 && text_is_blank((char)line[0]); n--)
			line++;
		while (n > 0 && text_is_blank((char)line[n - 1]))
			n--;
		if (n == 0)
			continue;
		*ret = line;
		*ret_n = n;
		return true;
	}
	return false;
}

static int take_lines(struct records *records, struct image *ret)
{
	const struct records_format *format = records->format;
	const uint8_t *line = NULL;
	size_t n_line = 0;

	while (next_line(records, &line, &n_line)) {
		int r;

		if (records->ended)
			return records_refuse(records,
				"expected nothing behind the %s: are these two files in one?",
				format->end);
		r = format->take(records, line, n_line);
		if (r != IMAGE_OK)
			return r;
	}
	if (!records->ended && !records->is_whole)
		return records_refuse(records, "the file ends without an %s (%s): it was cut off",
			format->end, format->end_form);
	if (records->pieces.n_items == 0)
		return records_refuse(records, "the file ends and has no data record");
	return pieces_build(&records->pieces, ret);
}

int records_read(struct records *records, const struct records_format *format, const uint8_t *text,
	size_t n_text, const struct image_options *options, struct image *ret,
	struct reason *reason)
{
	size_t room = n_text / 2 + 1;
	int r;

	if (n_text >= 3 && memcmp(text, "\xEF\xBB\xBF", 3) == 0) {
		text += 3;
		n_text -= 3;
	}
	/*
	 * Behind the end of a text: DOS ends one with Ctrl-Z, XMODEM fills its last block with
	 * these, and tools that write whole sectors with zeros.
	 */
	while (n_text > 0 && (text[n_text - 1] == '\0' || text[n_text - 1] == 0x1A))
		n_text--;
	if (room > options->max_bytes)
		room = (size_t)options->max_bytes + 1;
	*records = (struct records){
		.format = format,
		.text = text,
		.n_text = n_text,
		.pieces = PIECES_INIT("line", options, reason),
		.bytes = malloc(room),
	};
	r = records->bytes ? take_lines(records, ret) : -ENOMEM;
	free(records->bytes);
	pieces_done(&records->pieces);
	return r;
}

const char *records_show(uint8_t c, char to[8])
{
	if (isprint(c))
		snprintf(to, 8, "'%c'", c);
	else
		snprintf(to, 8, "0x%02x", c);
	return to;
}

static uint8_t byte_at(const uint8_t *digits)
{
	return (uint8_t)(digit_value((char)digits[0]) << 4 | digit_value((char)digits[1]));
}

int records_decode(struct records *records, const uint8_t *line, size_t n_line, unsigned least,
	uint8_t to[RECORD_MAX_BYTES])
{
	const struct records_format *format = records->format;
	const uint8_t *digits = line + format->n_mark;
	size_t n_frame = format->n_mark + 2u * format->n_uncounted, n_expected, length, n;
	uint8_t sum = format->sum;
	char shown[8];

	for (size_t i = format->n_mark; i < n_line; i++)
		if (digit_value((char)line[i]) > 15)
			return records_refuse(records,
				"expected a hexadecimal digit at column %zu, seen %s", i + 1,
				records_show(line[i], shown));
	if (n_line < n_frame)
		return records_refuse(records,
			"short record: expected at least %zu characters, seen %zu: was it cut off?",
			n_frame + 2 * least, n_line);
	length = byte_at(digits);
	n_expected = n_frame + 2 * length;
	if (n_line != n_expected)
		return records_refuse(records,
			"%s record: expected %zu characters for %s%zu%s, seen %zu%s",
			n_line < n_expected ? "short" : "long", n_expected, format->length[0],
			length, format->length[1], n_line,
			n_line < n_expected ? ": was it cut off?" : "");
	if (length < least)
		return records_refuse(records,
			"expected a length of at least %u in a record of type %.*s, seen %zu",
			least, (int)format->n_mark, (const char *)line, length);

	n = length + format->n_uncounted;
	for (size_t i = 0; i < n; i++)
		to[i] = byte_at(digits + 2 * i);
	for (size_t i = 0; i + 1 < n; i++)
		sum = (uint8_t)(sum - to[i]);
	if (to[n - 1] != sum)
		return records_refuse(records, "bad checksum: expected 0x%02X, seen 0x%02X",
			(unsigned)sum, (unsigned)to[n - 1]);
	return IMAGE_OK;
}

int records_add(struct records *records, uint64_t address, const uint8_t *data, uint32_t size)
{
	uint8_t *copy = records->bytes + records->pieces.n_bytes;
	int r = pieces_add(&records->pieces, records->line, address, copy, size);

	if (r == IMAGE_OK)
		memcpy(copy, data, size);
	return r;
}
