/* SPDX-License-Identifier: MIT */
/*
 * test-stub-reset.c - what comes to the ROM where the chip was reset under a program that was being
 * sent to: as little as can be, since the ROM may find commands in the bytes of an image.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>

#include "sim/stub-stand.h"

#define FLASH UINT32_C(0x08000000)
#define KIB   UINT32_C(1024)

struct watcher {
	const struct sim *sim;
	uint64_t most; /* bytes that were on their way as an answer was given */
};

static void watch(void *userdata, uint8_t *answer, size_t n_answer)
{
	struct watcher *watcher = userdata;
	uint64_t n = port_sim_record(LINE_PORT)->n_sent - sim_counters(watcher->sim)->received;

	(void)n_answer;
	if (answer[0] == (STUB_DATA | STUB_ANSWER) && n > watcher->most)
		watcher->most = n;
}

static void little_is_on_its_way(void **state)
{
	static const struct {
		const char *chip, *word;
		uint32_t max_baud, most;
	} rows[] = {
		{"f103xc", "f1", 115200, 6 * KIB},
		{"g0b1", "g0b", 115200, 6 * KIB},
		{"g0b1", "g0b", 230400, 10 * KIB},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		CLEANUP(freep) uint8_t *image = stub_make_image(64 * KIB, 1);
		struct watcher watcher = {0};
		const struct sim_faults faults = {
			.stub = {.bend = watch, .userdata = &watcher, .ring = 32 * KIB}};
		struct stub_stand stand;

		stub_begin_with(&stand, rows[i].chip, rows[i].word, &faults, NULL);
		watcher.sim = stand.sim;
		stand.max_baud = rows[i].max_baud;
		stand.load.ring_size = 32 * KIB;
		assert_int_equal(stub_meet(&stand), 0);
		assert_int_equal(stub_erase_first(&stand, 64 * KIB), 0);
		assert_int_equal(stub_write_all(&stand, FLASH, image, 64 * KIB), 0);
		assert_memory_equal(sim_flash(stand.sim), image, 64 * KIB);
		assert_in_range(watcher.most, KIB, rows[i].most);
		stub_end(&stand);
	}
}

/* The host is stopped for longer than the program waits for it, and does not know. */
static void a_host_that_was_stopped_asks_before_it_goes_on(void **state)
{
	CLEANUP(freep) uint8_t *image = stub_make_image(64 * KIB, 1);
	struct stub_stand stand;
	uint64_t n_sent;

	(void)state;
	stub_begin(&stand, "f103xc", "f1", 115200);
	assert_int_equal(stub_erase_first(&stand, 64 * KIB), 0);
	for (uint32_t at = 0; at < 16 * KIB; at += 4 * KIB)
		assert_int_equal(
			stand.loader->ops->write(stand.loader, FLASH + at, image + at, 4 * KIB), 0);
	port_sim_pass(LINE_PORT, 20 * USEC_PER_SEC);
	assert_int_equal(sim_state(stand.sim), SIM_ROM);
	n_sent = port_sim_record(LINE_PORT)->n_sent;
	assert_int_equal(stub_write_all(&stand, FLASH + 16 * KIB, image + 16 * KIB, 48 * KIB),
		LOADER_NO_ANSWER);
	assert_in_range(port_sim_record(LINE_PORT)->n_sent - n_sent, 1, 300);
	stub_end(&stand);
}

/* Stopped for less, it goes on. */
static void a_short_stop_costs_nothing(void **state)
{
	CLEANUP(freep) uint8_t *image = stub_make_image(32 * KIB, 1);
	struct stub_stand stand;

	(void)state;
	stub_begin(&stand, "f103xc", "f1", 115200);
	assert_int_equal(stub_erase_first(&stand, 32 * KIB), 0);
	for (uint32_t at = 0; at < 32 * KIB; at += 4 * KIB) {
		assert_int_equal(
			stand.loader->ops->write(stand.loader, FLASH + at, image + at, 4 * KIB), 0);
		port_sim_pass(LINE_PORT, 7 * USEC_PER_SEC);
	}
	assert_int_equal(stand.loader->ops->flush(stand.loader), 0);
	assert_memory_equal(sim_flash(stand.sim), image, 32 * KIB);
	stub_end(&stand);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(little_is_on_its_way),
		cmocka_unit_test(a_host_that_was_stopped_asks_before_it_goes_on),
		cmocka_unit_test(a_short_stop_costs_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
