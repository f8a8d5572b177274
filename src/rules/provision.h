/* SPDX-License-Identifier: MIT */
/*
 * provision.h - the data that each unit has for itself: where it lies in the flash, in what form,
 * and what it is taken from. Pure; which unit has which value is the service's.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/text.h"

/* A value as text: a number, or the column of a line; with the NUL. */
#define PROVISION_VALUE_MAX (2 * PROVISION_MOST + 1)

enum provision_form {
	PROVISION_NONE,
	PROVISION_DECIMAL, /* digits as text, zeros in front */
	PROVISION_HEX,
	PROVISION_BINARY, /* little-endian */
	PROVISION_TEXT,	  /* a column of a file, zero bytes behind */
	PROVISION_BYTES,  /* the same, two hexadecimal digits a byte */
};

struct provision {
	enum provision_form form;
	uint32_t address;
	uint32_t size;
	uint64_t first; /* of the numbers */
	char file[256]; /* of the lines, "" for numbers */
};

/* As in struct ini_key, for a struct provision: "address+size form first-or-file". */
int parse_provision(const char *value, void *field, const char **ret_expected);

/*
 * The bytes of the value, `size` of them. 0, or -ERANGE where it does not fit and -EINVAL where it
 * is none of this form, with a reason that goes on after the value's place.
 */
int provision_render(const struct provision *serialize, const char *value,
	uint8_t to[static PROVISION_MOST], struct reason *reason);

/* The bytes as they are told: text where they are printable, else "0x" and digits. Returns `to`. */
char *provision_show(const uint8_t *bytes, size_t n_bytes, char to[static PROVISION_SHOWN_MAX]);
