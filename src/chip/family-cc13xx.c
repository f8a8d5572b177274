/* SPDX-License-Identifier: MIT */
/*
 * family-cc13xx.c - images for a CC2538, CC13xx or CC26xx, and the record that decides over them.
 *
 * The chip starts by its CCFG, the last bytes of the flash (ccfg.h), and by it alone the ROM knows
 * whether its loader may be entered. An image without one, or with one that would lock the stick
 * out, is refused before the stick is even reset. The sector of the CCFG is erased first: from then
 * on the chip has the delivery values, starts nothing, and stays in its loader at every reset,
 * whatever its pins say (ti-bsl.md 7). The CCFG of the image goes in last, in one packet.
 *
 * Two things belong to the stick and not to the image. A secondary IEEE address that its user has
 * set is in the CCFG, and is taken over into the image unless the rule says otherwise; since the
 * erase takes it, all that the stick had is kept with the job. The network is in sectors that an
 * image has nothing for: they stay, also where a file fills them with 0xFF.
 *
 * The end of the image is the end of the flash for which it was built, and the checks see to it
 * that this is the chip's.
 */
#include "chip/family-cc13xx.h"

#include <inttypes.h>
#include <string.h>

#include "base/util.h"
#include "chip/cc13xx-own.h"
#include "chip/ccfg.h"
#include "chip/chips.h"
#include "chip/family.h"

/* As a file of the whole flash is filled, and an erased one reads. */
#define FILLING 0xFF

/* ------------------------------------------------------------------ how large the flash is */

/* Whether all of [address, address + size) is in one segment. */
static bool covers(const struct image *image, uint64_t address, uint64_t size)
{
	size_t i = image_find(image, address);

	return i < image->n_segments && image->segments[i].address <= address &&
	       segment_end(&image->segments[i]) >= address + size;
}

/* The parts of the CC2538 share a chip id; the last digits of their names say it (SWRU319). */
static const struct {
	const char *name;
	uint32_t flash_bytes;
} parts_38[] = {
	{"cc2538sf53", 512 * 1024},
	{"cc2538nf53", 512 * 1024},
	{"cc2538sf23", 256 * 1024},
	{"cc2538nf23", 256 * 1024},
	{"cc2538nf11", 128 * 1024},
};

/* The words by which the rule names this chip, one after the other; NULL behind the last. */
static const char *next_word(const struct board *board, const struct chip *chip, size_t *i)
{
	while (*i < board->n_chip) {
		const char *word = board->chip[(*i)++];

		if (chip_is_named(chip, word))
			return word;
	}
	return NULL;
}

/* The flash of the part that a rule names; 0: it may be any of the row. */
static uint32_t flash_by_word(const struct board *board, const struct chip *chip)
{
	const char *word;
	uint32_t size = 0;

	for (size_t i = 0;
		cc13xx_row(chip)->kind == CC13XX_38 && (word = next_word(board, chip, &i)) != NULL;)
		for (size_t part = 0; part < ARRAY_SIZE(parts_38); part++)
			if (strncasecmp(word, parts_38[part].name, strlen(parts_38[part].name)) ==
				0)
				size = parts_38[part].flash_bytes > size
					       ? parts_38[part].flash_bytes
					       : size;
	return size;
}

/* Whether a part of this row may have so much flash, as far as the rule says it. */
static bool is_a_size(const struct board *board, const struct chip *chip, uint64_t size)
{
	uint32_t named = flash_by_word(board, chip);

	if (named > 0 || cc13xx_row(chip)->kind != CC13XX_38)
		return size == (named > 0 ? named : chip->flash.size);
	for (size_t part = 0; part < ARRAY_SIZE(parts_38); part++)
		if (size == parts_38[part].flash_bytes)
			return true;
	return false;
}

/* The part that the rule names; NULL: not known. One with a UART on its pins counts first. */
static const struct cc13xx_part *part_of(const struct board *board, const struct chip *chip)
{
	const struct cc13xx_part *part = NULL, *named;
	const char *word;

	for (size_t i = 0; (word = next_word(board, chip, &i)) != NULL;) {
		named = cc13xx_part_named(cc13xx_row(chip), word);
		if (named && (!part || !part->has_uart))
			part = named;
	}
	return part;
}

/* Names of Koenkk's images (ti-bsl.md 9), which most sticks have. */
static const char *advice_for(const struct cc13xx_part *part)
{
	static const struct {
		const char *part, *advice;
	} advices[] = {
		{"CC2652P7", "take the image for CC1352P7"},
		{"CC1352P7", "take the image for CC1352P7"},
		{"CC2652P",
			"take the image for CC1352P2_CC2652P_launchpad, or _other, as your stick needs it"},
		{"CC1352P",
			"take the image for CC1352P2_CC2652P_launchpad, or _other, as your stick needs it"},
		{"CC2652RB", "take the image for CC2652RB"},
		{"CC2652R", "take the image for CC2652R"},
	};

	for (size_t i = 0; part && i < ARRAY_SIZE(advices); i++)
		if (strcasecmp(part->name, advices[i].part) == 0)
			return advices[i].advice;
	return "take the image that is built for this stick";
}

/* ------------------------------------------------------------------ a file */

static bool is_page_blank(const struct image *image, const struct chip_page *page)
{
	uint8_t bytes[256];
	uint32_t n;

	for (uint32_t at = 0; at < page->size; at += n) {
		n = page->size - at < sizeof(bytes) ? page->size - at : sizeof(bytes);
		image_copy(image, page->address + at, bytes, n);
		for (uint32_t i = 0; i < n; i++)
			if (bytes[i] != FILLING)
				return false;
	}
	return true;
}

/*
 * A sector of nothing but filling is none of the image's: erased for its sake, it would take the
 * network with it (ti-bsl.md 6).
 */
static int cc13xx_shape_image(const struct board *board, const struct chip *chip,
	struct image *image, struct reason *reason)
{
	CLEANUP(image_done) struct image shaped = {0};
	int r = IMAGE_OK;

	(void)board;
	for (size_t i = 0; r == IMAGE_OK && i < image->n_segments; i++) {
		const struct segment *segment = &image->segments[i];
		uint64_t end = segment_end(segment), part_end;

		for (uint64_t at = segment->address; r == IMAGE_OK && at < end; at = part_end) {
			struct chip_page page;
			bool is_in_flash = chip_page_at(chip, (uint32_t)at, &page);

			part_end = is_in_flash ? (uint64_t)page.address + page.size : end;
			part_end = part_end < end ? part_end : end;
			if (!is_in_flash || !is_page_blank(image, &page))
				r = image_add(&shaped, (uint32_t)at,
					segment->data + (at - segment->address),
					(size_t)(part_end - at), UINT32_MAX, reason);
		}
	}
	if (r == IMAGE_OK && shaped.n_segments > 0) {
		struct segment *segments = image->segments;
		size_t n_segments = image->n_segments;

		image->segments = shaped.segments;
		image->n_segments = shaped.n_segments;
		image->n_bytes = shaped.n_bytes;
		shaped.segments = segments;
		shaped.n_segments = n_segments;
	}
	return r;
}

/* ------------------------------------------------------------------ checks of the file */

static int check_place(const struct board *board, const struct chip *chip, uint32_t flash_bytes,
	const struct image *image, struct reason *reason)
{
	const struct cc13xx_row *row = cc13xx_row(chip);
	const struct chip_range start = cc13xx_find_start(chip, image);
	const char *record = row->kind == CC13XX_38 ? "CCA" : "CCFG";
	uint64_t begin = chip->flash.start, size = cc13xx_end(image) - begin;
	uint64_t wanted = begin + flash_bytes - row->ccfg_bytes;
	bool is_sized =
		flash_bytes < chip->flash.size ? size == flash_bytes : is_a_size(board, chip, size);

	if (is_sized && covers(image, start.start, start.size))
		return IMAGE_OK;
	if (flash_by_word(board, chip) > 0)
		wanted = begin + flash_by_word(board, chip) - row->ccfg_bytes;
	if (is_sized)
		return reason_refuse(IMAGE_REFUSED, reason,
			"%s at 0x%05" PRIx64
			": the image has not all of its %u bytes, and all of them are wanted: without them the chip starts nothing, and nobody knows what its boot loader is to do; take the whole image",
			record, wanted, row->ccfg_bytes);
	return reason_refuse(IMAGE_REFUSED, reason,
		"%s at 0x%05" PRIx64 ": the image has none there, and ends at 0x%05" PRIx64
		", where the %s has no end of its flash: it is built for another chip, or is only a part of an image; take the whole one for this chip",
		record, wanted, cc13xx_end(image), chip->name);
}

static int check_vectors(const struct chip *chip, const struct ccfg *ccfg,
	const struct image *image, uint32_t vectors, struct reason *reason)
{
	const struct chip_range *ram = &cc13xx_row(chip)->ram;
	uint32_t stack, reset;

	if (!covers(image, vectors, 8))
		return reason_refuse(IMAGE_REFUSED, reason,
			"%s at 0x%05x: it says that the vector table is at 0x%05x, and the image has nothing there: the chip would start garbage; take another build",
			ccfg_name(ccfg->row, ccfg_valid_address(ccfg) - ccfg->address),
			ccfg_valid_address(ccfg), vectors);
	stack = image_word(image, vectors);
	reset = image_word(image, vectors + 4);
	if (stack % 4 != 0 || stack <= ram->start || stack - ram->start > ram->size)
		return reason_refuse(IMAGE_REFUSED, reason,
			"vector table at 0x%05x (by %s): the initial stack pointer is 0x%08x, and one in the RAM of the chip is wanted, from 0x%08x up to 0x%08x: no program begins there",
			vectors, ccfg_name(ccfg->row, ccfg_valid_address(ccfg) - ccfg->address),
			stack, ram->start, ram->start + ram->size);
	if (reset % 2 == 0 || !image_touches(image, reset - 1, 2))
		return reason_refuse(IMAGE_REFUSED, reason,
			"vector table at 0x%05x (by %s): the reset vector is 0x%08x, and an odd address inside the image is wanted: no program begins there",
			vectors, ccfg_name(ccfg->row, ccfg_valid_address(ccfg) - ccfg->address),
			reset);
	return IMAGE_OK;
}

static int check_start(const struct chip *chip, const struct ccfg *ccfg, const struct image *image,
	struct reason *reason)
{
	uint64_t size = cc13xx_end(image) - chip->flash.start;
	uint32_t vectors = 0;

	if (!ccfg_starts(ccfg, (uint32_t)size, &vectors))
		return reason_refuse(IMAGE_REFUSED, reason,
			"%s at 0x%05x: it is 0x%08x, and %s is wanted: the chip would start nothing; take another build",
			ccfg_name(ccfg->row, ccfg_valid_address(ccfg) - ccfg->address),
			ccfg_valid_address(ccfg), ccfg_valid(ccfg),
			ccfg->row->has_zero_valid ? "0" : "the address of the vector table");
	return check_vectors(chip, ccfg, image, vectors, reason);
}

static struct ccfg_wanted wanted_of(const struct board *board, const struct chip *chip)
{
	const struct cc13xx_part *part = part_of(board, chip);

	return (struct ccfg_wanted){
		.has_pin = board->has_backdoor_pin,
		.pin = board->backdoor_pin,
		.is_high = board->is_backdoor_high,
		.part = part,
		.has_cap_array = board->has_cap_array,
		.cap_array = board->cap_array,
		.advice = advice_for(part),
	};
}

/*
 * What is the unit's own comes into the image once that was checked. Of the record it may be an
 * address, and nothing of what decides on the loader and on the start.
 */
static int check_unit_data(
	const struct board *board, const struct ccfg *ccfg, struct reason *reason)
{
	const struct provision *serialize = &board->serialize;
	const struct chip_range open = ccfg_addresses(ccfg);
	uint64_t end = (uint64_t)serialize->address + serialize->size;

	if (serialize->form == PROVISION_NONE)
		return IMAGE_OK;
	for (uint64_t at = serialize->address; at < end; at++)
		if (at - ccfg->address < ccfg->row->ccfg_bytes && at - open.start >= open.size)
			return reason_refuse(IMAGE_REFUSED, reason,
				"%s at 0x%05" PRIx64
				": `serialize` of the rule puts what is the unit's own there, and nobody has checked whether the boot loader of the stick can be entered with it; correct its address (%u bytes from 0x%08x on)",
				ccfg_name(ccfg->row, (uint32_t)(at - ccfg->address)), at,
				serialize->size, serialize->address);
	return IMAGE_OK;
}

static int cc13xx_check_image(const struct board *board, const struct chip *chip,
	uint32_t flash_bytes, const struct image *image, struct reason *reason)
{
	int r;

	r = check_place(board, chip, flash_bytes, image, reason);
	if (r == IMAGE_OK) {
		const struct ccfg ccfg = cc13xx_ccfg(chip, image);
		const struct ccfg_wanted wanted = wanted_of(board, chip);

		r = ccfg_check(&ccfg, &wanted, reason);
		if (r == 0)
			r = check_start(chip, &ccfg, image, reason);
		if (r == 0)
			r = check_unit_data(board, &ccfg, reason);
	}
	return r;
}

/* ------------------------------------------------------------------ the chip that answered */

static int cc13xx_fit(const struct board *board, const struct chip *chip,
	const struct family_flash *flash, struct image *image, struct reason *reason)
{
	uint32_t named = flash_by_word(board, chip);

	if (named > 0 && named != flash->flash_bytes)
		return reason_refuse(FAMILY_FIT_IMAGE, reason,
			"the chip has %u bytes of flash, and the %s that the rule names has %u: it is another part, correct `chip` of the rule",
			flash->flash_bytes, chip->name, named);
	return cc13xx_own_fit(board, chip, flash, image, reason);
}

static const char *cc13xx_name_byte(
	const struct chip *chip, const struct image *image, uint32_t address)
{
	const struct chip_range place = cc13xx_find_start(chip, image);

	return address - place.start < place.size
		       ? ccfg_name(cc13xx_row(chip), address - place.start)
		       : NULL;
}

/* ------------------------------------------------------------------ addresses and cells */

/* SWCU185G 3.1, SWRU319 4.1: the memory maps. */
static const char *cc13xx_name_address(const struct chip *chip, uint32_t address)
{
	if (address - chip->flash.start < chip->flash.size)
		return "";
	if (address >> 28 == 0x2)
		return " (RAM)";
	if (address >> 28 == 0x4)
		return " (peripherals)";
	if (cc13xx_row(chip)->kind != CC13XX_38 && address >> 12 == 0x50003)
		return " (the CCFG as it is mapped)";
	return "";
}

static uint8_t cc13xx_erased_byte(const struct chip *chip)
{
	(void)chip;
	return FILLING;
}

const struct family family_cc13xx = {
	.rows = &family_cc13xx_rows,
	.shape_image = cc13xx_shape_image,
	.check_image = cc13xx_check_image,
	.fit = cc13xx_fit,
	.find_start = cc13xx_find_start,
	.starts_by_record = true,
	.check_guard = cc13xx_own_check_guard,
	.name_byte = cc13xx_name_byte,
	.restore = cc13xx_own_restore,
	.name_address = cc13xx_name_address,
	.erased_byte = cc13xx_erased_byte,
};
