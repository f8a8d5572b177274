/* SPDX-License-Identifier: MIT */
/*
 * serialize.h - the data that each unit has for itself: where it lies in the flash, in what form,
 * and what it is taken from. Pure; which unit has which value is the service's.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/text.h"

/* Bytes of one unit at most. */
#define SERIALIZE_MOST 64

/* A value as text: a number, or the column of a line; with the NUL. */
#define SERIALIZE_VALUE_MAX (2 * SERIALIZE_MOST + 1)

enum serialize_form {
	SERIALIZE_NONE,
	SERIALIZE_DECIMAL, /* digits as text, zeros in front */
	SERIALIZE_HEX,
	SERIALIZE_BINARY, /* little-endian */
	SERIALIZE_TEXT,	  /* a column of a file, zero bytes behind */
	SERIALIZE_BYTES,  /* the same, two hexadecimal digits a byte */
};

struct serialize {
	enum serialize_form form;
	uint32_t address;
	uint32_t size;
	uint64_t first; /* of the numbers */
	char file[256]; /* of the lines, "" for numbers */
};

/* As in struct ini_key, for a struct serialize: "address+size form first-or-file". */
int parse_serialize(const char *value, void *field, const char **ret_expected);

/*
 * The bytes of the value, `size` of them. 0, or -ERANGE where it does not fit and -EINVAL where it
 * is none of this form, with a reason that goes on after the value's place.
 */
int serialize_render(const struct serialize *serialize, const char *value,
	uint8_t to[static SERIALIZE_MOST], struct reason *reason);

/* The bytes as they are told: text where they are printable, else "0x" and digits. Returns `to`. */
#define SERIALIZE_SHOWN_MAX (2 * SERIALIZE_MOST + 3)
char *serialize_show(const uint8_t *bytes, size_t n_bytes, char to[static SERIALIZE_SHOWN_MAX]);
