/* SPDX-License-Identifier: MIT */
/*
 * test-stub-link-core.c - the host's side against the stub itself, on an emulated processor: what
 * test-stub-link.c, -rate.c and -faults.c have for its peer, in small. Skipped where the tests were
 * built without an emulator.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>

#include "sim/core-cpu.h"
#include "sim/stub-stand.h"

#define FLASH UINT32_C(0x08000000)
#define KIB   UINT32_C(1024)

static int need_core(void **state)
{
	(void)state;
	if (!cpu_is_there())
		skip();
	stub_runs_on = SIM_PROGRAM_CORE;
	return 0;
}

/* No chip would have stood it otherwise. A byte that comes twice at once is lost by the USART. */
static void check_core(const struct stub_stand *stand, unsigned n_doubled)
{
	const struct sim_core_state *core = sim_core(stand->sim);

	if (core->violations > 0)
		fail_msg("%s: %s", stand->sim_chip->name, core->violation);
	assert_true(core->overruns <= n_doubled);
	assert_int_equal(core->stalls, 0);
	assert_int_equal(core->twice, 0);
}

static void what_is_written_is_in_the_flash(void **state)
{
	static const struct {
		const char *chip, *word;
	} chips[] = {
		{"f103xc", "f1"},
		{"f072", "f07"},
		{"f405", "f4"},
		{"g0b1", "g0b"},
		{"g474", "g47"},
		{"l412", "l4"},
	};

	need_core(state);
	for (size_t i = 0; i < ARRAY_SIZE(chips); i++) {
		CLEANUP(freep) uint8_t *image = stub_make_image(20 * KIB, 1);
		uint8_t got[4096];
		struct stub_stand stand;
		struct stub_state now;
		bool is_equal;

		stub_begin(&stand, chips[i].chip, chips[i].word, 0);
		memset(sim_flash(stand.sim), 0xA5, stand.sim_chip->flash_size);
		assert_int_equal(stub_erase_first(&stand, 20 * KIB), 0);
		assert_int_equal(stub_write_all(&stand, FLASH, image, 20 * KIB), 0);
		assert_memory_equal(sim_flash(stand.sim), image, 20 * KIB);
		assert_int_equal(stub_compare(&stand, FLASH, image, 20 * KIB, &is_equal), 0);
		assert_true(is_equal);
		assert_int_equal(stand.loader->ops->read(stand.loader, FLASH + 4096, got, 4096), 0);
		assert_memory_equal(got, image + 4096, 4096);
		stub_state(stand.loader, &now);
		assert_int_equal(now.n_repeated, 0);
		check_core(&stand, 0);
		stub_end(&stand);
	}
}

static size_t bend_all(void *userdata, uint8_t byte, uint8_t to[PORT_SIM_EDIT])
{
	const uint32_t *max_baud = userdata;

	to[0] = port_sim_record(LINE_PORT)->baud > *max_baud ? byte ^ 0x10 : byte;
	return 1;
}

/* The stub hears the host above that rate, and not the other way round: both come back. */
static void stub_check_06_both_sides_come_back(void **state)
{
	static const uint32_t rates[] = {921600, 460800, 230400, 115200};

	need_core(state);
	for (size_t i = 0; i < ARRAY_SIZE(rates); i++) {
		uint32_t max_baud = rates[i];
		const struct port_sim_options port = {.edit = bend_all, .userdata = &max_baud};
		CLEANUP(freep) uint8_t *image = stub_make_image(2 * KIB, 3);
		struct stub_stand stand;
		struct stub_state now;
		uint64_t started, msec;

		stub_begin_with(&stand, "g0b1", "g0b", NULL, &port);
		started = stub_now_nsec();
		assert_int_equal(stub_meet(&stand), 0);
		msec = (stub_now_nsec() - started) / 1000000;
		stub_state(stand.loader, &now);
		assert_int_equal(now.baud, max_baud);
		assert_true(msec < 200 + 500 * i);
		assert_int_equal(stub_erase_first(&stand, 2 * KIB), 0);
		assert_int_equal(stub_write_all(&stand, FLASH, image, 2 * KIB), 0);
		assert_memory_equal(sim_flash(stand.sim), image, 2 * KIB);
		check_core(&stand, 0);
		stub_end(&stand);
	}
}

/* Lost, bent and doubled in turn, here and there: all of them are in test-stub-faults.c. */
static void stub_check_07_a_fault_is_made_good(void **state)
{
	CLEANUP(freep) uint8_t *image = stub_make_image(1200, 5);

	need_core(state);
	for (unsigned nth = 1; nth < 1500; nth += 97) {
		struct sim_faults faults = {0};
		struct stub_stand stand;
		bool is_equal;
		uint64_t *const knobs[] = {&faults.drop_received, &faults.flip_received,
			&faults.double_received, &faults.drop_sent, &faults.flip_sent,
			&faults.double_sent};

		stub_begin(&stand, "f103xc", "f1", 115200);
		*knobs[nth / 97 % ARRAY_SIZE(knobs)] = nth / 97 % 6 < 3 ? nth : nth % 120 + 1;
		sim_set_faults(stand.sim, &faults);
		assert_int_equal(stub_erase_first(&stand, 2 * KIB), 0);
		assert_int_equal(stub_write_all(&stand, FLASH, image, 1200), 0);
		assert_memory_equal(sim_flash(stand.sim), image, 1200);
		assert_int_equal(stub_compare(&stand, FLASH, image, 1200, &is_equal), 0);
		assert_true(is_equal);
		check_core(&stand, faults.double_received > 0);
		stub_end(&stand);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_written_is_in_the_flash),
		cmocka_unit_test(stub_check_06_both_sides_come_back),
		cmocka_unit_test(stub_check_07_a_fault_is_made_good),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
