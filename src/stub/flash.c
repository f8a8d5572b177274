/* SPDX-License-Identifier: MIT */
/*
 * flash.c - the three kinds of flash controller, as one.
 *
 * They have the same operations, and differ in where registers and bits are; struct kind says so.
 * What differs inside a kind comes from the host: units, bits of CR and SR, number of the page.
 * Facts are those of ST's register headers; traps that others have met stand at their lines.
 *
 * Order of each operation: not busy, flags cleared (a flag that was left makes the next operation
 * of K3 fail), unlocked, CR as a whole (PG is off before PER: an erase of K1 does nothing
 * otherwise), the operation, one read of CR (BSY may come a cycle late on K1), wait, flags, CR as
 * it was.
 */
#include "stub/stub.h"

#define KEY_1	  0x45670123
#define KEY_2	  0xCDEF89AB

#define CR_PG	  (1 << 0)
#define CR_ERASE  (1 << 1) /* PER, SER */
#define SR_WRPERR (1 << 4)

/* Registers by their place behind this address, which is the same for all kinds. */
static uint32_t find(const struct stub *stub, uint32_t address)
{
	const struct stub_setup *setup = stub->setup;
	uint32_t base = setup->registers;

	if (setup->bank2 && address >= setup->bank2)
		base = setup->bank2_registers;
	return setup->kind == STUB_K3 ? base + 4 : base;
}

#define KEYR 0x04
#define SR   0x0C
#define CR   0x10
#define AR   0x14 /* K1 */

/*
 * Waits until the flash is not busy, and polls once at least. The limit counts only while it is
 * busy: taking a byte of the next frame may last longer than a unit.
 */
static enum stub_status settle(struct stub *stub, uint32_t base, uint32_t limit)
{
	uint32_t began = stub->now, status;

	for (;;) {
		stub_poll(stub);
		status = seam_read(base + SR);
		if (!(status & stub->setup->busy) || stub->now - began > limit)
			break;
		stub_take(stub);
	}
	stub->answer.flash_status = status;
	if (status & stub->setup->busy)
		return STUB_TIMEOUT;
	if (!(status & stub->setup->errors))
		return STUB_OK;
	return status & SR_WRPERR ? STUB_WRITE_PROTECTED : STUB_FLASH_ERROR;
}

static void set_control(const struct stub *stub, uint32_t base, uint32_t control)
{
	seam_write(base + CR, stub->setup->control | control);
}

/* Makes the controller ready for an operation with these bits of CR. */
static enum stub_status prepare(struct stub *stub, uint32_t base, uint32_t control)
{
	int is_k1 = stub->setup->kind == STUB_K1;
	uint32_t lock = is_k1 ? 1 << 7 : 1u << 31;

	/* Flags that were left do not count here; a flash that stays busy does. */
	if (settle(stub, base, stub->setup->program_limit) == STUB_TIMEOUT)
		return STUB_TIMEOUT;
	seam_write(base + SR, stub->setup->clear);
	/*
	 * Keys while it is unlocked are a fault on K2 and K3. On K1 they do no harm, and some
	 * clones read LOCK as 0 while they are locked: so there they are written once in any case.
	 */
	if ((seam_read(base + CR) & lock) || (is_k1 && !stub->has_keys)) {
		stub->has_keys = 1;
		seam_write(base + KEYR, KEY_1);
		seam_write(base + KEYR, KEY_2);
		if (seam_read(base + CR) & lock)
			return STUB_LOCKED;
	}
	set_control(stub, base, control);
	return STUB_OK;
}

static enum stub_status finish(struct stub *stub, uint32_t base, enum stub_status status)
{
	/* CR must not be written while the flash is busy. */
	if (status != STUB_TIMEOUT)
		set_control(stub, base, 0);
	return status;
}

/* Erases by these bits of CR in the bank of this address. */
static enum stub_status erase(struct stub *stub, uint32_t address, uint32_t control, uint32_t limit)
{
	uint32_t base = find(stub, address);
	enum stub_status status = prepare(stub, base, control);

	if (status != STUB_OK)
		return status;
	if (stub->setup->kind == STUB_K1) {
		seam_write(base + AR, address);
		control |= 1 << 6;
	} else {
		control |= 1 << 16;
	}
	set_control(stub, base, control); /* STRT */
	seam_read(base + CR);
	status = settle(stub, base, limit);
	return finish(stub, base, status);
}

int stub_in(uint32_t address, uint32_t size, uint32_t first, uint32_t all)
{
	address -= first;
	return address < all && size <= all - address;
}

int stub_in_flash(const struct stub *stub, uint32_t address, uint32_t size)
{
	return stub_in(address, size, stub->setup->flash, stub->setup->flash_size);
}

int stub_is_readable(const struct stub *stub, uint32_t address, uint32_t size)
{
	return stub_in_flash(stub, address, size) &&
	       !(seam_read(find(stub, address) + SR) & stub->setup->busy);
}

/* Whether `select` means the page at this address: a wrong page is an application lost. */
static int selects(const struct stub_setup *setup, uint32_t address, const struct stub_erase *page)
{
	uint32_t select = page->select;

	if (setup->kind == STUB_K1)
		return select == address;
	if (setup->kind == STUB_K3) {
		uint32_t offset = address - setup->flash, first = 0;

		if (setup->bank2 && address >= setup->bank2) {
			select ^= setup->bank2_select;
			offset = address - setup->bank2;
			first = setup->bank2_page;
		}
		if ((select & setup->bank2_select) ||
			((select >> 3) - first) * page->size != offset)
			return 0;
	}
	return (select & ~(0x7FFu << 3)) == 0;
}

enum stub_status stub_flash_erase(
	struct stub *stub, uint32_t address, const struct stub_erase *page)
{
	uint32_t control = CR_ERASE;

	stub_poll(stub);
	if (!stub_in_flash(stub, address, page->size) || !selects(stub->setup, address, page))
		return STUB_RANGE;
	if (stub->setup->kind != STUB_K1)
		control |= page->select;
	return erase(stub, address, control, stub->setup->erase_limit);
}

enum stub_status stub_flash_erase_all(struct stub *stub)
{
	const struct stub_setup *setup = stub->setup;
	enum stub_status status =
		erase(stub, setup->flash, setup->erase_all, setup->erase_all_limit);

	if (status == STUB_OK && setup->bank2_registers != setup->registers)
		status = erase(stub, setup->bank2, setup->erase_all, setup->erase_all_limit);
	return status;
}

void stub_store(uint32_t address, uint32_t from, uint32_t unit)
{
	if (unit == 1) {
		seam_write8(address, seam_read8(from));
	} else if (unit == 2) {
		seam_write16(address, seam_read16(from));
	} else {
		seam_write(address, seam_read(from));
		if (unit == 8)
			seam_write(address + 4, seam_read(from + 4));
	}
	seam_barrier();
}

/* Programs eight bytes, of one unit or several, unless all are 0xFF. */
static __attribute__((noinline)) enum stub_status write_eight(
	struct stub *stub, uint32_t base, uint32_t address, uint32_t from)
{
	uint32_t unit = stub->setup->unit;

	if ((seam_read(from) & seam_read(from + 4)) == ~0u) {
		stub_poll(stub);
		return STUB_OK;
	}
	if ((seam_read(address) & seam_read(address + 4)) != ~0u)
		return STUB_NOT_BLANK;
	for (uint32_t i = 0; i < STUB_UNIT_MAX; i += unit) {
		enum stub_status status;

		stub_store(address + i, from + i, unit);
		seam_read(base + CR);
		status = settle(stub, base, stub->setup->program_limit);
		if (status != STUB_OK)
			return status;
	}
	if (seam_read(address) != seam_read(from) || seam_read(address + 4) != seam_read(from + 4))
		return STUB_DIFFERS;
	return STUB_OK;
}

enum stub_status stub_flash_write(struct stub *stub, uint32_t address, uint32_t n)
{
	uint32_t from = seam_address(stub->buffer->frame.data) - address;
	uint32_t base = find(stub, address), end = address + n;
	enum stub_status status;

	if (((address | n) & (STUB_UNIT_MAX - 1)) != 0 || !stub_in_flash(stub, address, n))
		return STUB_RANGE;
	status = prepare(stub, base, CR_PG);
	if (status != STUB_OK)
		return status;
	for (; address < end; address += STUB_UNIT_MAX) {
		stub->answer.address = address;
		status = write_eight(stub, base, address, from + address);
		if (status != STUB_OK)
			break;
	}
	return finish(stub, base, status);
}
