/* SPDX-License-Identifier: MIT */
/*
 * test-commands.c - what the commands of the protocol bring about in the simulated chip, and what
 * they give back.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "loader/an3155-link.h"
#include "sim/calls.h"

static void get_learns_version_and_commands(void **state)
{
	struct line line;

	(void)state;
	line_begin_synced(&line, "f103xc", NULL);
	assert_int_equal(line.bl.version, 0x22);
	assert_true(line.bl.has[AN3155_ERASE]);
	assert_false(line.bl.has[AN3155_EXTENDED_ERASE]);
	assert_int_equal(get_version(&line), 0);
	assert_memory_equal(line.bytes, "\x22\0\0", 3);
	assert_int_equal(get_id(&line), 0);
	assert_int_equal(line.word, 0x414);
	line_end(&line);
}

/* Noise that ends in an ACK leaves no list behind by which commands would be sent. */
static void fault_54_58_a_senseless_list_is_not_kept(void **state)
{
	const struct sim_faults faults = {.ack_stream = true};
	struct line line;
	uint16_t id = 0x1234;

	(void)state;
	line_begin(&line, "f103xc", NULL);
	assert_int_equal(an3155_sync(&line.bl), 0);
	sim_set_faults(line.sim, &faults);
	assert_int_equal(an3155_get(&line.bl), LOADER_GARBLED);
	assert_int_equal(line.bl.version, 0);
	for (unsigned i = 0; i < 256; i++)
		assert_false(line.bl.has[i]);
	line_mark(&line);
	assert_int_equal(an3155_get_id(&line.bl, &id), LOADER_UNSUPPORTED);
	assert_int_equal(id, 0x1234);
	assert_string_equal(line_sent(&line), "");
	line_end(&line);
}

static void fault_58_59_lengths_that_lie(void **state)
{
	static const struct {
		struct sim_faults faults;
		int get, get_id;
	} rows[] = {
		{{.get_length = -1}, LOADER_GARBLED, 0},
		{{.get_length = 255}, 0, 0},
		{{.get_length = 5}, LOADER_GARBLED, 0},
		{{.get_id_length = -1}, 0, LOADER_GARBLED},
		{{.get_id_length = 2}, 0, LOADER_GARBLED},
		{{.get_id_length = 255}, 0, LOADER_GARBLED},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct line line;

		line_begin_synced(&line, "f103xc", NULL);
		sim_set_faults(line.sim, &rows[i].faults);
		assert_int_equal(get(&line), rows[i].get);
		port_wait(line.port, 100 * USEC_PER_MSEC);
		assert_int_equal(get_id(&line), rows[i].get_id);
		line_end(&line);
	}
}

static void what_is_written_is_read_and_erased(void **state)
{
	static const char *const chips[] = {"f103xc", "f072"};
	uint8_t *flash;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(chips); i++) {
		struct line line;

		line_begin_synced(&line, chips[i], NULL);
		flash = sim_flash(line.sim);
		assert_int_equal(write_256(&line), 0);
		assert_int_equal(write_8(&line), 0);
		assert_int_equal(read_256(&line), 0);
		assert_memory_equal(line.bytes, flash, 256);
		memset(flash, 0x00, 64 * 1024);
		assert_int_equal(erase_two_pages(&line), 0);
		for (uint32_t at = 0; at < 64 * 1024; at++)
			assert_int_equal(
				flash[at], at / 2048 == 1 || at / 2048 == 0x13 ? 0xFF : 0x00);
		assert_int_equal(erase_all(&line), 0);
		for (uint32_t at = 0; at < 64 * 1024; at++)
			assert_int_equal(flash[at], 0xFF);
		assert_int_equal(sim_counters(line.sim)->bad_writes, 0);
		line_end(&line);
	}
}

/* No command of ours: plugflash protects no sectors. */
static int write_protect(struct line *line)
{
	static const uint8_t sectors[] = {1, 0, 2};
	int r = an3155_send_command(&line->bl, AN3155_WRITE_PROTECT);

	return r == 0 ? an3155_send_frame(&line->bl, sectors, sizeof(sectors), 0) : r;
}

static void protection_is_set_and_taken_away(void **state)
{
	const uint8_t word[] = {0, 0, 0, 0};
	struct line line;

	(void)state;
	line_begin_synced(&line, "f103xc", NULL);
	memset(sim_flash(line.sim), 0x55, 0x4000);
	assert_int_equal(write_protect(&line), 0);
	line_resync_after_reset(&line);
	/* Sector 0 is pages 0 and 1: acknowledged, and not done (AN3155 3.7, note). */
	assert_int_equal(erase_two_pages(&line), 0);
	assert_int_equal(sim_flash(line.sim)[2048], 0x55);
	assert_int_equal(write_unprotect(&line), 0);
	line_resync_after_reset(&line);
	assert_int_equal(erase_two_pages(&line), 0);
	assert_int_equal(sim_flash(line.sim)[2048], 0xFF);
	assert_int_equal(readout_protect(&line), 0);
	line_resync_after_reset(&line);
	assert_int_equal(read_16(&line), LOADER_REFUSED);
	assert_int_equal(an3155_write_memory(&line.bl, FLASH, word, 4, 0), LOADER_REFUSED);
	assert_int_equal(sim_counters(line.sim)->unprotects, 0);
	assert_int_equal(readout_unprotect(&line), 0);
	line_resync_after_reset(&line);
	assert_int_equal(read_16(&line), 0);
	assert_int_equal(sim_flash(line.sim)[0], 0xFF);
	line_end(&line);
}

static void fault_64_two_nacks_of_a_protected_chip_are_one_refusal(void **state)
{
	const struct sim_faults faults = {.protect = true};
	struct line line;

	(void)state;
	line_begin_synced(&line, "f405", &faults);
	for (unsigned i = 0; i < 3; i++) {
		assert_int_equal(read_16(&line), LOADER_REFUSED);
		assert_int_equal(get_id(&line), 0);
		assert_int_equal(line.word, 0x413);
	}
	assert_int_equal(sim_counters(line.sim)->unprotects, 0);
	line_end(&line);
}

static void fault_57_a_storm_of_nacks_is_one_refusal(void **state)
{
	const struct sim_faults faults = {.nack_storm = 20};
	struct line line;

	(void)state;
	line_begin_synced(&line, "f103xc", &faults);
	assert_int_equal(erase_two_pages(&line), LOADER_REFUSED);
	assert_int_equal(get_id(&line), 0);
	assert_int_equal(line.word, 0x414);
	line_end(&line);
}

/* Go answers for the address alone; V2.2 adds a NACK where it will not jump (stm32-rom.md 8). */
static void go_starts_what_is_there(void **state)
{
	static const uint32_t vectors[] = {0x20001000, 0x08000101};
	struct line line;

	(void)state;
	line_begin_synced(&line, "f103xc", NULL);
	memset(sim_flash(line.sim), 0, 1024);
	memcpy(sim_flash(line.sim), vectors, sizeof(vectors));
	assert_int_equal(go(&line), 0);
	port_wait(line.port, USEC_PER_MSEC);
	assert_int_equal(sim_state(line.sim), SIM_APPLICATION);
	line_end(&line);
}

static void what_does_not_fit_a_frame_is_not_sent(void **state)
{
	static const uint16_t too_high[] = {0, 256}, code[] = {0, 0xFFFF};
	static uint16_t pages[256];
	static uint8_t bytes[257];
	struct line line;

	(void)state;
	line_begin_synced(&line, "f103xc", NULL);
	line_mark(&line);
	assert_int_equal(an3155_read_memory(&line.bl, FLASH, bytes, 0), -EINVAL);
	assert_int_equal(an3155_read_memory(&line.bl, FLASH, bytes, 257), -EINVAL);
	assert_int_equal(an3155_write_memory(&line.bl, FLASH, bytes, 0, 0), -EINVAL);
	assert_int_equal(an3155_write_memory(&line.bl, FLASH, bytes, 257, 0), -EINVAL);
	assert_int_equal(an3155_erase_pages(&line.bl, pages, 0, 0), -EINVAL);
	/* 256 pages would be N = 255, the global erase. */
	assert_int_equal(an3155_erase_pages(&line.bl, pages, 256, 0), -EINVAL);
	assert_int_equal(an3155_erase_pages(&line.bl, too_high, 2, 0), -EINVAL);
	assert_string_equal(line_sent(&line), "");
	line_end(&line);
	line_begin_synced(&line, "f072", NULL);
	line_mark(&line);
	assert_int_equal(an3155_erase_pages(&line.bl, code, 2, 0), -EINVAL);
	assert_string_equal(line_sent(&line), "");
	line_end(&line);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(get_learns_version_and_commands),
	cmocka_unit_test(fault_54_58_a_senseless_list_is_not_kept),
	cmocka_unit_test(fault_58_59_lengths_that_lie),
	cmocka_unit_test(what_is_written_is_read_and_erased),
	cmocka_unit_test(protection_is_set_and_taken_away),
	cmocka_unit_test(fault_64_two_nacks_of_a_protected_chip_are_one_refusal),
	cmocka_unit_test(fault_57_a_storm_of_nacks_is_one_refusal),
	cmocka_unit_test(go_starts_what_is_there),
	cmocka_unit_test(what_does_not_fit_a_frame_is_not_sent),
};

int main(void)
{
	return cmocka_run_group_tests(tests, NULL, NULL);
}
