/* SPDX-License-Identifier: MIT */
/*
 * test-stub-speed.c - how long writing and proving take by the program in the RAM, in virtual time,
 * against a model of the line and of the flash: what takes longer than either is lost by the host.
 * The table is printed.
 *
 * Slow: 56 jobs of 256 KiB.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>

#define STUB_STAND_PROGRAM 2560
#include "sim/stub-stand.h"

#define FLASH	     UINT32_C(0x08000000)
#define SIZE	     (UINT32_C(256) * 1024)
#define NSEC_PER_SEC 1e9

/* The most of the model that is borne: by the host alone, and with the stub's processor. */
#define RATIO_HOST_MAX 1.05
#define RATIO_MAX      1.10

static const uint32_t rates[] = {115200, 230400, 460800, 921600};

/*
 * Seconds from the first byte of the load to the last sum: a model with no loss (0.45 s
 * for load, start, rate and proof; 14 bytes for a frame of 1 KiB; typical times of the flash).
 */
static const struct {
	const char *name, *chip, *word;
	bool is_mass;
	double model[ARRAY_SIZE(rates)];
} rows[] = {
	{"F103xC, mass erase", "f103xc", "f1", true, {23.6, 12.1, 7.5, 7.5}},
	{"F103xC, 128 pages", "f103xc", "f1", false, {23.6, 12.1, 11.3, 11.3}},
	{"F405, x32", "f405", "f4", false, {23.6, 12.0, 6.6, 4.8}},
	{"G0B1, mass erase", "g0b1", "g0b", true, {23.6, 12.1, 6.3, 3.4}},
	{"G0B1, 128 pages", "g0b1", "g0b", false, {23.6, 12.1, 6.3, 6.2}},
	{"G474, mass erase", "g474", "g47", true, {23.6, 12.1, 6.3, 3.4}},
	{"G474, 128 pages", "g474", "g47", false, {23.6, 12.1, 6.3, 6.0}},
};

static double seconds_since(uint64_t start)
{
	return (double)(stub_now_nsec() - start) / NSEC_PER_SEC;
}

static double write_and_prove(
	size_t row, uint32_t baud, const uint8_t *image, const struct sim_faults *faults)
{
	uint8_t block[256];
	struct stub_stand stand;
	struct stub_state now;
	bool is_equal = false;
	double seconds;

	stub_begin_with(&stand, rows[row].chip, rows[row].word, faults, NULL);
	stand.max_baud = baud;
	assert_int_equal(stub_meet(&stand), 0);
	assert_int_equal(stand.loader->ops->read(stand.loader, FLASH, block, sizeof(block)), 0);
	if (rows[row].is_mass)
		assert_int_equal(stand.loader->ops->erase_all(stand.loader), 0);
	else
		assert_int_equal(stub_erase_first(&stand, SIZE), 0);
	assert_int_equal(stub_write_all(&stand, FLASH, image, SIZE), 0);
	assert_int_equal(stub_compare(&stand, FLASH, image, SIZE, &is_equal), 0);
	assert_true(is_equal);
	seconds = seconds_since(stand.loaded_from);
	stub_state(stand.loader, &now);
	assert_memory_equal(sim_flash(stand.sim), image, SIZE);
	/* Some processors cannot follow a faster line. */
	assert_int_equal(now.baud,
		stand.load.max_baud > 0 && baud > stand.load.max_baud ? stand.load.max_baud : baud);
	assert_int_equal(now.n_repeated, 0);
	assert_int_equal(sim_counters(stand.sim)->overruns, 0);
	stub_end(&stand);
	return seconds;
}

/* Returns the largest ratio. */
static double print_table(const char *what, const struct sim_faults *faults)
{
	CLEANUP(freep) uint8_t *image = stub_make_image(SIZE, 7);
	double worst = 0;

	print_message("256 KiB written and proved, seconds (model, ratio), %s\n", what);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		print_message("%-20s", rows[i].name);
		for (size_t j = 0; j < ARRAY_SIZE(rates); j++) {
			double seconds = write_and_prove(i, rates[j], image, faults);
			double ratio = seconds / rows[i].model[j];

			print_message(" %6.2f (%4.1f, %.2f)", seconds, rows[i].model[j], ratio);
			worst = ratio > worst ? ratio : worst;
		}
		print_message("\n");
	}
	return worst;
}

/*
 * The model has a processor that costs nothing: so the host is held to it where the stub's does not
 * either. With one as the stub has, the whole may take a tenth more.
 */
static void stub_check_02_the_host_keeps_up_with_line_and_flash(void **state)
{
	const struct sim_faults ideal = {.stub = {.cycles_of_byte = 1, .cycles_of_sum = 1}};
	const struct sim_faults measured = {0};

	(void)state;
	assert_true(print_table("processor for nothing", &ideal) <= RATIO_HOST_MAX);
	assert_true(print_table("processor as the stub was measured", &measured) <= RATIO_MAX);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(stub_check_02_the_host_keeps_up_with_line_and_flash),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
