/* SPDX-License-Identifier: MIT */
/*
 * ti-guard.h - a bench with a stick of TI that runs an older firmware and has a network, and images
 * made by ti-make.h for it. Include after cmocka.h.
 */
#pragma once

#include <stdlib.h>
#include <string.h>

#include "base/util.h"
#include "flash/image-check.h"
#include "sim/bench.h"
#include "tools/ti-make.h"

#define TI_OLD "20230507"
#define TI_NEW "20240710"

/* Commands of the ROM that change something. */
#define TI_ERASE      0x26
#define TI_SEND_DATA  0x24
#define TI_BANK_ERASE 0x2C
#define TI_SET_CCFG   0x2D

#define TI_RULE	      "protocol = bsl\nretries = 0\nretry-delay = 0\nbaud = 500000\n"

static inline struct bench *ti_guard_new(const char *chip, const struct sim_ti *board,
	const struct sim_ti_faults *faults, const char *rule)
{
	struct sim_options options = {.chip = sim_chip_find(chip), .circuit = SIM_CIRCUIT_ESP};
	CLEANUP(freep) char *lines = NULL;

	if (board)
		options.ti = *board;
	if (faults)
		options.faults.ti = *faults;
	assert_true(asprintf(&lines, TI_RULE "chip = %s\nbackdoor-pin = %u\n%s", chip,
			    ti_make_chip(chip)->pin, rule) > 0);
	return bench_new_with(&options, lines);
}

/* Up for flashing, as a job reads and shapes it; whether it is checked is the caller's. */
static inline void ti_guard_take(struct bench *bench, struct ti_make_image *made, bool is_hex)
{
	struct ti_make_bytes file = is_hex ? ti_make_hex(made) : ti_make_bin(made);
	const struct image_options options = {
		.address = made->chip->base, .max_bytes = made->chip->size + 1000};
	struct reason reason = {""};

	image_done(&bench->image);
	bench->image = (struct image){0};
	if (image_read(is_hex ? "a.hex" : "a.bin", file.data, file.n, &options, &bench->image,
		    &reason) != IMAGE_OK ||
		image_check_shape(&bench->board, bench->chips, &bench->image, &reason) != 0)
		fail_msg("%s", reason.text);
	ti_make_bytes_done(&file);
}

static inline void ti_guard_take_new(struct bench *bench, const char *chip, const char *version)
{
	struct ti_make_image made = ti_make_new(chip, version, 0);

	ti_guard_take(bench, &made, true);
	ti_make_done(&made);
}

static inline uint8_t *ti_guard_at(struct bench *bench, uint32_t address)
{
	return sim_flash(bench->sim) + (address - bench->flash_base);
}

/* As the stick is that comes: the older firmware, and a network in every sector of the NV. */
static inline void ti_guard_install(struct bench *bench, struct ti_make_image *made)
{
	for (size_t i = 0; i < made->n_runs; i++)
		memcpy(ti_guard_at(bench, made->runs[i].address),
			ti_make_at(made, made->runs[i].address, made->runs[i].n), made->runs[i].n);
	for (uint32_t at = made->chip->nv; at < made->chip->nv_end; at++)
		*ti_guard_at(bench, at) = (uint8_t)(at * 131 + at / 256);
}

static inline void ti_guard_install_old(struct bench *bench, const char *chip)
{
	struct ti_make_image made = ti_make_new(chip, TI_OLD, 0);

	ti_guard_install(bench, &made);
	ti_make_done(&made);
}

static inline bool ti_guard_has_network(struct bench *bench, const char *chip)
{
	const struct ti_make_chip *made = ti_make_chip(chip);

	for (uint32_t at = made->nv; at < made->nv_end; at++)
		if (*ti_guard_at(bench, at) != (uint8_t)(at * 131 + at / 256))
			return false;
	return true;
}

static inline unsigned ti_guard_sent(const struct bench *bench, uint8_t command)
{
	return sim_counters(bench->sim)->commands[command];
}

static inline void ti_guard_says(const struct bench *bench, const char *text)
{
	if (!strstr(bench->report.reason.text, text))
		fail_msg("'%s' does not say '%s'", bench->report.reason.text, text);
}
