/* SPDX-License-Identifier: MIT */
/* esp-wrap.h - whether the flash of an ESP chip begins anew before its end. */
#pragma once

#include "chip/family.h"

/* As `check_end` of struct family. */
int esp_wrap_check(const struct chip *chip, const struct family_flash *flash,
	const struct image *image, bool is_written, struct reason *reason);
