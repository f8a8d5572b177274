/* SPDX-License-Identifier: MIT */
/*
 * stub-load.h - what is written into a chip's RAM and started there: header, stub, setup, steps, as
 * protocol.h describes them. Pure functions of the chip's row, its setup list and what was read of
 * the chip.
 */
#pragma once

#include "base/text.h"
#include "chip/chip.h"
#include "loader/stub-setups.h"

/* Room for the program and its setup; that of another compiler, for tests, is larger than stub.bin.
 */
#define STUB_LOAD_MAX 4608

/* The trains are sent at no more: a bit must have 200 ticks of the slowest clock. */
#define STUB_TRAIN_BAUD_MAX 115200

enum stub_load_result {
	STUB_LOAD_OK,
	STUB_LOAD_NONE, /* this chip gets no stub, and why */
};

/* Which page numbers are in bank 2, and how CR selects it. */
struct stub_banks {
	enum stub_kind kind;
	uint32_t second; /* where bank 2 begins; 0: one bank */
	uint32_t page;	 /* number of its first page, as the ROM's erase commands count */
	uint32_t bit;	 /* of CR, K3 */
};

struct stub_load_question {
	const struct chip *chip; /* with the pages that are in force */
	uint32_t flash_bytes;	 /* of this part */
	uint32_t option_word;	 /* as it was read at stub_load_option_word(); else 0 */
	uint32_t train_baud;	 /* at most STUB_TRAIN_BAUD_MAX */
	char *const *names;	 /* what the rule says in `chip`, NULL-terminated; or NULL */
	const uint8_t *program;	 /* stub.bin */
	size_t n_program;	 /* a multiple of 4, at most STUB_SIZE_MAX */
};

struct stub_load {
	uint8_t bytes[STUB_LOAD_MAX];
	size_t n_bytes;		/* a multiple of 4 */
	uint32_t address;	/* for Write Memory and Go; a multiple of 16 */
	uint32_t self_crc;	/* as hello must have it */
	uint32_t ring_size;	/* the same */
	enum stub_kind kind;	/* the same */
	uint32_t clock_hz;	/* of the processor, but for the tolerance of its HSI */
	uint32_t max_baud;	/* 0: any */
	uint64_t unit_max_nsec; /* programming of one unit, at most */
	bool may_have_no_dev_id;
	struct stub_banks banks;
	const struct stub_list *list;
};

/* The address of the word of option bytes that must be read before; 0: none. */
uint32_t stub_load_option_word(const struct chip *chip);

/* 0, or STUB_LOAD_NONE with the reason, a sentence on the chip. */
int stub_load_make(
	const struct stub_load_question *question, struct stub_load *ret, struct reason *reason);

/* What struct stub_erase has as `select` for this page. */
uint32_t stub_select(const struct stub_banks *banks, const struct chip_page *page);
