/* SPDX-License-Identifier: MIT */
/* bsl-identify.h - which chip of TI is there, for bsl.c alone. */
#pragma once

#include "loader/bsl-link.h"
#include "loader/loader.h"

/*
 * Finds chip, part, size of the flash, unit and installed backdoor, by GET_CHIP_ID and MEMORY_READ
 * alone. `ret->chip` is NULL and `ret->product_id` the wafer id with LOADER_UNKNOWN_CHIP.
 */
int bsl_identify(struct bsl_link *link, const struct loader *loader, struct chip_identity *ret);

/*
 * Reads `n` bytes, in the order in which they lie in the memory, by the form of the command that
 * the ROM has: of the CC2538 whole words alone, so that address and `n` are multiples of 4.
 */
int bsl_read_memory(struct bsl_link *link, bool is_38, uint32_t address, uint8_t *to, size_t n);
