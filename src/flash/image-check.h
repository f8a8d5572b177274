/* SPDX-License-Identifier: MIT */
/* image-check.h - whether an image fits a rule and a chip, asked before anything is touched. */
#pragma once

#include "chip/chips.h"
#include "image/image.h"
#include "rules/config.h"

/*
 * How an image for this rule is read: bytes it may have at most, and where a raw one belongs. 0,
 * OUTCOME_BAD_CONFIG with the reason.
 */
int image_check_options(const struct board *board, const struct chip_table *chips,
	struct image_options *ret, struct reason *reason);

/*
 * Whether the image fits at least one chip of the rule. 0, OUTCOME_BAD_IMAGE, OUTCOME_BAD_CONFIG (a
 * chip the table does not know, or knows no flash of), with the reason; -ENOMEM. The reason of
 * OUTCOME_BAD_IMAGE is a sentence that goes on after the image's name: see report_name_image().
 */
int image_check(const struct board *board, const struct chip_table *chips,
	const struct image *image, struct reason *reason);

/* The same for one chip, which has `flash_bytes` of flash. */
int image_check_chip(const struct board *board, const struct chip *chip, uint32_t flash_bytes,
	const struct image *image, struct reason *reason);

/*
 * Brings the image of a file into the form in which the family of the rule's chips flashes it. As
 * image_check().
 */
int image_check_shape(const struct board *board, const struct chip_table *chips,
	struct image *image, struct reason *reason);

/*
 * Room in the image for the unit's own data, where the rule has `serialize`; the image is checked
 * with it. 0, OUTCOME_BAD_CONFIG, OUTCOME_BAD_IMAGE, -ENOMEM.
 */
int image_check_make_room(
	const struct board *board, uint32_t max_bytes, struct image *image, struct reason *reason);

/*
 * Whether a range that is to be read ends in the flash where it begins there: 0, or
 * OUTCOME_BAD_CONFIG with the reason. One of the rule's chips that has it is enough.
 */
int image_check_read(const struct board *board, const struct chip_table *chips, uint32_t address,
	uint32_t size, struct reason *reason);
int image_check_read_chip(const struct chip *chip, uint32_t flash_bytes, uint32_t address,
	uint32_t size, struct reason *reason);
