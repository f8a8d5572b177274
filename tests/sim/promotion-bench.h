/* SPDX-License-Identifier: MIT */
/*
 * promotion-bench.h - a bench whose STM32 takes a program into its RAM, and whose row of the chip
 * table says which setup list fits. Include after cmocka.h.
 */
#pragma once

#include <string.h>

#include "chip/family-stm32.h"
#include "sim/bench.h"

#define PROMOTION_ONCE "chip = 0x414\nretries = 0\n"
#define PROMOTION_RULE "chip = 0x414\nretries = 1\nretry-delay = 0\n"
/* Of the ids of an F103 those that the rule names by it run at 64 MHz (F101: 36). */
#define PROMOTION_AT_115200 "chip = F103xC\nretries = 1\nretry-delay = 0\nbaud = 115200\n"
#define PROMOTION_BASE	    UINT32_C(0x08000000)
#define KIB		    1024

#define ROM_WRITE_MEMORY    0x31
#define ROM_GO		    0x21

static inline struct bench *promotion_new_with(
	const struct sim_options *made, const char *chip, const char *word, const char *rule)
{
	struct sim_options options = *made;
	const struct chip *row;
	struct bench *bench;

	options.chip = sim_chip_find(chip);
	assert_non_null(options.chip);
	bench = bench_new_with(&options, rule);
	row = chip_table_find(bench_own_chips(bench), "stm32", options.chip->product_id);
	assert_non_null(row);
	snprintf(((struct stm32_row *)row->own)->stub, STM32_STUB_WORD, "%s", word);
	bench->trusts.stub = TRUST_FULL;
	return bench;
}

static inline struct bench *promotion_new(const char *chip, const char *word, const char *rule,
	enum sim_program program, const struct sim_faults *faults)
{
	struct sim_options options = {.program = program};

	if (faults)
		options.faults = *faults;
	return promotion_new_with(&options, chip, word, rule);
}

static inline bool is_said(const struct bench *bench, const char *what)
{
	return strstr(bench->report.stub, what) != NULL;
}

/* Milliseconds since the host's first byte to the ROM: before it come the reset pulse and the start
 * of the chip, which are the board's. */
static inline uint64_t promotion_msec(const struct bench *bench)
{
	return bench_msec(bench) - port_sim_record(BENCH_PORT)->sent[0].at_nsec / 1000000;
}
