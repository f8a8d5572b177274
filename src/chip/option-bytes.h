/* SPDX-License-Identifier: MIT */
/*
 * option-bytes.h - the option bytes of a chip as data: where each setting of its reference manual
 * lies in the area that the boot loader reads and writes, and which values are dangerous.
 *
 * Pure functions of bytes. The area is as Read Memory gives it; Write Memory takes the same bytes
 * (option-bytes.md 1).
 */
#pragma once

#include <stdbool.h>

#include "base/text.h"
#include "rules/option-keys.h"

/* The most bytes of an area that are looked at. */
#define OPTION_BYTES_MAX 256

/* How a value lies in the area; its complement is what the chip takes it by. */
enum option_form {
	OPTION_BYTES,	     /* a byte, its complement behind it (F0, F1, F3) */
	OPTION_HALF_WORDS,   /* 16 bits, their complement above (F2, F4, F7, L0, L1) */
	OPTION_DOUBLE_WORDS, /* 32 bits, their complement behind them (G0, G4, L4, C0, WB) */
};

enum option_use {
	OPTION_USE_SET,
	OPTION_USE_SHOWN,      /* plugflash never writes it */
	OPTION_USE_PROTECTION, /* read-out protection, which has a key and verbs of its own */
};

/* No pointer is in it: a table of these is relocated at no start of a program, and those pages of
 * it that nobody asks for stay on the disk. */
struct option_field {
	char name[20];	       /* of the reference manual */
	uint16_t offset;       /* of its value in the area */
	uint8_t first, n_bits; /* in that value */
	enum option_use use;
	/* What values from `from` to `to` may do. */
	enum option_danger danger;
	uint32_t from, to;
	uint8_t reason; /* of option_reason() */
};

/* That as a sentence; "" none is dangerous. */
const char *option_reason(const struct option_field *field);

struct option_layout {
	const char *word; /* in the key `option-names` of a chip's row */
	enum option_form form;
	uint16_t n_written; /* bytes from the start on, that one Write Memory brings; 0: none */
	const struct option_field *fields;
	size_t n_fields;
};

/* NULL: there is none of that word. */
const struct option_layout *option_layout_named(const char *word);

/* Upper and lower case are the same. NULL: the chip has no such setting. */
const struct option_field *option_field_named(const struct option_layout *layout, const char *name);

/* Whether the field lies in the first `n_bytes` of the area. */
bool option_is_within(
	const struct option_layout *layout, const struct option_field *field, size_t n_bytes);

/* Its value; the field lies within the bytes. */
uint32_t option_get(
	const struct option_layout *layout, const struct option_field *field, const uint8_t *bytes);

/*
 * Puts the value into the bytes, and the complement of what it lies in. OPTION_HALF_WORDS have
 * theirs only where the bytes had one before: not every such chip shows it.
 */
void option_put(const struct option_layout *layout, const struct option_field *field,
	uint32_t value, uint8_t *bytes);

/* Whether that value is one of those that option_reason() is about. */
bool option_is_dangerous(const struct option_field *field, uint32_t value);

/* What stands against a setting. */
enum option_verdict {
	OPTION_GOOD,
	OPTION_NO_SUCH,	  /* this chip has no setting of that name */
	OPTION_TOO_LARGE, /* the value */
	OPTION_NOT_SET,	  /* it can be shown, and plugflash does not write it */
	OPTION_DANGEROUS, /* more than is accepted */
};

/* `why` is a sentence on the setting where the verdict is another than OPTION_GOOD. */
enum option_verdict option_judge(const struct option_layout *layout,
	const struct option_setting *setting, enum option_danger accepted, struct reason *why);
