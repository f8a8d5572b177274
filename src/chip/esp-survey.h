/* SPDX-License-Identifier: MIT */
/*
 * esp-survey.h - what the flash of an ESP chip says of an image that is to go into it: where its
 * partition is, and whether the application would be started.
 */
#pragma once

#include "chip/family.h"

/* As `survey` of struct family. */
int esp_survey(const struct board *board, const struct chip *chip, const struct family_flash *flash,
	struct image *image, struct reason *reason);
