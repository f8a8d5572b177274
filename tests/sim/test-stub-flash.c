/* SPDX-License-Identifier: MIT */
/*
 * test-stub-flash.c - 256 KiB of chance by the program in the RAM, on every simulated chip that may
 * run it, and how long that takes in the time of the line.
 *
 * Slow: 128 million instructions of an emulated processor for each quarter of a megabyte.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "sim/core-stand.h"

#define KIB   UINT32_C(1024)
#define LIMIT 1.10

/*
 * What the model of the design says for write and proof of 256 KiB, from the first byte of the load
 * image on (its section 4.9); 0 where it says nothing. Figures of `all` are those of a mass erase.
 */
static const struct speed {
	const char *chip;
	uint32_t kib, baud;
	bool all;
	double seconds;
	double limit; /* of their ratio; 0: LIMIT */
} speeds[] = {
	{"f103xc", 256, 115200, true, 23.6, 0},
	{"f103xc", 256, 460800, true, 7.5, 0},
	{"f103xc", 256, 921600, false, 11.3, 0},
	{"f405", 256, 460800, false, 6.6, 0},
	{"f405", 256, 921600, false, 4.8, 0},
	{"g0b1", 256, 460800, true, 6.3, 0},
	/* Line and flash take the same time here, and the load image is larger than the model's. */
	{"g0b1", 256, 921600, true, 3.4, 1.12},
	{"g474", 256, 921600, true, 3.4, 0},
	/* As much as they have, at most 256 KiB. */
	{"f072", 128, 921600, false, 0, 0},
	{"f429", 256, 921600, false, 0, 0},
	{"f767", 256, 921600, false, 0, 0},
	{"g071-v11.4", 128, 921600, false, 0, 0},
	{"g474-single", 256, 921600, false, 0, 0},
	{"l412", 128, 921600, false, 0, 0},
	{"l4r5-single", 256, 921600, false, 0, 0},
	{"wle5-v33", 256, 921600, false, 0, 0},
	/* The silicon of one above, with other option bytes, another ROM or less flash. */
	{"f103c8", 64, 460800, false, 0, 0},
	{"f429-1m", 32, 921600, false, 0, 0},
	{"f429-1m-dual", 32, 921600, false, 0, 0},
	{"f469-1m-dual", 32, 921600, false, 0, 0},
	{"f767-dual", 32, 921600, false, 0, 0},
	{"f767-1m-dual", 32, 921600, false, 0, 0},
	{"g071-v11.3", 32, 921600, false, 0, 0},
};

static double write_all(const struct speed *speed)
{
	CLEANUP(freep) uint8_t *image = stub_make_image(speed->kib * KIB, 1);
	struct core_stand stand;
	double seconds;

	core_stand_begin(&stand, &(struct core_stand_options){.chip = core_chip_named(speed->chip),
					 .max_baud = speed->baud});
	core_stand_write(&stand, stand.chip.flash.start, image, speed->kib * KIB, speed->all);
	seconds = (double)(stub_now_nsec() - stand.stub.loaded_from) / 1e9;
	core_stand_end(&stand);
	return seconds;
}

static void stub_check_01_and_02_256_kib_on_every_chip(void **state)
{
	unsigned n_slow = 0;

	(void)state;
	core_need();
	for (size_t i = 0; i < ARRAY_SIZE(speeds); i++) {
		const struct speed *speed = &speeds[i];
		double seconds = write_all(speed);

		printf("# figure: %-12s %3u KiB at %6u baud, %s: %5.2f s", speed->chip, speed->kib,
			speed->baud, speed->all ? "all erased at once" : "page by page", seconds);
		if (speed->seconds > 0)
			printf(", model %4.1f s, ratio %.2f", speed->seconds,
				seconds / speed->seconds);
		printf("\n");
		if (speed->seconds > 0 &&
			seconds / speed->seconds > (speed->limit > 0 ? speed->limit : LIMIT))
			n_slow++;
	}
	assert_int_equal(n_slow, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(stub_check_01_and_02_256_kib_on_every_chip),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
