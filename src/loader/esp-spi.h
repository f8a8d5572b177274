/* SPDX-License-Identifier: MIT */
/*
 * esp-spi.h - the flash beside an ESP chip, before anything is done to it: its pins, its id and its
 * size (esp-rom.md 3, 4). Nothing here erases or writes it.
 *
 * Results are those of esp-link.h. Every answer that decides something was given twice.
 */
#pragma once

#include "chip/family-esp.h"
#include "loader/esp-link.h"

/* A register, read until two answers in a row are equal. */
int esp_read_steady(struct esp_link *link, uint32_t address, uint32_t *ret);

/*
 * Gives the SPI controller the pins of the flash. `ret_pads` is the word that was sent: 0 for the
 * usual ones, else as the eFuses of a chip with its flash inside say. The ROM of the ESP8266 does
 * it in FLASH_BEGIN, which is sent with no bytes to erase: not to a chip that is to be left as it
 * is. With LOADER_REFUSED `ret_error` is the ROM's word.
 */
int esp_spi_attach(
	struct esp_link *link, const struct esp_row *row, uint32_t *ret_pads, uint8_t *ret_error);

/*
 * Asks the flash who made it (RDID, 0x9F): maker in bits 0 to 7, kind, and in bits 16 to 23 the
 * code of its size. LOADER_REFUSED also where the controller does not come to an end.
 */
int esp_spi_read_id(struct esp_link *link, const struct esp_row *row, uint32_t *ret);

/* Whether that is what a line reads at which nobody answers. */
bool esp_spi_is_silence(uint32_t id);

/* The size that the id names, from 256 KiB on; 0: it names none. */
uint32_t esp_spi_bytes(uint32_t id);

/* Tells the ROM how large the flash is, where it has the command: it believes 2 MiB otherwise, and
 * refuses whatever lies behind. With LOADER_REFUSED `ret_error` is the ROM's word. */
int esp_spi_set_size(
	struct esp_link *link, const struct esp_row *row, uint32_t n_bytes, uint8_t *ret_error);
