/* SPDX-License-Identifier: MIT */
/*
 * core-stand.h - stub-stand.h with the true program (src/stub) on an emulated processor. Include
 * after cmocka.h.
 */
#pragma once

#include "chip/family.h"
#include "loader/stub-program.h"
#include "sim/core-cpu.h"
#include "sim/stub-stand.h"

/* A simulated chip, and what a rule calls it. */
struct core_chip {
	const char *name, *rule_name;
};

/* Every one of sim-chips.c whose flash is of kind K1, K2 or K3. */
static const struct core_chip core_chips[] = {
	{"f103xc", "F103xC"},
	{"f103c8", NULL},
	{"f072", NULL},
	{"f405", NULL},
	{"f429", NULL},
	{"f429-1m", NULL},
	{"f429-1m-dual", NULL},
	{"f469-1m-dual", NULL},
	{"f767", NULL},
	{"f767-dual", NULL},
	{"f767-1m-dual", NULL},
	{"g071-v11.3", NULL},
	{"g071-v11.4", NULL},
	{"g0b1", NULL},
	{"g474", NULL},
	{"g474-single", NULL},
	{"l412", NULL},
	{"l4r5-single", NULL},
	{"wle5-v33", NULL},
};

static inline const struct core_chip *core_chip_named(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(core_chips); i++)
		if (!strcmp(core_chips[i].name, name))
			return &core_chips[i];
	fail_msg("%s", name);
	return NULL;
}

struct core_stand {
	struct stub_stand stub; /* for the functions of stub-stand.h */
	struct chip chip;	/* the row, with the pages that are in force */
};

struct core_stand_options {
	const struct core_chip *chip;
	struct sim_core_knobs knobs;
	struct sim_faults faults;
	uint32_t max_baud;	/* 0: as fast as it goes */
	const uint8_t *program; /* NULL: the committed one */
	size_t n_program;
};

static inline void core_need(void)
{
	if (!cpu_is_there())
		skip();
}

/* The pages of the row that the simulated chip has. */
static inline void core_stand_choose_pages(struct core_stand *stand)
{
	const struct sim_chip *sim_chip = stand->stub.sim_chip;
	struct chip_page page;
	uint32_t at = sim_chip->flash_base;

	stand->chip = *chip_table_find(shipped_chips(), "stm32", sim_chip->product_id);
	stand->stub.chip = &stand->chip;
	for (size_t i = 0; i < ARRAY_SIZE(sim_chip->pages) && sim_chip->pages[i].count; i++) {
		if (!chip_page_at(&stand->chip, at, &page) || page.address != at ||
			page.size != sim_chip->pages[i].size) {
			assert_true(chip_use_other_pages(&stand->chip, sim_chip->flash_size));
			return;
		}
		at += sim_chip->pages[i].count * sim_chip->pages[i].size;
	}
}

/* The ROM is asked for the word of option bytes that the load image depends on. */
static inline uint32_t core_stand_option_word(struct core_stand *stand, struct an3155 *bl)
{
	uint32_t at = stub_load_option_word(&stand->chip), word = 0;

	if (at)
		assert_int_equal(an3155_read_memory(bl, at, (uint8_t *)&word, sizeof(word)), 0);
	return word;
}

static inline void core_stand_make_load(
	struct core_stand *stand, const struct core_stand_options *options, uint32_t option_word)
{
	char *names[] = {(char *)options->chip->rule_name, NULL};
	struct stub_load_question question = {
		.chip = &stand->chip,
		.flash_bytes = stand->stub.sim_chip->flash_size,
		.option_word = option_word,
		.train_baud = 115200,
		.names = names[0] ? names : NULL,
		.program = options->program ? options->program : stub_program,
		.n_program = options->program ? options->n_program : stub_program_size,
	};

	if (stub_load_make(&question, &stand->stub.load, &stand->stub.why) != 0)
		fail_msg("%s: %s", options->chip->name, stand->stub.why.text);
}

/* The ROM takes the image and goes to it; ends behind the second ACK. */
static inline void core_stand_go(struct core_stand *stand, const struct core_stand_options *options)
{
	/* As the product does, once it has seen that they work. */
	struct an3155 bl = {.port = stand->stub.port, .bursts = AN3155_BURSTS_WORK};
	const struct stub_load *load = &stand->stub.load;
	struct reason reason = {""};

	assert_int_equal(port_configure(stand->stub.port, 115200, PORT_PARITY_EVEN, &reason), 0);
	assert_int_equal(port_wait(stand->stub.port, 200 * USEC_PER_MSEC), 0);
	assert_int_equal(an3155_sync(&bl), 0);
	assert_int_equal(an3155_get(&bl), 0);
	core_stand_make_load(stand, options, core_stand_option_word(stand, &bl));
	stand->stub.loaded_from = port_sim_now_nsec(LINE_PORT);
	for (uint32_t at = 0; at < load->n_bytes; at += AN3155_BLOCK) {
		size_t left = load->n_bytes - at;

		assert_int_equal(an3155_write_memory(&bl, load->address + at, load->bytes + at,
					 left < AN3155_BLOCK ? left : AN3155_BLOCK, 0),
			0);
	}
	assert_int_equal(an3155_go(&bl, load->address), 0);
}

static inline void core_stand_start(
	struct core_stand *stand, const struct core_stand_options *options)
{
	struct sim_options made = {.chip = sim_chip_find(options->chip->name),
		.circuit = SIM_CIRCUIT_ROM,
		.program = SIM_PROGRAM_CORE,
		.core = options->knobs,
		.faults = options->faults};
	struct stub_stand *stub = &stand->stub;
	struct reason reason = {""};

	*stub = (struct stub_stand){
		.sim_chip = made.chip, .sim = sim_new(&made), .max_baud = options->max_baud};
	assert_non_null(stub->sim);
	core_stand_choose_pages(stand);
	port_sim_attach(LINE_PORT, stub->sim, NULL);
	assert_int_equal(port_open(LINE_PORT, 0, 0, &stub->port, &reason), 0);
	core_stand_go(stand, options);
	stub->base = (struct loader){.ops = &loader_stm32, .port = stub->port};
	stub->facts = (struct stub_facts){
		.load = &stub->load,
		.chip = &stand->chip,
		.dev_id = made.chip->product_id,
		.flash_kib = (uint16_t)(made.chip->flash_size / 1024),
		.version = STUB_VERSION,
		.train_baud = 115200,
	};
}

static inline const struct sim_core_state *core_stand_tell(const struct core_stand *stand)
{
	return sim_core(stand->stub.sim);
}

/* What a chip would not have stood. */
static inline void core_stand_check(const struct core_stand *stand)
{
	const struct sim_core_state *state = core_stand_tell(stand);

	if (state->violations)
		fail_msg("%s: %s", stand->stub.sim_chip->name, state->violation);
	assert_int_equal(state->overruns, 0);
	assert_int_equal(state->stalls, 0);
	assert_int_equal(state->twice, 0);
}

static inline void core_stand_begin(
	struct core_stand *stand, const struct core_stand_options *options)
{
	core_stand_start(stand, options);
	if (stub_meet(&stand->stub) != 0)
		fail_msg("%s: %s (%s)", options->chip->name, stand->stub.why.text,
			core_stand_tell(stand)->violation);
	core_stand_check(stand);
}

static inline void core_stand_end(struct core_stand *stand)
{
	core_stand_check(stand);
	stub_end(&stand->stub);
}

/* Erases what the bytes need, or all, writes them, and compares the sums and the cells. */
static inline void core_stand_write(
	struct core_stand *stand, uint32_t address, const uint8_t *bytes, uint32_t size, bool all)
{
	struct loader *loader = stand->stub.loader;
	uint32_t offset = address - stand->stub.sim_chip->flash_base;
	struct chip_page pages[600];
	bool is_equal = false;
	size_t n = 0;
	int r;

	for (uint32_t at = address; at < address + size && !all; n++) {
		assert_true(n < ARRAY_SIZE(pages) && chip_page_at(&stand->chip, at, &pages[n]));
		at = pages[n].address + pages[n].size;
	}
	r = all ? loader->ops->erase_all(loader) : loader->ops->erase_pages(loader, pages, n);
	if (r == 0)
		r = stub_write_all(&stand->stub, address, bytes, size);
	if (r == 0)
		r = stub_compare(&stand->stub, address, bytes, size, &is_equal);
	if (r != 0 || !is_equal)
		fail_msg("%s: result %d, sums %s; %s", stand->stub.sim_chip->name, r,
			is_equal ? "equal" : "not equal", core_stand_tell(stand)->violation);
	assert_memory_equal(sim_flash(stand->stub.sim) + offset, bytes, size);
}
