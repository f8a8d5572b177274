/* SPDX-License-Identifier: MIT */
/*
 * esp-heard.h - the boot text of an ESP's ROM, and of the second loader in its flash: read, and
 * turned into the cause of a fault. Pure. esp-rom.md 2.6 and 2.7.
 */
#pragma once

#include "loader/words.h"

/* The rate of the text of an ESP8266 with the usual crystal (esp-rom.md 1.1). */
#define ESP_HEARD_8266_BAUD 74880

/* Adds bytes as they come, in pieces of any size. */
void esp_heard_take(struct loader_words *words, const uint8_t *bytes, size_t n_bytes);

/*
 * Why no boot loader answered, begun with ", ": by the words of the try that told most.
 * `has_lines`: the chip was reset. `is_garbled`: something came in the place of an answer. Returns
 * `to`.
 */
char *esp_heard_explain(const struct loader_words *words, bool has_lines, bool is_garbled,
	char to[static HEARD_ADVICE_MAX]);

/* Whether these bytes are the begin of an ESP's boot text; no other program writes such words. */
bool esp_heard_is_there(const uint8_t *bytes, size_t n_bytes);
