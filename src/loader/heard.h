/* SPDX-License-Identifier: MIT */
/*
 * heard.h - bytes that were received while no boot loader was found: the best hint at a fault of
 * the wiring. Loaders that talk in text have struct expect for it.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The first of these bytes. */
struct heard {
	uint8_t bytes[48];
	size_t n_bytes;
};

/* Room for the advice, which stands in a reason behind the result of the try. */
#define HEARD_ADVICE_MAX 330

/*
 * Advice on reset and BOOT0 by what was received: text of an application, bytes that are no text,
 * one byte that is no answer (`is_garbled`), or nothing. `has_lines`: the board was reset. Returns
 * `to`.
 */
char *heard_advice(const struct heard *heard, bool has_lines, bool is_garbled,
	char to[static HEARD_ADVICE_MAX]);
