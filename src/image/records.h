/* SPDX-License-Identifier: MIT */
/*
 * records.h - what the text formats share: a file of lines, each a record of hexadecimal digits
 * with a length and a sum, and a place for the bytes that they spell. Memory is bounded by the text
 * and by the data, never by the addresses. For ihex.c and srec.c alone.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "image/pieces.h"

#define RECORD_MAX_BYTES (255 + 5)

struct records;

/* A text format. */
struct records_format {
	const char *end;       /* what a message calls the record that ends a file: "end record" */
	const char *end_form;  /* and how it looks */
	const char *length[2]; /* what stands before and behind the length in a message */
	uint8_t n_mark;	       /* characters before the digits */
	uint8_t n_uncounted;   /* bytes that the length does not count, itself among them */
	uint8_t sum;	       /* to which all bytes of a record add up */
	/* One line that is not blank. Sets records::ended where it is the last. */
	int (*take)(struct records *records, const uint8_t *line, size_t n_line);
};

/* The first member of the format's own reader, which records_read() gets with all else set. */
struct records {
	const struct records_format *format;
	const uint8_t *text; /* what was not read yet */
	size_t n_text;
	size_t line; /* at hand, from 1 */
	struct pieces pieces;
	uint8_t *bytes; /* of the pieces, in the file's order: room for all there can be */
	bool ended;	/* the record that ends a file was met */
	bool is_whole;	/* a record proves that none is missing, also without that one */
};

/* Sets the reason, the line before it, and is IMAGE_REFUSED. `format` is a literal. */
#define records_refuse(records, format, ...) \
	image_refuse((records)->pieces.reason, "line", (records)->line, format, ##__VA_ARGS__)

/*
 * Hands the lines, without their ends (CR, LF or both) and blanks around them, to the format's
 * reader one by one, and makes the image. A byte order mark and padding behind the text are passed
 * over. IMAGE_REFUSED, besides what the reader refuses, where the end is missing or is not the end,
 * or there was no data; -ENOMEM. Afterwards nothing is left in `records` to be freed.
 */
int records_read(struct records *records, const struct records_format *format, const uint8_t *text,
	size_t n_text, const struct image_options *options, struct image *ret,
	struct reason *reason);

/*
 * The bytes of a line, the length first, the sum last. IMAGE_REFUSED where one of its characters
 * behind the mark is no digit, it is not as long as it says, that is less than `least`, or the sum
 * is wrong.
 */
int records_decode(struct records *records, const uint8_t *line, size_t n_line, unsigned least,
	uint8_t to[RECORD_MAX_BYTES]);

/* A character as a message shows it. */
const char *records_show(uint8_t c, char to[8]);

/* Keeps a copy of the bytes and notes them as a piece of this line. */
int records_add(struct records *records, uint64_t address, const uint8_t *data, uint32_t size);
