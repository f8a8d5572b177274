/* SPDX-License-Identifier: MIT */
/*
 * stub-stand.h - a simulated board whose ROM has put a program into the RAM and started it, and the
 * host's side of the talk with it. Include after cmocka.h.
 */
#pragma once

#include <string.h>

#include "chip/family-stm32.h"
#include "image/digest.h"
#include "loader/stub-program.h"
#include "loader/stub.h"
#include "sim/line.h"
#include "sim/shipped.h"

/* Bytes that stand for the stub's own: the fewer, the sooner it is loaded. */
#ifndef STUB_STAND_PROGRAM
#define STUB_STAND_PROGRAM 256
#endif

/* What runs in the RAM of the boards from now on: the peer, or the stub itself. */
static enum sim_program stub_runs_on = SIM_PROGRAM_PEER;

struct stub_stand {
	const struct chip *chip;
	const struct sim_chip *sim_chip;
	struct sim *sim;
	struct port *port;
	struct stub_load load;
	struct stub_facts facts;
	struct loader base;
	struct loader *loader;
	struct reason why;
	uint32_t max_baud;
	uint64_t loaded_from; /* when the first byte of the image was sent, nanoseconds */
};

/* The kind that the peer's program has stands in its setup: its code may be anything. */
static inline void stub_make_load(struct stub_stand *stand, uint32_t flash_bytes)
{
	bool is_core = stub_runs_on == SIM_PROGRAM_CORE;
	uint8_t program[STUB_STAND_PROGRAM];
	struct stub_load_question question = {
		.chip = stand->chip,
		.flash_bytes = flash_bytes,
		.option_word = UINT32_MAX,
		.train_baud = 115200,
		.program = is_core ? stub_program : program,
		.n_program = is_core ? stub_program_size : sizeof(program),
	};

	for (size_t i = 0; i < sizeof(program); i++)
		program[i] = (uint8_t)(i * 31 + 7);
	if (stub_load_make(&question, &stand->load, &stand->why) != 0)
		fail_msg("%s", stand->why.text);
}

/* The boot loader in ROM takes the image and goes to it; the port speaks 8E1. */
static inline void stub_start(struct stub_stand *stand)
{
	struct an3155 bl = {.port = stand->port, .bursts = AN3155_BURSTS_FAIL};
	struct reason reason = {""};
	const struct stub_load *load = &stand->load;

	assert_int_equal(port_configure(stand->port, 115200, PORT_PARITY_EVEN, &reason), 0);
	assert_int_equal(port_wait(stand->port, 200 * USEC_PER_MSEC), 0);
	assert_int_equal(an3155_sync(&bl), 0);
	assert_int_equal(an3155_get(&bl), 0);
	stand->loaded_from = port_sim_now_nsec(LINE_PORT);
	for (uint32_t at = 0; at < load->n_bytes; at += AN3155_BLOCK) {
		size_t left = load->n_bytes - at;
		size_t n = left < AN3155_BLOCK ? left : AN3155_BLOCK;

		assert_int_equal(
			an3155_write_memory(&bl, load->address + at, load->bytes + at, n, 0), 0);
	}
	assert_int_equal(an3155_go(&bl, load->address), 0);
}

/* All but stub_open(). The row gets the setup list of that word. */
static inline void stub_begin_with(struct stub_stand *stand, const char *chip, const char *word,
	const struct sim_faults *faults, const struct port_sim_options *port)
{
	struct sim_options options = {
		.chip = sim_chip_find(chip), .circuit = SIM_CIRCUIT_ROM, .program = stub_runs_on};
	struct reason reason = {""};

	assert_non_null(options.chip);
	if (faults)
		options.faults = *faults;
	*stand = (struct stub_stand){.sim_chip = options.chip, .sim = sim_new(&options)};
	assert_non_null(stand->sim);
	stand->chip = chip_table_find(shipped_chips(), "stm32", options.chip->product_id);
	assert_non_null(stand->chip);
	snprintf(((struct stm32_row *)stand->chip->own)->stub, STM32_STUB_WORD, "%s", word);
	stub_make_load(stand, options.chip->flash_size);
	port_sim_attach(LINE_PORT, stand->sim, port);
	assert_int_equal(port_open(LINE_PORT, 0, 0, &stand->port, &reason), 0);
	stub_start(stand);
	stand->base = (struct loader){.ops = &loader_stm32, .port = stand->port};
	stand->facts = (struct stub_facts){
		.load = &stand->load,
		.chip = stand->chip,
		.dev_id = options.chip->product_id,
		.flash_kib = (uint16_t)(options.chip->flash_size / 1024),
		.version = STUB_VERSION,
		.train_baud = 115200,
	};
}

static inline int stub_meet(struct stub_stand *stand)
{
	stand->facts.max_baud = stand->max_baud;
	return stub_open(&stand->base, &stand->facts, &stand->loader, &stand->why);
}

static inline void stub_begin(
	struct stub_stand *stand, const char *chip, const char *word, uint32_t max_baud)
{
	stub_begin_with(stand, chip, word, NULL, NULL);
	stand->max_baud = max_baud;
	if (stub_meet(stand) != 0)
		fail_msg("%s", stand->why.text);
}

static inline void stub_end(struct stub_stand *stand)
{
	loader_close(stand->loader);
	port_close(stand->port);
	port_sim_detach_all();
	sim_free(stand->sim);
}

/* ------------------------------------------------------------------ flash */

/* Bytes of chance, with runs of erased ones as firmware has them. */
static inline uint8_t *stub_make_image(uint32_t size, uint32_t seed)
{
	uint8_t *bytes = malloc(size);
	uint32_t random = seed * 2654435761u + 1;

	assert_non_null(bytes);
	for (uint32_t i = 0; i < size; i++) {
		random = random * 1664525 + 1013904223;
		bytes[i] = (uint8_t)(random >> 24);
	}
	return bytes;
}

/* The pages that the first `size` bytes of the flash have, erased in one call. */
static inline int stub_erase_first(struct stub_stand *stand, uint32_t size)
{
	struct chip_page pages[600];
	size_t n = 0;

	for (uint32_t at = 0; at < size; at += pages[n++].size)
		assert_true(n < 600 &&
			    chip_page_at(stand->chip, stand->chip->flash.start + at, &pages[n]));
	return stand->loader->ops->erase_pages(stand->loader, pages, n);
}

static inline int stub_write_all(
	struct stub_stand *stand, uint32_t address, const uint8_t *bytes, uint32_t size)
{
	uint32_t block = stand->loader->ops->block_size;
	int r = 0;

	for (uint32_t at = 0; r == 0 && at < size; at += block)
		r = stand->loader->ops->write(stand->loader, address + at, bytes + at,
			size - at < block ? size - at : block);
	return r == 0 ? stand->loader->ops->flush(stand->loader) : r;
}

/* Whether the sums of that range are those of the bytes, as the stub says. */
static inline int stub_compare(struct stub_stand *stand, uint32_t address, const uint8_t *bytes,
	uint32_t size, bool *ret_is_equal)
{
	uint8_t said[LOADER_DIGEST_MAX], sums[DIGEST_SUMS_SIZE];
	int r = stand->loader->ops->digest(stand->loader, address, size, said);

	digest_sums(bytes, size, sums);
	*ret_is_equal = r == 0 && memcmp(said, sums, sizeof(sums)) == 0;
	return r;
}

static inline uint64_t stub_now_nsec(void)
{
	return port_sim_now_nsec(LINE_PORT);
}
