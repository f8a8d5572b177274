/* SPDX-License-Identifier: MIT */
/*
 * fields.h - the one description of a report's fields: how each is called and how it is told.
 *
 * The pipe between worker and service, the journal, the environment of on-outcome, JSON, CSV and
 * the dictionaries of the bus are made from this table. The columns of the store and the lists of
 * the manual are compared with it by tests.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "api/report.h"

/* Behind each, its type in a dictionary of the bus (api/dict.h). */
enum field_kind {
	KIND_TEXT,    /* s */
	KIND_DIGITS,  /* text of lower-case hexadecimal digits; s */
	KIND_NUMBER,  /* unsigned, 8 to 64 bits; u, t where it has 64 */
	KIND_HEX,     /* a number that people write as 0x and so many digits; the same */
	KIND_BOOL,    /* b */
	KIND_OUTCOME, /* s */
	KIND_PHASE,   /* s */
	KIND_PROOF,   /* s */
	KIND_ERROR,   /* an errno; s, its name */
	KIND_VERSION, /* 0x22 is 2.2; s */
	KIND_PHASES,  /* milliseconds by phase; a{st} */
};

/* When the value is known. */
enum field_known {
	KNOWN_ALWAYS,
	KNOWN_UNLESS_ZERO, /* 0, false and "" stand for not known */
	KNOWN_WITH_ADDRESS,
	KNOWN_WITH_GOT,
	KNOWN_WITH_OTHER,
	KNOWN_WITH_PRODUCT_ID,
};

/* The readers of a field, beside the service on the worker's pipe. */
enum field_reader {
	FOR_JSON = 1 << 0,  /* of flash, verify, read and probe */
	FOR_STORE = 1 << 1, /* and `history`, whose JSON tells all that is kept */
};

struct field {
	const char *name; /* word of the pipe, key of JSON, column of CSV and store */
	enum field_kind kind;
	enum field_known known;
	size_t offset, size; /* of the member of struct report */
	unsigned digits;     /* KIND_HEX */
	unsigned readers;    /* enum field_reader */
	const char *journal; /* field of the journal and variable of on-outcome; NULL: none */
	unsigned csv;	     /* column of `history --csv`, from 1 on; 0: none */
};

extern const struct field report_fields[];
extern const size_t n_report_fields;

/* The member of that report. */
const void *field_of(const struct field *field, const struct report *report);

/* The number of a KIND_NUMBER, KIND_HEX or KIND_VERSION. */
uint64_t field_number(const struct field *field, const struct report *report);

/* Sets an unsigned member of 1, 2, 4 or 8 bytes. False, and nothing is set, where the value is too
 * large for it. */
bool field_set_number(void *to, size_t size, uint64_t value);

bool field_is_known(const struct field *field, const struct report *report);

/*
 * The value as text for the journal and CSV, also one that is not known; "" for KIND_PHASES.
 * Text is not escaped. Returns `to`, or the member itself.
 */
#define FIELD_SHOWN_MAX 32
const char *field_format(
	const struct field *field, const struct report *report, char to[static FIELD_SHOWN_MAX]);
