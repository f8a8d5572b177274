/* SPDX-License-Identifier: MIT */
/*
 * family-stm32.c - the STM32: a Cortex-M that starts by the vector table at the start of its flash.
 *
 * Stack pointer and reset vector are the last bytes that go into the flash. A chip without them
 * stays in its boot loader or starts nothing, whatever else it holds.
 */
#include "chip/family.h"
#include "chip/vectors.h"

static int stm32_check_image(const struct board *board, const struct chip *chip,
	uint32_t flash_bytes, const struct image *image, struct reason *reason)
{
	const struct vector_space space = {
		.has_address = board->has_address,
		.address = board->address,
		.flash = {chip->flash.start, flash_bytes},
		.stack = chip->stack,
		.n_stack = chip->n_stack,
	};

	return board->check_vectors ? vectors_check(image, &space, reason) : IMAGE_OK;
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

/* Erased flash of the L0 and the L1 reads 0x00; the flag of their rows says so. */
static uint8_t stm32_erased_byte(const struct chip *chip)
{
	return chip->flags & CHIP_ERASED_ZERO ? 0x00 : 0xFF;
}

const struct family family_stm32 = {
	.rows = &family_stm32_rows,
	.check_image = stm32_check_image,
	.find_start = stm32_find_start,
	.name_address = stm32_name_address,
	.erased_byte = stm32_erased_byte,
};
