/* SPDX-License-Identifier: MIT */
#include "flash/image-check.h"

#include <errno.h>
#include <inttypes.h>

#include "base/outcome.h"
#include "base/util.h"
#include "flash/plan.h"
#include "image/vectors.h"
#include "rules/protocol-words.h"

/* No chip that is known here has more flash. */
#define MOST_WITHOUT_CHIP (16 * 1024 * 1024)

static void space_of(const struct board *board, const struct chip *chip, uint32_t flash_bytes,
	struct image_range *keep, struct image_space *ret)
{
	*ret = (struct image_space){
		.flash = {chip->flash.start, flash_bytes},
		.keep = keep,
		.n_keep = board->keep.n_items,
		.check_vectors = board->check_vectors,
		.has_address = board->has_address,
		.address = board->address,
	};
	for (size_t i = 0; i < board->keep.n_items; i++)
		keep[i] = (struct image_range){
			board->keep.items[i].address, board->keep.items[i].size};
	for (size_t i = 0; i < chip->n_stack && i < ARRAY_SIZE(ret->stack); i++)
		ret->stack[ret->n_stack++] =
			(struct image_range){chip->stack[i].start, chip->stack[i].size};
}

int fit_image_to_chip(const struct board *board, const struct chip *chip, uint32_t flash_bytes,
	const struct image *image, struct reason *reason)
{
	CLEANUP(freep) struct image_range *keep = NULL;
	CLEANUP(plan_done) struct plan plan = {0};
	struct image_space space;
	int r;

	if (flash_bytes == 0) {
		reason_set(reason,
			"the chip table does not say how much flash %s has: add `flash` and "
			"`pages` in chips.d",
			chip->name);
		return OUTCOME_BAD_CONFIG;
	}
	keep = calloc(board->keep.n_items + 1, sizeof(*keep));
	if (!keep)
		return -ENOMEM;
	space_of(board, chip, flash_bytes, keep, &space);
	r = image_check(image, &space, reason);
	if (r == 0)
		r = plan_erase(chip, flash_bytes, image, &board->keep, &plan, reason);
	return r > 0 ? OUTCOME_BAD_IMAGE : r;
}

/* What the rule itself says of an image's place: below `address` lies what is not the
 * application's, a boot loader mostly. */
static int check_place(
	const struct board *board, uint32_t base, const struct image *image, struct reason *reason)
{
	uint32_t start = image->segments[0].address;
	const struct segment *last = &image->segments[image->n_segments - 1];
	uint64_t end = (uint64_t)last->address + last->size;

	if (board->has_address && start < base) {
		reason_set(reason,
			"it has bytes at 0x%08x, below `address` 0x%08x: the boot loader's own "
			"flash?",
			start, base);
		return OUTCOME_BAD_IMAGE;
	}
	if (board->size > 0 && end > (uint64_t)base + board->size) {
		reason_set(reason,
			"it goes on up to 0x%08x, and `size` leaves room for %u bytes from 0x%08x "
			"on",
			(uint32_t)(end - 1), board->size, base);
		return OUTCOME_BAD_IMAGE;
	}
	return 0;
}

/* The file of another boot loader's format is no application: with that one alone it can be sent.
 */
static int check_package(
	const struct board *board, const struct image *image, struct reason *reason)
{
	if (!board->check_vectors || protocol_word_of(board->protocol)->takes_packages)
		return 0;
	reason_set(reason,
		"it is a file of %s, which Silicon Labs' boot loaders take by XMODEM: expected protocol = xmodem and menu = gecko (vector-table = ignore in the rule flashes it anyhow)",
		image->format);
	return OUTCOME_BAD_IMAGE;
}

/* The vectors where no chip is known: the addresses are the rule's, or the file's own. */
static int check_vectors(
	const struct board *board, const struct image *image, struct reason *reason)
{
	const struct vector_space space = {
		.has_address = board->has_address,
		.address = board->address,
	};
	int r;

	if (!board->check_vectors)
		return 0;
	r = board->has_address || !image->is_raw ? vectors_check(image, &space, reason)
						 : vectors_check_anywhere(image, reason);
	return r > 0 ? OUTCOME_BAD_IMAGE : r;
}

/* For a loader that takes files: no chip is known, so what lies above the image is not either. */
static int fit_image_to_room(
	const struct board *board, uint32_t base, const struct image *image, struct reason *reason)
{
	const struct segment *last = &image->segments[image->n_segments - 1];
	uint64_t end = (uint64_t)last->address + last->size;

	for (size_t i = 0; i < board->keep.n_items; i++) {
		const struct keep_range *keep = &board->keep.items[i];

		if (!image_touches(image, keep->address, keep->size))
			continue;
		reason_set(reason, "it has bytes in 0x%08x+0x%x, which the rule says to keep",
			keep->address, keep->size);
		return OUTCOME_BAD_IMAGE;
	}
	/* It is one file from `base` on, with 0xFF in the gaps. */
	if (end - base > MOST_WITHOUT_CHIP) {
		reason_set(reason,
			"it goes on up to 0x%08x, and as one file from 0x%08x on that is more than "
			"%d MiB",
			(uint32_t)(end - 1), base, MOST_WITHOUT_CHIP / 1024 / 1024);
		return OUTCOME_BAD_IMAGE;
	}
	return image->is_package ? 0 : check_vectors(board, image, reason);
}

/* Where the room for the image begins: the rule's address, its chip's flash, or the first byte. */
static uint32_t base_of(
	const struct board *board, const struct chip_table *chips, const struct image *image)
{
	const struct chip *chip =
		board->n_chip > 0 ? chip_table_find_named(chips, board->chip[0]) : NULL;

	if (board->has_address)
		return board->address;
	return chip ? chip->flash.start : image->segments[0].address;
}

/* A digit too few, and the range is where no flash is. Parts may have less than the table says. */
static bool is_on_a_chip(
	const struct board *board, const struct chip_table *chips, const struct keep_range *keep)
{
	for (size_t i = 0; i < board->n_chip; i++) {
		const struct chip *chip = chip_table_find_named(chips, board->chip[i]);
		uint64_t end = (uint64_t)keep->address + keep->size;

		if (!chip || chip->flash.size == 0 ||
			(end > chip->flash.start &&
				keep->address < (uint64_t)chip->flash.start + chip->flash.size))
			return true;
	}
	return board->n_chip == 0;
}

static int check_keep(
	const struct board *board, const struct chip_table *chips, struct reason *reason)
{
	for (size_t i = 0; i < board->keep.n_items; i++) {
		const struct keep_range *keep = &board->keep.items[i];

		if (is_on_a_chip(board, chips, keep))
			continue;
		reason_set(reason,
			"rule '%s': keep = 0x%08x+0x%x is in the flash of none of its chips, so nothing would be kept: correct the address",
			board->name, keep->address, keep->size);
		return OUTCOME_BAD_CONFIG;
	}
	return 0;
}

int fit_image(const struct board *board, const struct chip_table *chips, const struct image *image,
	struct reason *reason)
{
	struct reason first = {""};
	uint32_t base = base_of(board, chips, image);
	int result = check_keep(board, chips, reason);

	if (result == 0)
		result = check_place(board, base, image, reason);
	if (result == 0 && image->is_package)
		result = check_package(board, image, reason);
	if (result != 0)
		return result;
	if (board->n_chip == 0)
		return fit_image_to_room(board, base, image, reason);
	result = OUTCOME_BAD_CONFIG;
	for (size_t i = 0; i < board->n_chip; i++) {
		const struct chip *chip = chip_table_find_named(chips, board->chip[i]);
		int r;

		if (!chip) {
			char shown[TEXT_MAX];

			reason_set(reason,
				"the chip table does not know the chip '%s' of rule '%s'",
				text_escape(board->chip[i], shown, sizeof(shown)), board->name);
			return OUTCOME_BAD_CONFIG;
		}
		r = fit_image_to_chip(board, chip, chip->flash.size, image, reason);
		if (r <= 0)
			return r;
		if (i == 0) {
			first = *reason;
			result = r;
		}
	}
	*reason = first;
	return result;
}

int fit_image_options(const struct board *board, const struct chip_table *chips,
	struct image_options *ret, struct reason *reason)
{
	struct image_options options = {.address = board->address, .max_bytes = board->size};

	if (board->n_chip == 0 && board->size == 0)
		options.max_bytes = MOST_WITHOUT_CHIP;

	for (size_t i = 0; i < board->n_chip; i++) {
		const struct chip *chip = chip_table_find_named(chips, board->chip[i]);
		char shown[TEXT_MAX];

		if (!chip) {
			reason_set(reason,
				"the chip table does not know the chip '%s' of rule '%s'",
				text_escape(board->chip[i], shown, sizeof(shown)), board->name);
			return OUTCOME_BAD_CONFIG;
		}
		if (i == 0 && !board->has_address)
			options.address = chip->flash.start;
		if (chip->flash.size > options.max_bytes)
			options.max_bytes = chip->flash.size;
	}
	*ret = options;
	return 0;
}

/* The stack pointer and the reset vector are what a chip starts by. */
#define STACK_AND_RESET_SIZE 8

int fit_make_room(
	const struct board *board, uint32_t max_bytes, struct image *image, struct reason *reason)
{
	const struct provision *serialize = &board->serialize;
	uint32_t start = image->segments[0].address;
	int r;

	if (serialize->form == PROVISION_NONE)
		return 0;
	if (serialize->address < (uint64_t)start + STACK_AND_RESET_SIZE) {
		reason_set(reason,
			"`serialize` is at 0x%08x, and the image begins at 0x%08x: below that, and "
			"in the first 8 bytes, there is no place for it",
			serialize->address, start);
		return OUTCOME_BAD_CONFIG;
	}
	r = image_make_room(image, serialize->address, serialize->size, max_bytes, reason);
	return r > 0 ? OUTCOME_BAD_IMAGE : r;
}

/* Behind the flash a ROM refuses to read, with the same NACK as for a byte that was lost. Elsewhere
 * it may have RAM, option bytes, or itself. */
int fit_read_of_chip(const struct chip *chip, uint32_t flash_bytes, uint32_t address, uint32_t size,
	struct reason *reason)
{
	uint64_t start = chip->flash.start, end = start + flash_bytes;

	if (flash_bytes == 0 || size == 0 || address < start ||
		address >= start + chip->flash.size || (uint64_t)address + size <= end)
		return 0;
	reason_set(reason,
		"%s: its flash ends at 0x%08" PRIx64 ", and %u bytes from 0x%08x on go beyond it",
		chip->name, end - 1, size, address);
	return OUTCOME_BAD_CONFIG;
}

int fit_read(const struct board *board, const struct chip_table *chips, uint32_t address,
	uint32_t size, struct reason *reason)
{
	int r = 0;

	for (size_t i = 0; i < board->n_chip; i++) {
		const struct chip *chip = chip_table_find_named(chips, board->chip[i]);

		r = chip ? fit_read_of_chip(chip, chip->flash.size, address, size, reason) : 0;
		if (r == 0)
			return 0;
	}
	return r;
}
