/* SPDX-License-Identifier: MIT */
/*
 * image.h - what is to be in the flash: sorted segments of bytes at addresses.
 *
 * Readers (ihex.c, elf.c, ...) are pure functions over a byte range; each is a row of the table in
 * image.c. Nothing here knows of a chip or of a processor.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/text.h"
#include "image/folder.h"

struct segment {
	uint32_t address;
	uint32_t size; /* bytes; address + size never wraps */
	uint8_t *data;
};

/* A part of an image that is made of several files, as the file that names them has it. */
struct image_part {
	uint32_t address;
	uint32_t size; /* bytes, never 0 */
	char *name;    /* of its file, relative to the one that names it */
};

/* What a boot loader's own file says of itself. Empty, 0 and false: nothing. */
struct image_maker {
	/* By its metadata: what it makes of the board, in the words of `fw-type`, the version and
	 * the rate of the application. Letters, digits and "._+-/" alone. */
	char fw_type[32];
	char version[64];
	uint32_t baud;
	/* By its tags: what it replaces, and where. An encrypted one does not show it. */
	bool is_encrypted;
	bool brings_application;
	bool brings_loader;
	bool brings_secure_element;
	size_t at; /* offset of the tag of one of these two */
};

/* Segments in rising order of address, none empty, none touching the next (those are merged). */
struct image {
	struct segment *segments;
	size_t n_segments;
	uint64_t n_bytes;   /* for image_add() alone, which would have to count anew each time */
	const char *format; /* name of the reader's row */
	bool is_raw;	    /* the file has no addresses: `address` of the options is where it is */
	bool is_package;    /* a boot loader's own format: it has no vector table to look at */
	struct image_maker maker; /* of such a file */

	/* Of an image of several files; none and NULL for a single one. The segments have their
	 * bytes, merged where two parts touch. All of it is the image's own, freed with it. */
	struct image_part *parts; /* in rising order of address, none overlapping the next */
	size_t n_parts;
	char *chip; /* which the files are for, by their maker's word; NULL: not said */
};

struct flasher_args;

struct image_options {
	uint32_t address;   /* where a raw image belongs */
	uint32_t max_bytes; /* more than this in all segments together is refused while reading */
	/* Of an image of several files, which parts follow the bytes of the file that names them;
	 * NULL: the data are one file. */
	const struct flasher_args *args;
};

enum image_result {
	IMAGE_OK,
	IMAGE_REFUSED, /* the reason names line or offset */
};

/*
 * Tells the format by content, confirmed by the suffix of `name` (a .hex that is none is refused,
 * not flashed raw), and reads it. Refused as well is a file that is plainly no firmware
 * (content.h), and an image whose bytes all have one value. 0, IMAGE_REFUSED with the reason, or
 * -ENOMEM. `ret` is untouched unless 0; free with image_done().
 */
int image_read(const char *name, const uint8_t *data, size_t n_data,
	const struct image_options *options, struct image *ret, struct reason *reason);

/*
 * Which parts of a large file are needed to read it, as folder_limit's `pick`: of an ELF file its
 * headers and what is loaded, however much there is of symbols and debug information.
 */
size_t image_pick_parts(const uint8_t *head, size_t n_head, uint64_t n_file, size_t max_bytes,
	struct folder_part parts[FOLDER_MAX_PARTS]);

void image_done(struct image *image);

/* The little-endian word at the address. */
uint32_t image_word(const struct image *image, uint32_t address);

/* Bytes in all segments. */
uint64_t image_bytes(const struct image *image);

/* The byte at the address, or 0xFF in a gap (what an erased flash reads). */
uint8_t image_byte(const struct image *image, uint32_t address);

/* Copies [address, address + n), 0xFF in the gaps; returns whether any byte came of a segment. */
bool image_copy(const struct image *image, uint32_t address, uint8_t *to, size_t n);

/* Index of the first segment that ends after the address; n_segments where none does. */
size_t image_find(const struct image *image, uint64_t address);

static inline uint64_t segment_end(const struct segment *segment)
{
	return (uint64_t)segment->address + segment->size;
}

/* Whether any byte of a segment lies in [address, address + size). */
bool image_touches(const struct image *image, uint32_t address, uint64_t size);

/*
 * Sees to it that the image has bytes of its own in [address, address + size): 0xFF where it had
 * none. As image_add().
 */
int image_make_room(struct image *image, uint32_t address, uint32_t size, uint32_t max_bytes,
	struct reason *reason);

/* Replaces bytes that the image has; those it has not are left out. */
void image_put(struct image *image, uint32_t address, const uint8_t *data, size_t n_data);

/* ------------------------------------------------------------------ for the readers */

struct image_format {
	const char *name;	     /* as in a sentence: "Intel HEX" */
	const char *const *suffixes; /* NULL-terminated, lower case, with the dot */
	bool is_raw, is_package;     /* as in struct image */
	/* Whether the content is of this format; NULL for the last row, raw: it takes the rest. */
	bool (*is)(const uint8_t *data, size_t n_data);
	/* See image_refuse() for the reason; image_read() puts the file before it. */
	int (*read)(const uint8_t *data, size_t n_data, const struct image_options *options,
		struct image *ret, struct reason *reason);
};

/*
 * Sets the reason, which begins with the place in the file ("line 7: ", "offset 44: "), and is
 * IMAGE_REFUSED. `format` is a literal.
 */
#define image_refuse(reason, place, number, format, ...) \
	reason_refuse(                                   \
		IMAGE_REFUSED, reason, "%s %zu: " format, place, (size_t)(number), ##__VA_ARGS__)

/*
 * Adds bytes to an image under construction (all zero at first), in any order; cheap where
 * addresses rise; pieces.h sorts for readers of files that give them in any order. IMAGE_REFUSED on
 * overlap with what is there (`reason` set with the address), wrap at 2^32 or more than
 * `max_bytes`; -ENOMEM. After a failure the image is only good for image_done().
 */
int image_add(struct image *image, uint32_t address, const uint8_t *data, size_t n_data,
	uint32_t max_bytes, struct reason *reason);

/*
 * Whether the content begins, after a byte order mark, blanks and empty lines, with `mark` and then
 * as many hexadecimal digits as the head of a HEX record has: the likeness by which text formats
 * are told.
 */
bool image_begins_with_record(const uint8_t *data, size_t n_data, const char *mark);

extern const struct image_format image_format_dfuse;
extern const struct image_format image_format_ebl;
extern const struct image_format image_format_elf;
extern const struct image_format image_format_flasher;
extern const struct image_format image_format_gbl;
extern const struct image_format image_format_ihex;
extern const struct image_format image_format_srec;
