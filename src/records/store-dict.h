/* SPDX-License-Identifier: MIT */
/*
 * store-dict.h - rows of the store and counts as named values, for the bus; and the names and
 * places of these values, which `history --json` tells too.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "api/dict.h"
#include "records/count.h"
#include "records/store.h"

enum store_field_kind {
	STORE_TEXT,	  /* char[] */
	STORE_DESCRIPTOR, /* char[], of a USB descriptor: told as text_identifier() has it */
	STORE_PORT,	  /* char[], a device node, of which the name alone is told */
	STORE_NUMBER,	  /* uint32_t */
	STORE_ID,	  /* int64_t */
	STORE_TIME,	  /* int64_t, milliseconds since 1970, 0: none */
	STORE_WORD,	  /* what `word` makes of the row, "" not known */
};

struct store_field {
	const char *name;
	enum store_field_kind kind;
	size_t offset;
	const char *(*word)(const void *row);
};

/* Of an attempt besides its report, and of a unit; each closed by one without a name. */
extern const struct store_field attempt_fields[];
extern const struct store_field unit_fields[];

#define STORE_SHOWN_MAX TEXT_ESCAPED_MAX

/* The text of a field that is one, as it is told. */
const char *store_field_text(
	const struct store_field *field, const void *row, char to[static STORE_SHOWN_MAX]);

/* The number of a field that is none. */
uint64_t store_field_number(const struct store_field *field, const void *row);

/*
 * All set the values in an empty dict; what is not known is left out, and so is the outcome of an
 * attempt that has none yet. 0, or -ENOMEM with a part of them set.
 */
int attempt_to_dict(const struct store_attempt *attempt, struct dict *ret);
int unit_to_dict(const struct store_unit *unit, struct dict *ret);
int count_cell_to_dict(const struct count_cell *cell, struct dict *ret);
