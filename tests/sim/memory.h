/* SPDX-License-Identifier: MIT */
/*
 * memory.h - the memories of a simulated chip and the rules of its flash: what may be read, what an
 * erase and a programming pulse really do, and what protection forbids. Knows no protocol and no
 * time.
 */
#pragma once

#include "sim/fault.h"

enum memory_area {
	MEMORY_NONE,
	MEMORY_FLASH,
	MEMORY_RAM, /* the window that the ROM lets be used */
	MEMORY_OPTION_BYTES,
	MEMORY_SYSTEM,	/* the ROM itself, unique id, flash size */
	MEMORY_VOLTAGE, /* the virtual address of F2, F4, F7 (AN2606 table 4) */
};

#define MEMORY_OPTION_MAX      512
#define MEMORY_VOLTAGE_ADDRESS UINT32_C(0xFFFF0000)

struct memory {
	const struct sim_chip *chip;
	struct fault *fault;
	struct sim_counters *counters;
	uint8_t *flash;
	uint8_t *truth; /* what the cells really hold while the cache fault shows something else */
	uint8_t *ram;
	uint8_t options[MEMORY_OPTION_MAX];
	unsigned option_writes;
	uint8_t unique_id[12];
	uint8_t voltage;
	bool readout_protected;
	uint32_t write_protected; /* a bit a sector; the last one stands for all above */
	bool programming_fails;	  /* after a misaligned write on some families (AN2606 table 7) */
};

/* False without memory. The flash is erased; a chip with a board of its own (esp-board.h,
 * ti-board.h) has it there, and none here. */
bool memory_init(struct memory *memory, const struct sim_chip *chip, struct fault *fault,
	struct sim_counters *counters, const uint8_t *unique_id);
void memory_done(struct memory *memory);

/* The chip left reset: the flash unit is as new. */
void memory_reset(struct memory *memory);

/* RAM holds what it happens to. */
void memory_lose_ram(struct memory *memory);
void memory_clear_ram(struct memory *memory);

enum memory_area memory_area(const struct memory *memory, uint32_t address);

/* False where nothing answers on the bus. */
bool memory_read(const struct memory *memory, uint32_t address, uint8_t *ret);

/* A word as the processor sees it; 0 where there is nothing. */
uint32_t memory_read_word(const struct memory *memory, uint32_t address);

unsigned memory_page_count(const struct memory *memory);

/* Index of the page with the number that the erase commands use; false where there is none. */
bool memory_page_numbered(const struct memory *memory, unsigned number, unsigned *ret);

/* Index of the page with this offset into the flash. */
unsigned memory_page_at(const struct memory *memory, uint32_t offset);

uint64_t memory_page_erase_nsec(const struct memory *memory, unsigned page);
uint64_t memory_mass_erase_nsec(const struct memory *memory);

/* Neither erased nor programmed. */
bool memory_page_is_protected(const struct memory *memory, unsigned page);

/* Nothing happens to a page that is protected or not there. */
void memory_erase_page(struct memory *memory, unsigned page);

/* Whole flash whatever its protection, as the hardware does when read-out protection goes. */
void memory_wipe(struct memory *memory);

/* How many bytes one programming pulse takes. */
uint32_t memory_program_unit(const struct memory *memory);

/*
 * One pulse of at most memory_program_unit() bytes at `address` in flash. False where the hardware
 * raised an error flag; a protected page is none (AN3155 3.6: no error is returned).
 */
bool memory_program(struct memory *memory, uint32_t address, const uint8_t *data, uint32_t n_data);

void memory_write_ram(
	struct memory *memory, uint32_t address, const uint8_t *data, uint32_t n_data);

/* Read-out protection; taking it away wipes the flash. */
void memory_protect_readout(struct memory *memory, bool on);

/* The option bytes from their start. What they change counts at once: the ROM resets the chip
 * anyway. */
void memory_write_options(struct memory *memory, const uint8_t *data, uint32_t n_data);

/* Replaces the set of protected sectors. */
void memory_protect_sectors(struct memory *memory, const uint8_t *sectors, uint32_t n_sectors);
void memory_unprotect_sectors(struct memory *memory);

/* The virtual address takes 1 to 4 bytes; false for values that AN2606 table 4 has not. */
bool memory_write_voltage(struct memory *memory, const uint8_t *data, uint32_t n_data);
