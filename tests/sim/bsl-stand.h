/* SPDX-License-Identifier: MIT */
/*
 * bsl-stand.h - the loader of TI's chips against a simulated ROM, operation by operation, without
 * the procedure. Include after cmocka.h.
 */
#pragma once

#include <string.h>

#include "base/util.h"
#include "loader/bsl-link.h"
#include "loader/loader.h"
#include "sim/bench.h"

#define NSEC_PER_MSEC UINT64_C(1000000)

struct bsl_stand {
	struct bench *bench;
	struct port *port;
	struct loader *loader;
	struct chip_identity identity;
};

static inline struct bench *bsl_bench_new(const char *sim_chip, const char *rule_chip,
	const struct sim_ti *board, const struct sim_ti_faults *faults, const char *rule)
{
	struct sim_options options = {.chip = sim_chip_find(sim_chip), .circuit = SIM_CIRCUIT_ESP};
	CLEANUP(freep) char *lines = NULL;

	if (board)
		options.ti = *board;
	if (faults)
		options.faults.ti = *faults;
	assert_true(
		asprintf(&lines,
			"protocol = bsl\nbackdoor-pin = 15\nretries = 0\nretry-delay = 0\nchip = %s\n%s",
			rule_chip, rule) > 0);
	return bench_new_with(&options, lines);
}

static inline void bsl_play(struct bsl_stand *stand, const struct wiring_steps *steps)
{
	for (size_t i = 0; i < steps->n_items; i++) {
		const struct wiring_step *step = &steps->items[i];

		assert_int_equal(port_set_lines(stand->port, step->mask, step->lines), 0);
		assert_int_equal(port_wait(stand->port, step->wait_usec), 0);
	}
}

/* In the loader, entered by the first way of the rule, nothing said yet. */
static inline void bsl_begin(struct bsl_stand *stand, const char *sim_chip, const char *rule_chip,
	const struct sim_ti *board, const struct sim_ti_faults *faults)
{
	struct reason reason = {""};

	*stand = (struct bsl_stand){.bench = bsl_bench_new(sim_chip, rule_chip, board, faults, "")};
	assert_int_equal(port_open(BENCH_PORT, 0, 0, &stand->port, &reason), 0);
	assert_int_equal(port_configure(stand->port, 500000, PORT_PARITY_NONE, &reason), 0);
	assert_int_equal(loader_open(&(struct loader){.ops = &loader_bsl,
					     .port = stand->port,
					     .board = &stand->bench->board,
					     .chips = stand->bench->chips},
				 &stand->loader),
		0);
	bsl_play(stand, &stand->bench->board.wiring.enters[0]);
	assert_int_equal(port_wait(stand->port, 100 * USEC_PER_MSEC), 0);
}

static inline int bsl_find(struct bsl_stand *stand)
{
	return stand->loader->ops->identify(stand->loader, &stand->identity);
}

/* And synchronised and identified. */
static inline void bsl_begin_inside(struct bsl_stand *stand, const char *chip,
	const struct sim_ti *board, const struct sim_ti_faults *faults)
{
	bsl_begin(stand, chip, chip, board, faults);
	assert_int_equal(stand->loader->ops->sync(stand->loader, true), 0);
	assert_int_equal(bsl_find(stand), 0);
	assert_string_equal(stand->identity.refusal, "");
}

static inline void bsl_end(struct bsl_stand *stand)
{
	loader_close(stand->loader);
	port_close(stand->port);
	bench_free(stand->bench);
}

static inline unsigned bsl_count(const struct bsl_stand *stand, uint8_t opcode)
{
	return sim_counters(stand->bench->sim)->commands[opcode];
}

/* How often these bytes were sent in this order. */
static inline unsigned bsl_count_sent(const uint8_t *bytes, size_t n)
{
	const struct port_sim_record *record = port_sim_record(BENCH_PORT);
	unsigned n_found = 0;

	for (size_t i = 0; i + n <= record->n_sent; i++) {
		size_t k = 0;

		while (k < n && record->sent[i + k].byte == bytes[k])
			k++;
		n_found += k == n;
	}
	return n_found;
}

static inline int bsl_erase_at(struct bsl_stand *stand, uint32_t address)
{
	struct chip_page page;

	assert_true(chip_page_at(stand->identity.chip, address, &page));
	return stand->loader->ops->erase_pages(stand->loader, &page, 1);
}

/* Bytes that are no FF and no zeros. */
static inline void bsl_fill(uint8_t *to, size_t n, unsigned seed)
{
	for (size_t i = 0; i < n; i++) {
		seed = seed * 1664525 + 1013904223;
		to[i] = (uint8_t)(seed >> 24);
	}
}
