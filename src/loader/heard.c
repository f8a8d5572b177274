/* SPDX-License-Identifier: MIT */
#include "loader/heard.h"

#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "loader/esp-heard.h"

#define QUOTED_MOST 24

/* Of bytes received at a wrong rate hardly a third are printable. */
static bool is_text(const struct heard *heard)
{
	size_t n_letters = 0;

	for (size_t i = 0; i < heard->n_bytes; i++) {
		uint8_t c = heard->bytes[i];

		n_letters += (c >= 0x20 && c <= 0x7E) || c == '\r' || c == '\n' || c == '\t';
	}
	return heard->n_bytes >= 3 && n_letters * 4 >= heard->n_bytes * 3;
}

enum heard_kind heard_kind(const struct heard *heard)
{
	return heard->n_bytes == 0 ? HEARD_NOTHING : is_text(heard) ? HEARD_TEXT : HEARD_BYTES;
}

/* A ROM is silent until it is spoken to, and so is a chip that is held in reset. */
char *heard_advice(const struct heard *heard, bool has_lines, bool is_garbled,
	char to[static HEARD_ADVICE_MAX])
{
	char text[QUOTED_MOST + 1] = "", said[4 * QUOTED_MOST + 1];

	for (size_t i = 0; i < heard->n_bytes && i < QUOTED_MOST; i++)
		text[i] = heard->bytes[i] ? (char)heard->bytes[i] : ' ';
	text_escape(text, said, sizeof(said));
	if (is_text(heard) && has_lines)
		snprintf(to, HEARD_ADVICE_MAX,
			", but an application speaks after the reset ('%s'): reset works and BOOT0 does not, or neither does: check `boot`, then `reset` and `wiring`",
			said);
	else if (is_text(heard))
		snprintf(to, HEARD_ADVICE_MAX,
			", but an application speaks ('%s'): the board is not in its boot loader",
			said);
	else if (heard->n_bytes > 0)
		snprintf(to, HEARD_ADVICE_MAX,
			", but bytes that are no text ('%s'): noise, or an application at another rate, and then BOOT0 does not work (`boot`), or a rate too high for the loader (`baud`)",
			said);
	else if (is_garbled)
		snprintf(to, HEARD_ADVICE_MAX,
			", one byte that is no answer: TX and RX connected with each other, noise, or a rate too high (`baud`)");
	else
		snprintf(to, HEARD_ADVICE_MAX,
			", nothing at all was heard: check power, that TX and RX are crossed, `wiring`, `reset` and `boot` (swapped or inverted they hold the chip in reset), and that no other program has the port open");
	return to;
}

const char *heard_foreign(const struct heard *heard)
{
	static const char menu[] = "Gecko Bootloader";

	/* By the lines of an ESP an EFR32 comes into its boot loader, too (ti-bsl.md 15.1). */
	if (memmem(heard->bytes, heard->n_bytes, menu, sizeof(menu) - 1))
		return "the board has an EFR32 of Silicon Labs, whose Gecko boot loader shows its menu, and the rule is for another chip: give it a rule with `protocol = xmodem` and `menu = gecko`";
	if (!esp_heard_is_there(heard->bytes, heard->n_bytes))
		return NULL;
	return "the board is an ESP, by the text that it prints as it starts, and the rule is for another chip: give it a rule with `protocol = esp`";
}
