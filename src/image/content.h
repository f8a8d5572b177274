/* SPDX-License-Identifier: MIT */
/*
 * content.h - files that are plainly no firmware, told by their content: pages, texts, archives,
 * documents, pictures, programs of other machines.
 *
 * A boot loader that takes a file erases the application before it looks at the file, and many do
 * not look at all. So such a file is refused before anything is touched, by whatever protocol.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What a file is, and what to do about it: both go on within a sentence. */
struct content {
	const char *what;   /* "a page of HTML" */
	const char *advice; /* "download the file itself, not the page about it" */
	bool is_text;	    /* of no kind that is known: it may be one of records that is damaged */
};

/* Whether the bytes, which are a whole file, are none that a chip could run; then sets `ret`. */
bool content_is_foreign(const uint8_t *data, size_t n_data, struct content *ret);

/* Where a text begins: behind a byte order mark, blanks and empty lines. */
size_t content_begin(const uint8_t *data, size_t n_data);

/* Whether all bytes have one value. */
bool content_is_constant(const uint8_t *data, size_t n_data);
