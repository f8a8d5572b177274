/* SPDX-License-Identifier: MIT */
/*
 * heard.h - what came on the line while a boot loader was looked for and none was found: the best
 * hint at what is wrong with the wiring. Loaders that speak in text have struct expect for it.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The begin of it. */
struct heard {
	uint8_t bytes[48];
	size_t n_bytes;
};

/* Room for the advice: it stands in a reason, behind the result of the try. */
#define HEARD_ADVICE_MAX 330

/*
 * What was heard and what that says of reset and BOOT0: an application that speaks, bytes that are
 * no text, one byte that is no answer (`is_garbled`), or nothing. `has_lines`: the board has been
 * reset. Returns `to`.
 */
char *heard_advice(const struct heard *heard, bool has_lines, bool is_garbled,
	char to[static HEARD_ADVICE_MAX]);
