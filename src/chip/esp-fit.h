/* SPDX-License-Identifier: MIT */
/*
 * esp-fit.h - what the flash of an ESP chip says of an image that is to go into it: where its
 * partition is, and whether the application would be started.
 */
#pragma once

#include "chip/family.h"

/* As `fit` of struct family. */
int esp_fit(const struct board *board, const struct chip *chip, const struct family_flash *flash,
	struct image *image, struct reason *reason);
