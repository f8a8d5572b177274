/* SPDX-License-Identifier: MIT */
/*
 * Images whose segments begin and end anywhere: each is written, and found to be there at the next
 * plug-in, by what each kind of flash programs at once and erases to.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "bench.h"

#define FLASH_BASE UINT32_C(0x08000000)

struct part {
	uint32_t offset, size;
};

static const struct part sets[][5] = {
	{{0, 1}},
	{{0, 7}},
	{{0, 8}},
	{{0, 9}},
	{{1, 30}},
	{{3, 5}},
	{{4, 20}},
	{{8, 8}},
	{{12, 100}},
	{{20, 300}},
	{{0, 8}, {16, 8}},
	{{0, 8}, {300, 40}},
	{{0, 4}, {8, 4}, {20, 4}},
	{{0, 8}, {9, 1}, {255, 3}, {513, 7}},
	{{0, 4}, {256, 300}},
	{{0, 300}, {0x7FF, 2}},
	{{0x1FD, 7}, {0x400, 5}},
	{{0, 31}, {33, 31}},
	{{0, 33}, {62, 2}, {65, 1}},
};

static const struct chip_row {
	const char *chip, *rule;
} chips[] = {
	{"f103xc", "chip = 0x414"},
	{"l152", "chip = 0x416"},
	{"g0b1", "chip = 0x467"},
	{"g474", "chip = 0x469"},
	{"u575", "chip = 0x482"},
	{"h743", "chip = 0x450"},
	{"f405", "chip = 0x413"},
};

static void take_parts(struct bench *bench, const struct part parts[static 5], uint8_t seed)
{
	struct reason reason = {0};

	for (size_t i = 0; i < 5 && parts[i].size > 0; i++) {
		uint8_t bytes[512];

		for (uint32_t n = 0; n < parts[i].size; n++)
			bytes[n] = (uint8_t)(parts[i].offset + 7 * n + seed);
		assert_int_equal(image_add(&bench->image, FLASH_BASE + parts[i].offset, bytes,
					 parts[i].size, 64 * 1024, &reason),
			0);
	}
}

static void each_is_written_once_and_then_current(void **state)
{
	const struct chip_row *row = *state;
	char rule[64];

	snprintf(rule, sizeof(rule), "%s\nvector-table = ignore", row->rule);
	for (size_t i = 0; i < sizeof(sets) / sizeof(sets[0]); i++) {
		struct bench *bench = bench_new(row->chip, rule);

		memset(sim_flash(bench->sim), 0x5A, 8 * 1024);
		take_parts(bench, sets[i], (uint8_t)(3 + i));
		if (bench_run(bench, FLASH_UPDATE) != OUTCOME_UPDATED)
			fail_msg("set %zu: %s", i, bench->report.reason.text);
		assert_true(bench_holds_image(bench));
		assert_int_equal(sim_counters(bench->sim)->bad_writes, 0);
		if (bench_run(bench, FLASH_UPDATE) != OUTCOME_CURRENT)
			fail_msg("set %zu: %s", i, outcome_to_string(bench->report.outcome));
		bench_free(bench);
	}
}

int main(void)
{
	struct CMUnitTest tests[sizeof(chips) / sizeof(chips[0])];

	for (size_t i = 0; i < sizeof(chips) / sizeof(chips[0]); i++)
		tests[i] = (struct CMUnitTest){
			.name = chips[i].chip,
			.test_func = each_is_written_once_and_then_current,
			.initial_state = (void *)&chips[i],
		};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
