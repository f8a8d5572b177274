/* SPDX-License-Identifier: MIT */
/*
 * heard.h - bytes that were received while no boot loader was found: the best hint at a fault of
 * the wiring. Loaders that talk in text have struct expect for it.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "api/report.h"
#include "loader/words.h"

/* The first of these bytes. */
struct heard {
	uint8_t bytes[48];
	size_t n_bytes;
};

/* Of nothing, text or bytes. */
enum heard_kind heard_kind(const struct heard *heard);

/*
 * Advice on reset and BOOT0 by what was received: text of an application, bytes that are no text,
 * one byte that is no answer (`is_garbled`), or nothing. `has_lines`: the board was reset. Returns
 * `to`.
 */
char *heard_advice(const struct heard *heard, bool has_lines, bool is_garbled,
	char to[static HEARD_ADVICE_MAX]);

/*
 * The sentence for LOADER_FOREIGN where the bytes are the words of a chip that another loader is
 * for; else NULL.
 */
const char *heard_foreign(const struct heard *heard);
