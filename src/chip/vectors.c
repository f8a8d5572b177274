/* SPDX-License-Identifier: MIT */
/*
 * vectors.c - the first words of an application (Armv7-M Architecture Reference Manual, B1.5.3):
 * initial stack pointer, reset vector, handlers.
 *
 * A chip whose first words are no vector table hangs, and so does one whose application jumps into
 * code that belongs elsewhere. A comparison of the flash would call both good, so they are refused
 * before anything is erased.
 */
#include "chip/vectors.h"

#include "base/util.h"
#include "chip/linked.h"
#include "chip/mcuboot.h"

#define IGNORE "(vector-table = ignore in the rule flashes it anyhow)"

/*
 * Where the memory map of Cortex-M (Armv7-M B3.1) and ST's use of it have RAM: ITCM, CCM, SRAM.
 * An application behind a boot loader may have its stack in a memory outside of the chip, which
 * that has set up: FMC's banks, OCTOSPI and HSPI.
 */
static const struct chip_range rams[] = {
	{0x00000000, 0x00040000},
	{0x10000000, 0x0FFF0000},
	{0x20000000, 0x20000000},
};
static const struct chip_range outside_rams[] = {
	{0x60000000, 0x40000000},
	{0xC0000000, 0x20000000},
};

/* A full descending stack: the pointer may be just behind the last byte, not at the first. */
static bool is_in(uint32_t pointer, const struct chip_range *ranges, size_t n_ranges)
{
	for (size_t i = 0; i < n_ranges; i++)
		if (pointer > ranges[i].start && pointer - ranges[i].start <= ranges[i].size)
			return true;
	return false;
}

/*
 * The processor clears the two low bits of the pointer as it loads it at reset (TakeReset in the
 * architecture manuals of Armv6-M, Armv7-M and Armv8-M), so they are cleared here as well: many
 * linker scripts of ST end the stack at the last byte of the RAM, 0x20004fff.
 */
static bool is_stack_pointer(uint32_t word, const struct vector_space *space, bool is_first)
{
	uint32_t pointer = word & ~UINT32_C(3);

	if (!is_first && is_in(pointer, outside_rams, ARRAY_SIZE(outside_rams)))
		return true;
	return space->n_stack > 0 ? is_in(pointer, space->stack, space->n_stack)
				  : is_in(pointer, rams, ARRAY_SIZE(rams));
}

static bool has_all_of(const struct image *image, uint32_t address, uint32_t size)
{
	for (uint32_t i = 0; i < size; i++)
		if (!image_touches(image, address + i, 1))
			return false;
	return true;
}

static int refuse_part(uint32_t table, struct reason *reason)
{
	return reason_refuse(IMAGE_REFUSED, reason,
		"it holds only a part of the vector table at 0x%08x: is it built for this chip and address? " IGNORE,
		table);
}

/* ------------------------------------------------------------------ one table */

/* A table at hand, and where the image it belongs to begins: before MCUboot's header, if any. */
struct table {
	const struct image *image;
	uint32_t address;
	uint32_t image_address;
	bool is_mcuboot;
};

/* Bit 0 becomes the Thumb bit, and these processors fault without it. */
static int check_reset(const struct table *table, struct reason *reason)
{
	uint32_t reset = image_word(table->image, table->address + 4), linked_for;
	const struct segment *last = &table->image->segments[table->image->n_segments - 1];
	char guess[80] = "";
	struct linked linked;

	if (reset % 2 != 0 && image_touches(table->image, reset - 1, 1))
		return IMAGE_OK;
	if (reset % 2 == 0)
		return reason_refuse(IMAGE_REFUSED, reason,
			"its vector table at 0x%08x has 0x%08x as reset vector, which is even (no Thumb code): is it built for this chip and address? " IGNORE,
			table->address, reset);
	linked_read(table->image, table->address, &linked);
	if (linked.n_handlers > 0 && linked_guess(table->image, &linked, &linked_for))
		snprintf(guess, sizeof(guess),
			", 0x%08x as it seems: set `address` to where it belongs",
			linked_for - (table->address - table->image_address));
	return reason_refuse(IMAGE_REFUSED, reason,
		"its vector table at 0x%08x has 0x%08x as reset vector, which is outside the image, 0x%08x to 0x%08x: it is linked for another address%s%s " IGNORE,
		table->address, reset, table->image->segments[0].address,
		(uint32_t)((uint64_t)last->address + last->size - 1), guess,
		table->is_mcuboot ? ", as images for MCUboot's second slot are" : "");
}

/* The whole judgement of a table: its stack pointer, its reset vector, and then all its vectors. */
static int check_table(
	const struct table *table, const struct vector_space *space, struct reason *reason)
{
	bool is_first = space->flash.size > 0 && table->address == space->flash.start;
	struct linked linked;
	uint32_t stack, linked_for;
	int r;

	if (!has_all_of(table->image, table->address, VECTORS_HEAD))
		return refuse_part(table->address, reason);
	stack = image_word(table->image, table->address);
	if (!is_stack_pointer(stack, space, is_first))
		return reason_refuse(IMAGE_REFUSED, reason,
			"its vector table at 0x%08x has 0x%08x as initial stack pointer, which is outside the RAM: is it built for this chip and address? " IGNORE,
			table->address, stack);
	r = check_reset(table, reason);
	if (r != IMAGE_OK)
		return r;
	linked_read(table->image, table->address, &linked);
	if (!linked_is_elsewhere(table->image, &linked, &linked_for))
		return IMAGE_OK;
	return reason_refuse(IMAGE_REFUSED, reason,
		"its vector table is at 0x%08x, and all its vectors say that it is linked for another address, 0x%08x as it seems: set `address` to where it belongs " IGNORE,
		table->address, linked_for - (table->address - table->image_address));
}

/* ------------------------------------------------------------------ behind MCUboot's header */

/* Linked for RAM, to which MCUboot copies it with its header. */
static int check_loaded(
	const struct table *table, const struct mcuboot *mcuboot, struct reason *reason)
{
	uint32_t reset = image_word(table->image, table->address + 4);

	if (reset % 2 != 0 && reset > mcuboot->load_address &&
		reset - mcuboot->load_address < image_bytes(table->image))
		return IMAGE_OK;
	return reason_refuse(IMAGE_REFUSED, reason,
		"MCUboot's header loads it to 0x%08x, and its reset vector is 0x%08x: is it linked for that address? " IGNORE,
		mcuboot->load_address, reset);
}

static int check_mcuboot(const struct image *image, uint32_t address,
	const struct vector_space *space, struct reason *reason)
{
	struct mcuboot mcuboot;
	struct table table;
	int r = mcuboot_check(image, address, &mcuboot, reason);

	if (r != IMAGE_OK)
		return r;
	if (space->flash.size > 0 && address == space->flash.start)
		return reason_refuse(IMAGE_REFUSED, reason,
			"it begins with MCUboot's header, and at 0x%08x, where the chip starts, belongs MCUboot itself: set `address` to the start of its first slot",
			address);
	if (mcuboot.is_opaque)
		return IMAGE_OK;
	table = (struct table){image, mcuboot.vectors, address, true};
	return mcuboot.has_load_address ? check_loaded(&table, &mcuboot, reason)
					: check_table(&table, space, reason);
}

int vectors_check(
	const struct image *image, const struct vector_space *space, struct reason *reason)
{
	/* The application begins where the rule says, or where the image does. */
	bool is_placed = space->has_address && image_touches(image, space->address, VECTORS_HEAD);
	uint32_t start = is_placed ? space->address : image->segments[0].address;
	struct table table = {image, start, start, false};

	if (start != space->flash.start && space->flash.size > 0 &&
		image_touches(image, space->flash.start, VECTORS_HEAD))
		return refuse_part(space->flash.start, reason);
	if (has_all_of(image, start, 4) && image_word(image, start) == MCUBOOT_MAGIC)
		return check_mcuboot(image, start, space, reason);
	return check_table(&table, space, reason);
}

/* ------------------------------------------------------------------ a place that nobody knows */

int vectors_check_anywhere(const struct image *image, struct reason *reason)
{
	const struct vector_space nowhere = {.n_stack = 0};
	uint32_t table = image->segments[0].address, stack, reset;
	struct linked linked;

	if (image_word(image, table) == MCUBOOT_MAGIC) {
		struct mcuboot mcuboot;
		int r = mcuboot_check(image, table, &mcuboot, reason);

		if (r != IMAGE_OK || mcuboot.is_opaque)
			return r;
		table = mcuboot.vectors;
	}
	stack = image_word(image, table);
	reset = image_word(image, table + 4);
	linked_read(image, table, &linked);
	if (has_all_of(image, table, VECTORS_HEAD) && is_stack_pointer(stack, &nowhere, false) &&
		reset % 2 != 0 && linked.n_handlers > 0)
		return IMAGE_OK;
	return reason_refuse(IMAGE_REFUSED, reason,
		"it does not begin with a vector table (0x%08x, 0x%08x), and nothing says where it belongs: set `address`, or vector-table = ignore if the boot loader takes a format of its own",
		stack, reset);
}
