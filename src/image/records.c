/* SPDX-License-Identifier: MIT */
/* records.c - see records.h. */
#include "image/records.h"

#include <ctype.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/*
 * Behind the end of a text: DOS ends one with Ctrl-Z, XMODEM fills its last block with these, and
 * tools that write whole sectors with zeros.
 */
static bool is_padding(uint8_t c)
{
	return c == '\0' || c == 0x1A;
}

static bool is_blank(uint8_t c)
{
	return c == ' ' || c == '\t';
}

int records_init(struct records *records, const uint8_t *text, size_t n_text,
	const struct image_options *options, struct reason *reason)
{
	size_t room = n_text / 2 + 1;

	if (n_text >= 3 && memcmp(text, "\xEF\xBB\xBF", 3) == 0) {
		text += 3;
		n_text -= 3;
	}
	while (n_text > 0 && is_padding(text[n_text - 1]))
		n_text--;
	*records = (struct records){
		.text = text,
		.n_text = n_text,
		.pieces = PIECES_INIT("line", options, reason),
	};
	if (room > options->max_bytes)
		room = (size_t)options->max_bytes + 1;
	records->bytes = malloc(room);
	return records->bytes ? 0 : -ENOMEM;
}

void records_done(struct records *records)
{
	free(records->bytes);
	pieces_done(&records->pieces);
}

int records_refuse(struct records *records, const char *format, ...)
{
	char text[sizeof(records->pieces.reason->text)];
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(text, sizeof(text), format, arguments);
	va_end(arguments);
	return image_refuse(records->pieces.reason, "line", records->line, "%s", text);
}

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

		for (; n > 0 && is_blank(line[0]); n--)
			line++;
		while (n > 0 && is_blank(line[n - 1]))
			n--;
		if (n == 0)
			continue;
		*ret = line;
		*ret_n = n;
		return true;
	}
	return false;
}

int records_read(struct records *records, const struct records_format *format, void *reader,
	struct image *ret)
{
	const uint8_t *line = NULL;
	size_t n_line = 0;

	while (next_line(records, &line, &n_line)) {
		int r = IMAGE_OK;

		if (records->ended)
			return records_refuse(records,
				"expected nothing behind the %s: are these two files in one?",
				format->end);
		r = format->take(reader, line, n_line);
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

const char *records_show(uint8_t c, char to[8])
{
	if (isprint(c))
		snprintf(to, 8, "'%c'", c);
	else
		snprintf(to, 8, "0x%02x", c);
	return to;
}

int records_check_digits(struct records *records, const uint8_t *line, size_t n_line, size_t from)
{
	char shown[8];

	for (size_t i = from; i < n_line; i++)
		if (!isxdigit(line[i]))
			return records_refuse(records,
				"expected a hexadecimal digit at column %zu, seen %s", i + 1,
				records_show(line[i], shown));
	return IMAGE_OK;
}

static uint8_t digit_value(uint8_t c)
{
	return (uint8_t)(c <= '9' ? c - '0' : (c | 0x20) - 'a' + 10);
}

uint8_t records_byte(const uint8_t *digits, size_t n)
{
	return (uint8_t)(digit_value(digits[2 * n]) << 4 | digit_value(digits[2 * n + 1]));
}

int records_add(struct records *records, uint64_t address, const uint8_t *data, uint32_t size)
{
	uint8_t *copy = records->bytes + records->pieces.n_bytes;
	int r = pieces_add(&records->pieces, records->line, address, copy, size);

	if (r == IMAGE_OK)
		memcpy(copy, data, size);
	return r;
}
