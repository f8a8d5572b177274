/* SPDX-License-Identifier: MIT */
/* Sums and lengths made right after a change, or hardly any change would get past them. */
#include <ctype.h>
#include <stdbool.h>

#include "fuzz.h"

static unsigned byte_at(const uint8_t *digits)
{
	const char text[] = {(char)digits[0], (char)digits[1], '\0'};

	return (unsigned)strtoul(text, NULL, 16);
}

static void put_byte(uint8_t *digits, unsigned value)
{
	static const char letters[] = "0123456789ABCDEF";

	digits[0] = (uint8_t)letters[value >> 4 & 15];
	digits[1] = (uint8_t)letters[value & 15];
}

struct form {
	const char *marks;
	size_t n_mark;	    /* characters before the length */
	size_t n_uncounted; /* bytes that the length leaves out */
	unsigned total;	    /* what all bytes and the sum add up to */
};

static void mend_line(const struct form *form, uint8_t *line, size_t n, bool length)
{
	size_t n_bytes;
	unsigned sum = 0;

	while (n > 0 && isspace(line[n - 1]))
		n--;
	if (n < form->n_mark + 4 || !strchr(form->marks, line[0]) || line[0] == '\0')
		return;
	n_bytes = (n - form->n_mark) / 2;
	line += form->n_mark;
	if (length && n_bytes > form->n_uncounted && n_bytes - form->n_uncounted < 256)
		put_byte(line, (unsigned)(n_bytes - form->n_uncounted));
	for (size_t i = 0; i + 1 < n_bytes; i++)
		sum += byte_at(line + 2 * i);
	put_byte(line + 2 * (n_bytes - 1), form->total - sum);
}

static void mend_lines(const struct form *form, uint8_t *data, size_t size, bool lengths)
{
	while (size > 0) {
		uint8_t *end = memchr(data, '\n', size);
		size_t n = end ? (size_t)(end - data) : size;

		mend_line(form, data, n, lengths);
		n += end ? 1 : 0;
		data += n;
		size -= n;
	}
}

void fuzz_mend_ihex(uint8_t *data, size_t size, bool lengths)
{
	/* Length, address (2), type and sum are not counted. */
	static const struct form form = {":", 1, 5, 0x100};

	mend_lines(&form, data, size, lengths);
}

void fuzz_mend_srec(uint8_t *data, size_t size, bool lengths)
{
	static const struct form form = {"Ss", 2, 1, 0xFF};

	mend_lines(&form, data, size, lengths);
}

void fuzz_mend_crc(uint8_t *data, size_t size, bool is_inverted)
{
	uint32_t crc = 0xFFFFFFFF;

	if (size < 4)
		return;
	for (size_t i = 0; i < size - 4; i++) {
		crc ^= data[i];
		for (int bit = 0; bit < 8; bit++)
			crc = crc & 1 ? crc >> 1 ^ 0xEDB88320 : crc >> 1;
	}
	for (size_t i = 0; i < 4; i++)
		data[size - 4 + i] = (uint8_t)((is_inverted ? ~crc : crc) >> 8 * i);
}
