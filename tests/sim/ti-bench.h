/* SPDX-License-Identifier: MIT */
/*
 * ti-bench.h - a bench with a stick of TI's chips, and images of Z-Stack's kind to be flashed on
 * it. Include after cmocka.h.
 */
#pragma once

#include <stdlib.h>
#include <string.h>

#include "base/util.h"
#include "flash/image-check.h"
#include "sim/bench.h"
#include "tools/ti-make.h"

#define TI_RULE "protocol = bsl\nretries = 0\nretry-delay = 0\n"

/* A stick as its maker sells it: the two transistors of a ZBDongle-P, nothing in the flash. The
 * backdoor's pin of the rule is that of the chip's usual images. */
static inline struct bench *ti_bench_new(const char *chip, const struct sim_ti *board,
	const struct sim_faults *faults, const char *rule)
{
	struct sim_options options = {.chip = sim_chip_find(chip), .circuit = SIM_CIRCUIT_ESP};
	CLEANUP(freep) char *lines = NULL;

	if (board)
		options.ti = *board;
	if (faults)
		options.faults = *faults;
	assert_true(asprintf(&lines, TI_RULE "chip = %s\nbackdoor-pin = %u\n%s", chip,
			    ti_make_chip(chip)->pin, rule) > 0);
	return bench_new_with(&options, lines);
}

/* Puts an image up for flashing, as a job reads its Intel HEX or its .bin of the whole flash, and
 * shapes it; the image stays the caller's. */
static inline void ti_take(struct bench *bench, struct ti_make_image *image, bool is_bin)
{
	struct ti_make_bytes file = is_bin ? ti_make_bin(image) : ti_make_hex(image);
	const struct image_options options = {
		.address = bench->flash_base, .max_bytes = 2 * 1024 * 1024};
	struct reason reason = {""};

	image_done(&bench->image);
	assert_int_equal(image_read(is_bin ? "stick.bin" : "stick.hex", file.data, file.n, &options,
				 &bench->image, &reason),
		0);
	assert_int_equal(image_check_shape(&bench->board, bench->chips, &bench->image, &reason), 0);
	ti_make_bytes_done(&file);
}

/* As an update has left it long ago: its records, and behind them what Z-Stack keeps. */
static inline void ti_install(
	struct bench *bench, const char *chip, const char *version, uint32_t size)
{
	struct ti_make_image image = ti_make_new(chip, version, size);
	const struct ti_make_chip *made = image.chip;
	uint32_t state = 77;

	memcpy(sim_flash(bench->sim), image.flash, made->size);
	for (uint32_t at = made->nv - made->base; at < made->nv_end - made->base; at++) {
		state = state * 1664525u + 1013904223u;
		sim_flash(bench->sim)[at] = (uint8_t)(state >> 24);
	}
	ti_make_done(&image);
}

static inline unsigned ti_commands(const struct bench *bench, uint8_t opcode)
{
	return sim_counters(bench->sim)->commands[opcode];
}

/* The revision of the Z-Stack that runs; 0: none does. */
static inline uint32_t ti_runs(const struct bench *bench)
{
	return sim_ti(bench->sim)->revision;
}

/* A packet that was sent: where it lies in what was sent, and what it asks for. */
struct ti_sent {
	uint8_t opcode;
	uint32_t address;  /* of those that have one: the first word */
	uint32_t n_data;   /* bytes behind the opcode */
	size_t begin, end; /* bytes sent before it, and with it */
	uint64_t at_nsec;  /* its end is at the chip */
};

#define TI_SENT_MAX 4096

/*
 * Those from the `from`-th byte on that the port has sent; at most TI_SENT_MAX. The bytes of a
 * synchronisation, zeros, the answers to packets of the chip (00 CC, 00 33) and frames for the
 * application (FE) are passed over.
 */
static inline size_t ti_list_sent(size_t from, struct ti_sent *to)
{
	const struct port_sim_record *record = port_sim_record(BENCH_PORT);
	size_t n = 0;

	for (size_t i = from; i < record->n_sent;) {
		const struct port_sim_byte *at = &record->sent[i];
		uint8_t size = at->byte;

		if (size == 0xFE && i + 1 < record->n_sent) {
			i += 5u + at[1].byte;
			continue;
		}
		if (size < 3 || size == 0x55 || size == 0xCC || size == 0x33 ||
			i + size > record->n_sent) {
			i++;
			continue;
		}
		assert_true(n < TI_SENT_MAX);
		to[n] = (struct ti_sent){.opcode = at[2].byte,
			.n_data = size - 3u,
			.begin = i,
			.end = i + size,
			.at_nsec = at[size - 1].at_nsec};
		if (size >= 7)
			to[n].address = (uint32_t)at[3].byte << 24 | (uint32_t)at[4].byte << 16 |
					(uint32_t)at[5].byte << 8 | at[6].byte;
		n++;
		i += size;
	}
	return n;
}
