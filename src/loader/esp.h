/* SPDX-License-Identifier: MIT */
/* esp.h - parts of the loader `esp` that are of use by themselves: to esp.c, and to its tests. */
#pragma once

#include "chip/family-esp.h"
#include "loader/esp-link.h"

/*
 * What FLASH_BEGIN must be told so that `size` bytes from `address` on, the beginning of a page,
 * are erased up to the end of their last page. The ROM of the ESP8266 erases more than it is told
 * (`has_bug`). Pure.
 */
uint32_t esp_erase_size(uint32_t address, uint32_t size, bool has_bug);

/*
 * The rate that the ROM must be told so that it works at `baud`, met at `now`. Reads registers. 0,
 * or as esp_command().
 */
int esp_find_rate(struct esp_link *link, const struct esp_row *row, uint32_t now, uint32_t baud,
	uint32_t *ret);
