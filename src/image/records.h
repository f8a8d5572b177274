/* SPDX-License-Identifier: MIT */
/*
 * records.h - what the text formats share: lines, hexadecimal digits, and a place for the bytes
 * that they spell. Memory is bounded by the text and by the data, never by the addresses. For
 * ihex.c and srec.c alone.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "image/pieces.h"

struct records {
	const uint8_t *text; /* what was not read yet */
	size_t n_text;
	size_t line; /* at hand, from 1 */
	struct pieces pieces;
	uint8_t *bytes; /* of the pieces, in the file's order: room for all there can be */
	bool ended;	/* the record that ends a file was met */
	bool is_whole;	/* a record proves that none is missing, also without that one */
};

/* A text format, as far as it is one of lines. */
struct records_format {
	const char *end;      /* what a message calls the record that ends a file: "end record" */
	const char *end_form; /* and how it looks */
	/* One line that is not blank. Sets records::ended where it is the last. */
	int (*take)(void *reader, const uint8_t *line, size_t n_line);
};

/* 0 or -ENOMEM. */
int records_init(struct records *records, const uint8_t *text, size_t n_text,
	const struct image_options *options, struct reason *reason);
void records_done(struct records *records);

/* Sets the reason, the line before it, and returns IMAGE_REFUSED. */
int records_refuse(struct records *records, const char *format, ...) PRINTF_LIKE(2, 3);

/*
 * Hands the lines, without their ends (CR, LF or both) and blanks around them, to the format's
 * reader one by one, and makes the image. A byte order mark and padding behind the text are passed
 * over. IMAGE_REFUSED, besides what the reader refuses, where the end is missing or is not the end,
 * or there was no data; -ENOMEM.
 */
int records_read(struct records *records, const struct records_format *format, void *reader,
	struct image *ret);

/* Whether all of the line from the index on is hexadecimal digits, in either case. */
int records_check_digits(struct records *records, const uint8_t *line, size_t n_line, size_t from);

/* The n-th byte of these digits. */
uint8_t records_byte(const uint8_t *digits, size_t n);

/* A character as a message shows it. */
const char *records_show(uint8_t c, char to[8]);

/* Keeps a copy of the bytes and notes them as a piece of this line. */
int records_add(struct records *records, uint64_t address, const uint8_t *data, uint32_t size);
