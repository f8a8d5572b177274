/* SPDX-License-Identifier: MIT */
/* toy-chip.c - the family of toy.h, its only chip, and how its faster loader gets there. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "toy.h"

static int toy_check_image(const struct board *board, const struct chip *chip, uint32_t flash_bytes,
	const struct image *image, struct reason *reason)
{
	uint8_t first = image->segments[0].data[0];

	(void)board;
	(void)chip;
	(void)flash_bytes;
	if (first == TOY_MARK)
		return IMAGE_OK;
	reason_set(reason, "it begins with 0x%02x and not with 0x%02x", first, TOY_MARK);
	return IMAGE_REFUSED;
}

static struct chip_range toy_find_start(const struct chip *chip, const struct image *image)
{
	const struct segment *segment = &image->segments[0];

	return (struct chip_range){segment->address + (chip->own ? segment->size - 1 : 0), 1};
}

static uint8_t toy_erased_byte(const struct chip *chip)
{
	(void)chip;
	return 0xFF;
}

static const char *toy_name_address(const struct chip *chip, uint32_t address)
{
	(void)chip;
	(void)address;
	return "";
}

static const struct family_rows toy_rows = {.name = "toy"};

static const struct family toy_family = {
	.rows = &toy_rows,
	.check_image = toy_check_image,
	.find_start = toy_find_start,
	.name_address = toy_name_address,
	.erased_byte = toy_erased_byte,
};

void toy_chips(struct chip_table *ret)
{
	struct chip *chip = calloc(1, sizeof(*chip));

	assert(chip);
	*chip = (struct chip){.family = &toy_family, .product_id = TOY_ID, .write_align = 4};
	chip->name = strdup("toy");
	chip->flash = (struct chip_range){TOY_BASE, TOY_BYTES};
	chip->pages = (struct chip_map){.runs = {{.size = TOY_PAGE}}, .n_runs = 1};
	*ret = (struct chip_table){chip, 1};
}

/* The faster loader is the same one with larger blocks, and posts its writes. */
static int toy_promote(struct loader *loader, const struct chip_identity *identity,
	struct reason *why, struct loader **ret)
{
	struct toy *toy = ((struct toy_loader *)loader)->toy;

	assert(identity->chip == &loader->chips->items[0]);
	toy->n_promotions++;
	toy->fast_loader = toy->slow_loader;
	toy->fast_loader.base.ops = &toy->fast;
	if (toy->promotion > 0)
		reason_set(why, "it does not answer");
	*ret = &toy->fast_loader.base;
	return toy->promotion;
}

void toy_init(struct toy *toy)
{
	*toy = (struct toy){.slow = toy_ops, .fast = toy_ops, .promotion = LOADER_UNSUPPORTED};
	toy->slow.flush = NULL;
	toy->fast.block_size = LOADER_BLOCK_MAX;
	toy->slow.promote = toy_promote;
	memset(toy->flash, 0xFF, sizeof(toy->flash));
}
