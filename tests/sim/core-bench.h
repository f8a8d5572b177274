/* SPDX-License-Identifier: MIT */
/*
 * core-bench.h - a program in the RAM of a simulated chip, loaded and started as AN3155 has it, and
 * the line to it. Include after cmocka.h; ends as skipped where there is no processor.
 */
#pragma once

#include <stdlib.h>
#include <string.h>

#include "sim/core-cpu.h"
#include "sim/host.h"

#define CORE_MSEC UINT64_C(1000000)

struct core_bench {
	struct host host;
	const struct sim_chip *chip;
	uint8_t heard[8192];
	size_t n_heard;
};

static inline void core_bench_need(void)
{
	if (!cpu_is_there())
		skip();
}

static inline void core_bench_take(struct core_bench *bench)
{
	uint8_t byte;

	while (sim_send(bench->host.sim, &byte, bench->host.now))
		if (bench->n_heard < sizeof(bench->heard))
			bench->heard[bench->n_heard++] = byte;
}

/* Time passes; what comes in is kept. */
static inline void core_bench_pass(struct core_bench *bench, uint64_t nsec)
{
	uint64_t until = bench->host.now + nsec, next;

	while ((next = sim_next(bench->host.sim)) <= until) {
		if (next > bench->host.now)
			bench->host.now = next;
		core_bench_take(bench);
	}
	bench->host.now = until;
	core_bench_take(bench);
}

/* Until so many bytes have come in all; false after that time. */
static inline bool core_bench_await(struct core_bench *bench, size_t n, uint64_t nsec)
{
	uint64_t until = bench->host.now + nsec, next;

	while (bench->n_heard < n && (next = sim_next(bench->host.sim)) <= until) {
		if (next > bench->host.now)
			bench->host.now = next;
		core_bench_take(bench);
	}
	return bench->n_heard >= n;
}

/* Back to back. */
static inline void core_bench_send(struct core_bench *bench, const void *bytes, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		core_bench_pass(bench, sim_byte_nsec(bench->host.sim));
		sim_receive(bench->host.sim, ((const uint8_t *)bytes)[i], bench->host.now);
	}
}

static inline void core_bench_format(struct core_bench *bench, uint32_t baud, bool even)
{
	sim_set_format(bench->host.sim, baud, even, bench->host.now);
}

/* Writes the bytes to the RAM from `address` on and says Go; ends at the second ACK. */
static inline void core_bench_start(
	struct core_bench *bench, uint32_t address, const uint8_t *bytes, size_t n)
{
	uint8_t go[5] = {(uint8_t)(address >> 24), (uint8_t)(address >> 16),
		(uint8_t)(address >> 8), (uint8_t)address};

	for (size_t at = 0; at < n; at += 256)
		assert_string_equal(host_write(&bench->host, address + (uint32_t)at, bytes + at,
					    n - at < 256 ? n - at : 256),
			"79 79 79");
	go[4] = go[0] ^ go[1] ^ go[2] ^ go[3];
	bench->n_heard = 0;
	core_bench_send(bench, (uint8_t[]){0x21, 0xDE}, 2);
	assert_true(core_bench_await(bench, 1, 10 * CORE_MSEC));
	core_bench_send(bench, go, sizeof(go));
	assert_true(core_bench_await(bench, 2, 10 * CORE_MSEC));
	assert_memory_equal(bench->heard, "\x79\x79", 2);
	bench->n_heard = 0;
}

/* The chip in its ROM, synced. */
static inline void core_bench_begin(
	struct core_bench *bench, const char *chip, const struct sim_core_knobs *knobs)
{
	struct sim_options options = {
		.chip = sim_chip_find(chip),
		.circuit = SIM_CIRCUIT_ROM,
		.program = SIM_PROGRAM_CORE,
	};

	assert_non_null(options.chip);
	if (knobs)
		options.core = *knobs;
	memset(bench, 0, sizeof(*bench));
	bench->chip = options.chip;
	host_begin(&bench->host, &options);
	host_say(&bench->host, "7F");
}

static inline const struct sim_core_state *core_bench_tell(const struct core_bench *bench)
{
	return sim_core(bench->host.sim);
}

static inline void core_bench_end(struct core_bench *bench)
{
	host_end(&bench->host);
}

/* No chip would have stood it otherwise. */
static inline void core_bench_check(const struct core_bench *bench)
{
	const struct sim_core_state *state = core_bench_tell(bench);

	if (state->violations)
		fail_msg("%s: %s", bench->chip->name, state->violation);
	assert_int_equal(state->overruns, 0);
	assert_int_equal(state->stalls, 0);
	assert_int_equal(state->twice, 0);
}
