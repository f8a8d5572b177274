/* SPDX-License-Identifier: MIT */
/* in-flash.h - whether an image lies in the flash of an STM32 with 256 KiB, whatever its bytes. */
#pragma once

#include "base/outcome.h"
#include "chip/family.h"
#include "flash/image-check.h"

static inline int check_in_flash(const struct image *image, struct reason *reason)
{
	const struct chip chip = {
		.family = &family_stm32,
		.name = (char *)"F103xC",
		.flash = {0x08000000, 256 * 1024},
	};
	const struct board board = {.check_vectors = false};

	return image_check_chip(&board, &chip, chip.flash.size, image, reason);
}
