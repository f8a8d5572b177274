/* SPDX-License-Identifier: MIT */
/*
 * stick-bench.h - a whole job on a stick whose application speaks a protocol: bench, board and
 * image. Include after cmocka.h.
 */
#pragma once

#include "sim/loader-bench.h"
#include "sim/stick.h"

#define STICK_RULE "protocol = xmodem\nretries = 0\n"

/* A stick that runs this application for a second already; `protocol` NULL: none that speaks. */
static inline struct bench *stick_bench(const struct sim_options *options, const char *rule,
	const char *protocol, const char *version, uint32_t baud)
{
	struct sim_options made = *options;
	struct bench *bench;

	if (made.resident == SIM_RESIDENT_NONE)
		made.resident = SIM_RESIDENT_GECKO;
	if (!made.chip)
		made.chip = sim_chip_find("f103c8");
	bench = bench_new_with(&made, rule);
	stick_install(bench->sim, made.chip, protocol, version, baud);
	start_anew();
	return bench;
}

/* The image of the job: a GBL with these STICK_APPLICATION_BYTES; `version` is that of its name. */
static inline void stick_take_bytes(
	struct bench *bench, const uint8_t *application, const char *version)
{
	const uint32_t size = STICK_APPLICATION_BYTES;
	CLEANUP(freep) uint8_t *file = malloc(GBL_BYTES(size));
	const struct image_options options = {.address = 0, .max_bytes = GBL_BYTES(size)};
	struct reason reason = {""};

	assert_non_null(file);
	gbl_make(file, application, size);
	image_done(&bench->image);
	assert_int_equal(
		image_read("x.gbl", file, GBL_BYTES(size), &options, &bench->image, &reason), 0);
	bench->version = version;
}

/* The same with an application that speaks this. */
static inline void stick_take(struct bench *bench, const char *protocol, const char *version,
	uint32_t baud, const char *name_version)
{
	CLEANUP(freep)
	uint8_t *application = stick_application(sim_chip_find("f103c8"), protocol, version, baud);

	stick_take_bytes(bench, application, name_version);
}
