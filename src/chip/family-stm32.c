/* SPDX-License-Identifier: MIT */
/*
 * family-stm32.c - the STM32: a Cortex-M that starts by the vector table at the start of its flash.
 *
 * Stack pointer and reset vector are the last bytes that go into the flash. A chip without them
 * stays in its boot loader or starts nothing, whatever else it holds.
 */
#include "chip/family-stm32.h"
#include "chip/family.h"
#include "chip/vectors.h"

static int stm32_check_image(const struct board *board, const struct chip *chip,
	uint32_t flash_bytes, const struct image *image, struct reason *reason)
{
	struct vector_space space = {
		.has_address = board->has_address,
		.address = board->address,
		.flash = {chip->flash.start, flash_bytes},
	};

	if (!board->check_vectors)
		return IMAGE_OK;
	space.stack = stm32_row(chip)->stack;
	space.n_stack = stm32_row(chip)->n_stack;
	return vectors_check(image, &space, reason);
}

/*
 * Stack pointer and reset vector, or what a boot loader looks for in their place, in the smallest
 * frame that the chip takes without a word split in two. They are 8 bytes, and a double word is
 * also what some chips program once only, whatever their loader takes (G0: RM0444, programming).
 */
static struct chip_range stm32_find_start(const struct chip *chip, const struct image *image)
{
	uint32_t start = image->segments[0].address;
	uint32_t align = chip->write_align < VECTORS_HEAD ? VECTORS_HEAD : chip->write_align;
	uint64_t end = ((uint64_t)start + VECTORS_HEAD + align - 1) / align * align;

	return (struct chip_range){start, (uint32_t)(end - start)};
}

/* The memory map of Cortex-M (Armv7-M B3.1), and ST's use of it. */
static const char *stm32_name_address(const struct chip *chip, uint32_t address)
{
	(void)chip;
	if (address >> 16 == 0x1FFF)
		return " (option bytes or system memory)";
	if (address >> 28 == 0x2)
		return " (RAM)";
	if (address >> 28 == 0x4)
		return " (peripherals)";
	return "";
}

static bool stm32_find_options(
	const struct chip *chip, struct chip_range *ret, const struct option_layout **ret_layout)
{
	const struct stm32_row *row = stm32_row(chip);

	*ret = row->option_bytes;
	*ret_layout = row->options;
	return row->option_bytes.size > 0;
}

/* Erased flash of the L0 and the L1 reads 0x00; the flag of their rows says so. */
static uint8_t stm32_erased_byte(const struct chip *chip)
{
	return stm32_row(chip)->flags & STM32_ERASED_ZERO ? 0x00 : 0xFF;
}

static bool stm32_has_other_pages(const struct chip *chip)
{
	return stm32_row(chip)->layout.address != 0;
}

static bool stm32_can_swap_banks(const struct chip *chip)
{
	return stm32_row(chip)->swap.address != 0;
}

static bool stm32_use_other_pages(struct chip *chip, uint32_t flash_bytes)
{
	const struct stm32_row *row = stm32_row(chip);
	const struct chip_map *map = &row->other;
	uint64_t bytes = 0;

	/* Those of smaller parts are for one size of flash: none of them has an open end. */
	if (flash_bytes < chip->flash.size && row->other_smaller.n_runs > 0) {
		map = &row->other_smaller;
		for (size_t i = 0; i < map->n_runs; i++)
			bytes += (uint64_t)map->runs[i].count * map->runs[i].size;
		if (bytes != flash_bytes || map->runs[map->n_runs - 1].count == 0)
			return false;
	}
	if (map->n_runs == 0)
		return false;
	chip->pages = *map;
	return true;
}

const struct family family_stm32 = {
	.rows = &family_stm32_rows,
	.check_image = stm32_check_image,
	.find_start = stm32_find_start,
	.name_address = stm32_name_address,
	.find_options = stm32_find_options,
	.erased_byte = stm32_erased_byte,
	.has_other_pages = stm32_has_other_pages,
	.can_swap_banks = stm32_can_swap_banks,
	.use_other_pages = stm32_use_other_pages,
};
