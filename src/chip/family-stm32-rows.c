/* SPDX-License-Identifier: MIT */
/* family-stm32-rows.c - what only the rows of an STM32 have. */
#include "chip/family.h"

const struct family_rows family_stm32_rows = {
	.name = "stm32",
};
