/* SPDX-License-Identifier: MIT */
/*
 * loader-bench.h - a simulated board with a boot loader that takes files, and what is sent to it.
 * Include after cmocka.h.
 */
#pragma once

#include <string.h>

#include "device/port.h"
#include "sim/bench.h"
#include "sim/gbl.h"
#include "sim/resident.h"

#define APPLICATION  (UINT32_C(0x08000000) + RESIDENT_BYTES)

#define IAP	     "protocol = ymodem\naddress = 0x08004000\nmenu = st-iap\n"
#define GECKO	     "protocol = xmodem\nmenu = gecko\n"
#define NSEC_PER_SEC UINT64_C(1000000000)
#define BANNER	     "plugflash-test 1.2.3\r\n"
#define CONFIRM	     "confirm = plugflash-test [0-9.]+\n"

static inline struct bench *new_bench(const struct sim_options *options, const char *rule)
{
	struct sim_options made = *options;

	if (!made.chip)
		made.chip = sim_chip_find("f103c8");
	return bench_new_with(&made, rule);
}

static inline struct bench *new_iap(const struct sim_faults *faults, const char *rule)
{
	const struct sim_options options = {.resident = SIM_RESIDENT_IAP, .faults = *faults};

	return new_bench(&options, rule);
}

/* A sound application for behind the loader, with a banner that it prints. */
static inline uint8_t *make_application(uint32_t size, unsigned seed)
{
	uint32_t vectors[] = {0x20001000, APPLICATION + 0x101}, state = seed;
	uint8_t *bytes = malloc(size);

	assert_non_null(bytes);
	for (uint32_t i = 0; i < size; i++) {
		state = state * 1664525 + 1013904223;
		bytes[i] = (uint8_t)(state >> 16);
	}
	memcpy(bytes, vectors, sizeof(vectors));
	if (size >= 0x200 + sizeof(BANNER))
		memcpy(bytes + 0x200, BANNER, sizeof(BANNER));
	return bytes;
}

static inline void take_file(
	struct bench *bench, const uint8_t *bytes, uint32_t size, uint32_t address)
{
	const struct image_options options = {.address = address, .max_bytes = size};
	struct reason reason = {""};

	image_done(&bench->image);
	assert_int_equal(image_read("x.bin", bytes, size, &options, &bench->image, &reason), 0);
}

static inline void take_application(struct bench *bench, uint32_t size, unsigned seed)
{
	CLEANUP(freep) uint8_t *bytes = make_application(size, seed);

	take_file(bench, bytes, size, APPLICATION);
}

static inline bool loader_is_whole(struct bench *bench)
{
	for (uint32_t i = 0; i < RESIDENT_BYTES; i++)
		if (sim_flash(bench->sim)[i] != 0x4A)
			return false;
	return true;
}

/* With the flash as it is now; the application's first words are over when the port is opened. */
static inline void start_anew(void)
{
	port_sim_replug(BENCH_PORT);
	port_sim_pass(BENCH_PORT, USEC_PER_SEC);
}

static inline void take_gbl(struct bench *bench, uint32_t size, unsigned seed)
{
	CLEANUP(freep) uint8_t *application = make_application(size, seed);
	CLEANUP(freep) uint8_t *file = malloc(GBL_BYTES(size));
	const struct image_options options = {.address = 0, .max_bytes = GBL_BYTES(size)};
	struct reason reason = {""};

	assert_non_null(file);
	gbl_make(file, application, size);
	image_done(&bench->image);
	assert_int_equal(
		image_read("x.gbl", file, GBL_BYTES(size), &options, &bench->image, &reason), 0);
}

static inline bool holds_gbl(const struct bench *bench)
{
	const struct segment *segment = &bench->image.segments[0];

	return memcmp(sim_flash(bench->sim) + RESIDENT_BYTES, segment->data + GBL_HEAD_BYTES,
		       segment->size - GBL_BYTES(0)) == 0;
}
