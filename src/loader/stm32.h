/* SPDX-License-Identifier: MIT */
/*
 * stm32.h - the state of a conversation with the ROM of an STM32, for the files that share it:
 * stm32.c, and those with operations that most jobs have no use for.
 */
#pragma once

#include <stddef.h>

#include "chip/chips.h"
#include "chip/family-stm32.h"
#include "loader/an3155.h"
#include "loader/loader.h"

struct stm32 {
	struct loader base;
	struct an3155 bl;
	const struct chip *chip; /* NULL before identify, then `row` */
	struct chip row;	 /* of the table, with the pages that are in force */
	uint32_t limits;	 /* of this ROM, enum stm32_limit_flags */
	struct chip_range flash; /* as much of chip->flash as this part has */
	bool has_flash_size;	 /* `flash` is of the part's own register */
	bool voltage_is_set;	 /* forgotten by the chip at every reset */
};

static inline struct stm32 *stm32_of(struct loader *loader)
{
	return (struct stm32 *)((char *)loader - offsetof(struct stm32, base));
}

/* Reads a fact that decides something, until two answers are equal. 0, -errno or an enum
 * loader_result. */
int stm32_read_fact(struct stm32 *stm32, uint32_t address, void *to, size_t n);

/* Operations of the table (loader.h): stm32-options.c. */
int stm32_write_options(struct loader *loader, const uint8_t *bytes, size_t n_bytes);
int stm32_describe(struct loader *loader, char to[static IDENTITY_DETAILS_MAX]);

/* The operation `promote` of the table: stm32-promote.c. */
int stm32_promote(struct loader *loader, const struct chip_identity *identity, struct reason *why,
	struct loader **ret);
