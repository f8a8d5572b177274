/* SPDX-License-Identifier: MIT */
/*
 * test-stub-rate.c - up the ladder as far as chip, bridge and line are good for it, and down where
 * the line turns out to be bad: the host's side, against sim/stub-peer.h.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>

#include "sim/stub-stand.h"

#define FLASH	      UINT32_C(0x08000000)
#define KIB	      UINT32_C(1024)
#define NSEC_PER_MSEC UINT64_C(1000000)

/* Both sides are at the old rate again within that time. */
#define FALL_BACK_MSEC 500

static void write_something(struct stub_stand *stand, uint32_t size)
{
	CLEANUP(freep) uint8_t *image = stub_make_image(size, 31);
	bool is_equal = false;

	assert_int_equal(stub_erase_first(stand, size), 0);
	assert_int_equal(stub_write_all(stand, FLASH, image, size), 0);
	assert_int_equal(stub_compare(stand, FLASH, image, size, &is_equal), 0);
	assert_true(is_equal);
	assert_memory_equal(sim_flash(stand->sim), image, size);
	assert_int_equal(sim_counters(stand->sim)->bad_writes, 0);
}

static void stub_check_06_it_ends_at_the_rate_that_is_sound(void **state)
{
	static const struct {
		const char *name;
		uint32_t max_baud; /* of the rule */
		struct sim_stub_faults line;
		uint32_t bridge;
		uint32_t baud;
		const char *why;
		unsigned n_vain; /* rungs from which both sides have to come back */
	} rows[] = {
		{"nothing in the way", 0, {0}, 0, 921600, "", 0},
		{"the rule's limit", 460800, {0}, 0, 460800, "", 0},
		{"the rule wants none", 115200, {0}, 0, 115200, "", 0},
		{"the rule's odd limit", 500000, {0}, 0, 460800, "", 0},
		{"nothing is heard above 460800", 0, {.max_baud = 460800}, 0, 460800,
			"921600: nothing is heard at it", 1},
		{"above 230400", 0, {.max_baud = 230400}, 0, 230400,
			"921600: nothing is heard at it", 2},
		{"above 115200", 0, {.max_baud = 115200}, 0, 115200,
			"921600: nothing is heard at it", 3},
		{"a bit of each kilobyte is bent above 460800", 0,
			{.damage_above = 460800, .damage_every = 700}, 0, 460800,
			"921600: an echo comes back damaged", 1},
		{"above 230400", 0, {.damage_above = 230400, .damage_every = 150}, 0, 230400,
			"921600: an echo comes back damaged", 2},
		{"the bridge's limit", 0, {0}, 460800, 460800,
			"921600: the bridge does not reach it", 0},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		const struct sim_faults faults = {.stub = rows[i].line};
		const struct port_sim_options port = {.max_baud = rows[i].bridge};
		struct stub_stand stand;
		struct stub_state now;
		uint64_t started, msec;

		stub_begin_with(&stand, "g0b1", "g0b", &faults, &port);
		stand.max_baud = rows[i].max_baud;
		started = stub_now_nsec();
		if (stub_meet(&stand) != 0)
			fail_msg("%s: %s", rows[i].name, stand.why.text);
		msec = (stub_now_nsec() - started) / NSEC_PER_MSEC;
		stub_state(stand.loader, &now);
		if (now.baud != rows[i].baud || strcmp(now.why_not_faster, rows[i].why) != 0)
			fail_msg("%s: %u, '%s'", rows[i].name, now.baud, now.why_not_faster);
		if (msec > 150 + rows[i].n_vain * FALL_BACK_MSEC)
			fail_msg("%s: %u ms", rows[i].name, (unsigned)msec);
		write_something(&stand, 8 * KIB);
		stub_end(&stand);
	}
}

/* An echo gets through, and the line is bad for all that: 3 of 50 frames, and it is one step less.
 */
static void stub_check_06_a_line_that_turns_bad_costs_a_step(void **state)
{
	static const struct {
		unsigned damage_above, damage_every;
		uint32_t baud;
	} rows[] = {
		{460800, 9001, 460800}, {230400, 9001, 230400}, {115200, 9001, 115200},
		{460800, 120011, 921600}, /* now and then a frame: no reason */
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		const struct sim_faults faults = {.stub = {.damage_above = rows[i].damage_above,
							  .damage_every = rows[i].damage_every}};
		struct stub_stand stand;
		struct stub_state now;

		stub_begin_with(&stand, "g0b1", "g0b", &faults, NULL);
		assert_int_equal(stub_meet(&stand), 0);
		stub_state(stand.loader, &now);
		assert_int_equal(now.baud, 921600);
		write_something(&stand, 256 * KIB);
		stub_state(stand.loader, &now);
		assert_int_equal(now.baud, rows[i].baud);
		assert_true(now.n_repeated > 0);
		if (now.baud < 921600)
			assert_non_null(strstr(now.why_not_faster, "too many frames"));
		stub_end(&stand);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(stub_check_06_it_ends_at_the_rate_that_is_sound),
		cmocka_unit_test(stub_check_06_a_line_that_turns_bad_costs_a_step),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
