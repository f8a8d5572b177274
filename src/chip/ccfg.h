/* SPDX-License-Identifier: MIT */
/*
 * ccfg.h - the record at the end of the flash by which the ROM of a CC13xx, CC26xx or CC2538
 * decides whether it starts an application, and whether its boot loader can be entered again: the
 * CCFG, the last 88 bytes, or the CCA, the last 44 of a CC2538 (ti-bsl.md 5). Pure: fields of
 * bytes.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/text.h"
#include "chip/cc13xx-row.h"

#define CCFG_MOST 88

/* Secondary IEEE address, least significant byte first; all 0xFF: the chip has its primary one. */
#define CCFG_IEEE_BYTES 8

/* A record, of an image or read from a chip. */
struct ccfg {
	const struct cc13xx_row *row;
	uint32_t address; /* of its first byte in the flash */
	uint8_t bytes[CCFG_MOST];
};

/* What an image is to keep open. */
struct ccfg_wanted {
	bool has_pin; /* else no image is good enough: nobody says where the backdoor is to be */
	uint8_t pin;
	bool is_high; /* the level of the pin that leads into the loader */
	/* The part that the rule names, whose UART can be no backdoor; NULL: not known. */
	const struct cc13xx_part *part;
	bool has_cap_array;
	uint8_t cap_array;
	const char *advice; /* which image to take instead */
};

/*
 * Whether the loader can be entered again with this record: 0, or IMAGE_REFUSED with the reason,
 * which names the field, its address, the value found and the value wanted.
 */
int ccfg_check(const struct ccfg *ccfg, const struct ccfg_wanted *wanted, struct reason *reason);

/* As ccfg_check(), for the parts of the debug port that are open in `now` and not in `ccfg`. */
int ccfg_check_debug(const struct ccfg *ccfg, const struct ccfg *now, struct reason *reason);

/* The address of the vector table by which the record starts an application. False: it starts none,
 * and the ROM stays in its loader, if that is enabled. */
bool ccfg_starts(const struct ccfg *ccfg, uint32_t flash_bytes, uint32_t *ret_vectors);

/* Where the addresses of the stick are, of 802.15.4 and of Bluetooth. */
struct chip_range ccfg_addresses(const struct ccfg *ccfg);

/* The word that says so, for messages: its address, and its value. */
uint32_t ccfg_valid_address(const struct ccfg *ccfg);
uint32_t ccfg_valid(const struct ccfg *ccfg);

uint8_t ccfg_pin(const struct ccfg *ccfg);
bool ccfg_is_high(const struct ccfg *ccfg);

/* "DIO15", or "PA3" on a CC2538. Returns `to`. */
#define CCFG_PIN_SHOWN 8
const char *ccfg_show_pin(
	const struct cc13xx_row *row, uint8_t pin, char to[static CCFG_PIN_SHOWN]);

/* XOSC_CAPARRAY_DELTA; false for a CC2538, which has none. */
bool ccfg_cap_array(const struct ccfg *ccfg, uint8_t *ret);

/* Where the secondary IEEE address begins: in the CCFG, and in front of a CCA. */
uint32_t ccfg_ieee_address(const struct ccfg *ccfg);

/* The field of the byte at this offset of the record, "CCFG BL_CONFIG". */
const char *ccfg_name(const struct cc13xx_row *row, uint32_t offset);

/*
 * The offset of the first byte of `wanted` that `now` cannot become by clearing bits alone, which
 * is all that a write does; the size of the record where it can.
 */
uint32_t ccfg_find_unreachable(const struct ccfg *now, const struct ccfg *wanted);
