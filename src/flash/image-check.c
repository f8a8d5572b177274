/* SPDX-License-Identifier: MIT */
/*
 * image-check.c - whether an image can go where a rule wants it.
 *
 * The question is asked twice. When the image is chosen it is asked of every chip that the rule
 * names, so that a bad image is refused before any board is touched, and one chip that can take it
 * is enough. In the middle of the job it is asked of the chip that answered, which may have less
 * flash than the largest of its id. image_check() and image_check_chip() have the whole decision,
 * in the order in which a person would look: the rule, the place of the bytes, what the bytes are,
 * and which pages would go for them.
 */
#include "flash/image-check.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>

#include "base/outcome.h"
#include "base/util.h"
#include "chip/chips.h"
#include "chip/family.h"
#include "chip/vectors.h"
#include "flash/package-check.h"
#include "flash/plan.h"
#include "rules/protocol-words.h"

/* No chip that is known here has more flash. */
#define MOST_WITHOUT_CHIP (16 * 1024 * 1024)

static int refuse(struct reason *reason, int outcome, const char *format, ...) PRINTF_LIKE(3, 4);

static int refuse(struct reason *reason, int outcome, const char *format, ...)
{
	char text[sizeof(reason->text)];
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(text, sizeof(text), format, arguments);
	va_end(arguments);
	reason_set(reason, "%s", text);
	return outcome;
}

static int refuse_name(
	const struct board *board, const struct chip_table *chips, size_t i, struct reason *reason)
{
	const char *other = chip_table_other_protocol(
		chips, protocol_word_of(board->protocol)->family, board->chip[i]);
	char shown[TEXT_MAX];

	text_escape(board->chip[i], shown, sizeof(shown));
	if (other)
		return refuse(reason, OUTCOME_BAD_CONFIG,
			"the chip '%s' of rule '%s' is one of protocol = %s, and the protocol here is %s: mend `protocol` (on the command line --protocol) or the chip",
			shown, board->name, other, protocol_word_of(board->protocol)->text);
	return refuse(reason, OUTCOME_BAD_CONFIG,
		"the chip table does not know the chip '%s' of rule '%s'", shown, board->name);
}

static uint64_t image_end(const struct image *image)
{
	return segment_end(&image->segments[image->n_segments - 1]);
}

/* Where the room for the image begins: the rule's address, its chip's flash, or the first byte. */
static uint32_t base_of(
	const struct board *board, const struct chip_table *chips, const struct image *image)
{
	const struct chip *chip =
		board->n_chip > 0 ? chip_table_find_for(chips, board, board->chip[0]) : NULL;

	if (board->has_address)
		return board->address;
	return chip ? chip->flash.start : image->segments[0].address;
}

/* ------------------------------------------------------------------ parts of the decision */

/* Whether a chip of the rule may have flash there. Parts may have less than the table says. */
static bool is_on_a_chip(
	const struct board *board, const struct chip_table *chips, const struct keep_range *keep)
{
	uint64_t keep_end = (uint64_t)keep->address + keep->size;

	for (size_t i = 0; i < board->n_chip; i++) {
		const struct chip *chip = chip_table_find_for(chips, board, board->chip[i]);

		if (!chip || chip->flash.size == 0 ||
			(keep_end > chip->flash.start &&
				keep->address < (uint64_t)chip->flash.start + chip->flash.size))
			return true;
	}
	return board->n_chip == 0;
}

static int check_keep(const struct board *board, const struct image *image, struct reason *reason)
{
	for (size_t i = 0; i < board->keep.n_items; i++) {
		const struct keep_range *keep = &board->keep.items[i];

		if (image_touches(image, keep->address, keep->size))
			return refuse(reason, OUTCOME_BAD_IMAGE,
				"it has bytes in 0x%08x+0x%x, which the rule says to keep",
				keep->address, keep->size);
	}
	return 0;
}

static int check_flash(const struct chip *chip, uint32_t flash_bytes, const struct image *image,
	struct reason *reason)
{
	uint64_t start = chip->flash.start, end = start + flash_bytes;

	for (size_t i = 0; i < image->n_segments; i++) {
		const struct segment *segment = &image->segments[i];
		uint32_t first = segment->address;
		uint64_t outside = first >= start && first < end ? end : first;

		if (outside == first || segment_end(segment) > end)
			return refuse(reason, OUTCOME_BAD_IMAGE,
				"it has bytes at 0x%08" PRIx64
				"%s, outside the flash of %u bytes at 0x%08x: is it for this chip?",
				outside, chip->family->name_address(chip, (uint32_t)outside),
				flash_bytes, chip->flash.start);
	}
	return 0;
}

/*
 * A loader that takes files says nothing of its chip, so neither the family nor what lies above the
 * image is known. `vector-table = check` says that the file is an application of a Cortex-M.
 */
static int check_without_chip(
	const struct board *board, uint32_t base, const struct image *image, struct reason *reason)
{
	const struct vector_space space = {
		.has_address = board->has_address,
		.address = board->address,
	};
	int r = check_keep(board, image, reason);

	if (r != 0)
		return r;
	/* The loader gets one file from `base` on, with 0xFF in the gaps. */
	if (image_end(image) - base > MOST_WITHOUT_CHIP)
		return refuse(reason, OUTCOME_BAD_IMAGE,
			"it goes on up to 0x%08x, and as one file from 0x%08x on that is more than %d MiB",
			(uint32_t)(image_end(image) - 1), base, MOST_WITHOUT_CHIP / 1024 / 1024);
	if (image->is_package || !board->check_vectors)
		return 0;
	r = board->has_address || !image->is_raw ? vectors_check(image, &space, reason)
						 : vectors_check_anywhere(image, reason);
	return r > 0 ? OUTCOME_BAD_IMAGE : r;
}

/* ------------------------------------------------------------------ the decision */

int image_check_chip(const struct board *board, const struct chip *chip, uint32_t flash_bytes,
	const struct image *image, struct reason *reason)
{
	CLEANUP(plan_done) struct plan plan = {0};
	int r;

	if (flash_bytes == 0)
		return refuse(reason, OUTCOME_BAD_CONFIG,
			"the chip table does not say how much flash %s has: add `flash` and `pages` in chips.d",
			chip->name);
	r = check_flash(chip, flash_bytes, image, reason);
	if (r == 0)
		r = check_keep(board, image, reason);
	if (r == 0)
		r = chip->family->check_image(board, chip, flash_bytes, image, reason);
	/* Bytes to keep may share a page with the image. */
	if (r == 0)
		r = plan_erase(chip, flash_bytes, image, &board->keep, &plan, reason);
	return r > 0 ? OUTCOME_BAD_IMAGE : r;
}

int image_check(const struct board *board, const struct chip_table *chips,
	const struct image *image, struct reason *reason)
{
	uint32_t base = base_of(board, chips, image), start = image->segments[0].address;
	uint64_t end = image_end(image);
	struct reason first = {""};
	int result = OUTCOME_BAD_CONFIG;

	/* With a digit too few a range to keep is where no flash is, and would keep nothing. */
	for (size_t i = 0; i < board->keep.n_items; i++)
		if (!is_on_a_chip(board, chips, &board->keep.items[i]))
			return refuse(reason, OUTCOME_BAD_CONFIG,
				"rule '%s': keep = 0x%08x+0x%x is in the flash of none of its chips, so nothing would be kept: correct the address",
				board->name, board->keep.items[i].address,
				board->keep.items[i].size);
	/* Below `address` lies another program's flash, mostly that of a boot loader. */
	if (board->has_address && start < base)
		return refuse(reason, OUTCOME_BAD_IMAGE,
			"it has bytes at 0x%08x, below `address` 0x%08x: the boot loader's own flash?",
			start, base);
	if (board->size > 0 && end > (uint64_t)base + board->size)
		return refuse(reason, OUTCOME_BAD_IMAGE,
			"it goes on up to 0x%08x, and `size` leaves room for %u bytes from 0x%08x on",
			(uint32_t)(end - 1), board->size, base);
	/* Only the boot loader whose format it is can make an application of such a file. */
	if (image->is_package && board->check_vectors &&
		!protocol_word_of(board->protocol)->takes_packages)
		return refuse(reason, OUTCOME_BAD_IMAGE,
			"it is a file of %s, which Silicon Labs' boot loaders take by XMODEM: expected protocol = xmodem and menu = gecko (vector-table = ignore in the rule flashes it anyhow)",
			image->format);
	if (image->is_package && protocol_word_of(board->protocol)->takes_packages) {
		int r = package_check(board, image, reason);

		if (r != 0)
			return r;
	}
	if (board->n_chip == 0)
		return check_without_chip(board, base, image, reason);
	for (size_t i = 0; i < board->n_chip; i++) {
		const struct chip *chip = chip_table_find_for(chips, board, board->chip[i]);
		int r = chip ? image_check_chip(board, chip, chip->flash.size, image, reason) : 0;

		if (!chip)
			return refuse_name(board, chips, i, reason);
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

/* ------------------------------------------------------------------ beside the decision */

int image_check_options(const struct board *board, const struct chip_table *chips,
	struct image_options *ret, struct reason *reason)
{
	struct image_options options = {.address = board->address, .max_bytes = board->size};

	if (board->n_chip == 0 && board->size == 0)
		options.max_bytes = MOST_WITHOUT_CHIP;
	for (size_t i = 0; i < board->n_chip; i++) {
		const struct chip *chip = chip_table_find_for(chips, board, board->chip[i]);

		if (!chip)
			return refuse_name(board, chips, i, reason);
		if (i == 0 && !board->has_address)
			options.address = chip->flash.start;
		if (chip->flash.size > options.max_bytes)
			options.max_bytes = chip->flash.size;
	}
	*ret = options;
	return 0;
}

/*
 * The chip by whose pages an image is shaped. One that ends in the record of a chip is for that
 * one, whichever of the rule's it is: by the pages of a smaller flash, filling behind the end of
 * that would be taken for data, and what a unit has there would be erased for it.
 */
static const struct chip *find_shaper(
	const struct board *board, const struct chip_table *chips, const struct image *image)
{
	const struct chip *first = NULL;

	for (size_t i = 0; i < board->n_chip; i++) {
		const struct chip *chip = chip_table_find_for(chips, board, board->chip[i]);

		if (chip && chip_starts_by_record(chip) &&
			image->segments[0].address >= chip->flash.start &&
			image_end(image) == (uint64_t)chip->flash.start + chip->flash.size)
			return chip;
		first = i == 0 ? chip : first;
	}
	return first;
}

int image_check_shape(const struct board *board, const struct chip_table *chips,
	struct image *image, struct reason *reason)
{
	const struct chip *chip = find_shaper(board, chips, image);
	int r = IMAGE_OK;

	if (chip && chip->family->shape_image)
		r = chip->family->shape_image(board, chip, image, reason);
	return r > 0 ? OUTCOME_BAD_IMAGE : r;
}

int image_check_make_room(
	const struct board *board, uint32_t max_bytes, struct image *image, struct reason *reason)
{
	const struct provision *serialize = &board->serialize;
	uint32_t start = image->segments[0].address;
	int r;

	if (serialize->form == PROVISION_NONE)
		return 0;
	if (serialize->address < (uint64_t)start + VECTORS_HEAD)
		return refuse(reason, OUTCOME_BAD_CONFIG,
			"`serialize` is at 0x%08x, and the image begins at 0x%08x: below that, and in the first 8 bytes, there is no place for it",
			serialize->address, start);
	r = image_make_room(image, serialize->address, serialize->size, max_bytes, reason);
	return r > 0 ? OUTCOME_BAD_IMAGE : r;
}

/*
 * Behind the flash a ROM refuses to read, with the same NACK as for a byte that was lost. Elsewhere
 * it may have RAM, option bytes, or itself.
 */
int image_check_read_chip(const struct chip *chip, uint32_t flash_bytes, uint32_t address,
	uint32_t size, struct reason *reason)
{
	uint64_t start = chip->flash.start, end = start + flash_bytes;

	if (flash_bytes == 0 || size == 0 || address < start ||
		address >= start + chip->flash.size || (uint64_t)address + size <= end)
		return 0;
	return refuse(reason, OUTCOME_BAD_CONFIG,
		"%s: its flash ends at 0x%08" PRIx64 ", and %u bytes from 0x%08x on go beyond it",
		chip->name, end - 1, size, address);
}

int image_check_read(const struct board *board, const struct chip_table *chips, uint32_t address,
	uint32_t size, struct reason *reason)
{
	int r = 0;

	for (size_t i = 0; i < board->n_chip; i++) {
		const struct chip *chip = chip_table_find_for(chips, board, board->chip[i]);

		r = chip ? image_check_read_chip(chip, chip->flash.size, address, size, reason) : 0;
		if (r == 0)
			return 0;
	}
	return r;
}
