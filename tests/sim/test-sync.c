/* SPDX-License-Identifier: MIT */
/*
 * test-sync.c - getting into step with the boot ROM and back into it: the synchronisation byte, the
 * filling of a frame that lost its end, and bytes that belong to something earlier.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "sim/line.h"
#include "unit/rows.h"

#define FLASH UINT32_C(0x08000000)

/* ------------------------------------------------------------------ the first byte */

/* Line, USB and drains around the waiting. */
#define MARGIN_USEC (100 * USEC_PER_MSEC)

static const struct sync_row {
	const char *name;
	const char *chip;
	struct sim_faults faults;
	const char *said; /* by somebody before us */
	int result;
	const char *sent;
	uint64_t at_most_usec;
} sync_rows[] = {
	{"fresh from reset: one 0x7F", "f103xc", .sent = "7F", .at_most_usec = 20000},
	{"a 0x00 before the ACK", "f103xc", {.leading_zero = true}, .sent = "7F",
		.at_most_usec = 20000},
	{"two ACKs", "l412", .sent = "7F", .at_most_usec = 20000},
	{"the 0x7F is lost: a second one", "f103xc", {.drop_received = 1}, .sent = "7F 7F",
		.at_most_usec = AN3155_ANSWER_USEC + MARGIN_USEC},
	{"in step already: silence, then a NACK to the second", "f103xc", .said = "7F",
		.sent = "7F 7F", .at_most_usec = AN3155_ANSWER_USEC + MARGIN_USEC},
	{"half a command pending: a NACK at once", "f103xc", .said = "7F 02", .sent = "7F",
		.at_most_usec = 50000},
	{"fault 53: silence", "f103xc", {.silent = true}, .result = LOADER_NO_ANSWER,
		.sent = "7F 7F", .at_most_usec = 2 * AN3155_ANSWER_USEC + MARGIN_USEC},
	{"fault 55: endless noise", "f103xc", {.garbage = true, .seed = 3},
		.result = LOADER_GARBLED, .sent = "7F",
		.at_most_usec = AN3155_ANSWER_USEC + MARGIN_USEC},
	{"fault 54: an endless stream of ACKs is read no longer than 300 ms", "f103xc",
		{.ack_stream = true}, .result = LOADER_GARBLED, .sent = "7F",
		.at_most_usec = 400000},
	{"a rate it cannot measure", "f103xc", {.silent_syncs = 1}, .result = LOADER_GARBLED,
		.sent = "7F", .at_most_usec = AN3155_ANSWER_USEC + MARGIN_USEC},
};

static void a_loader_is_found(void **state)
{
	const struct sync_row *row = *state;
	struct line line;
	uint64_t begin;

	line_begin(&line, row->chip, &row->faults);
	if (row->said)
		line_say(&line, row->said);
	line_mark(&line);
	begin = port_now(line.port);
	assert_int_equal(an3155_sync(&line.bl), row->result);
	assert_in_range(port_now(line.port) - begin, 0, row->at_most_usec);
	assert_string_equal(line_sent(&line), row->sent);
	if (row->result == 0) {
		/* Nothing of the sync is left to be taken for an answer. */
		assert_int_equal(an3155_get(&line.bl), 0);
		assert_int_equal(line.bl.version, sim_chip_find(row->chip)->version);
	}
	line_end(&line);
}

/* ------------------------------------------------------------------ in the middle of anything */

/*
 * What a ROM that cannot be reset may have been left in the middle of (stm32-rom.md 11). Whatever
 * it is, nothing may come of our filling.
 */
static const struct pending_row {
	const char *name;
	const char *chip;
	const char *said;
} pending_rows[] = {
	{"nothing", "f103xc", ""},
	{"half a pair", "f103xc", "11"},
	{"half a pair of Readout Unprotect", "f103xc", "92"},
	{"Read: the address", "f103xc", "11 EE"},
	{"Read: half an address", "f103xc", "11 EE 08 00"},
	{"Read: the count", "f103xc", "11 EE 08 00 00 00 08"},
	{"Read: the complement of the count", "f103xc", "11 EE 08 00 00 00 08 0F"},
	{"Go: the address", "f103xc", "21 DE"},
	{"Go: the checksum", "f103xc", "21 DE 08 00 00 00"},
	{"Write: the address", "f103xc", "31 CE"},
	{"Write: the count", "f103xc", "31 CE 08 00 00 00 08"},
	{"Write: all data but two", "f103xc", "31 CE 08 00 00 00 08 03 01 02"},
	{"Write: 256 bytes", "f103xc", "31 CE 08 00 00 00 08 FF"},
	{"Write: the count, where a word is programmed once", "g0b1", "31 CE 08 00 00 00 08"},
	{"Erase: the count", "f103xc", "43 BC"},
	{"Erase: the second byte of a global erase", "f103xc", "43 BC FF"},
	{"Erase: two of four pages", "f103xc", "43 BC 03 04 05"},
	{"Erase: the checksum", "f103xc", "43 BC 01 04 05"},
	{"Extended Erase: the count", "f072", "44 BB"},
	{"Extended Erase: half the count", "f072", "44 BB 00"},
	{"Extended Erase: half the code of a mass erase", "f072", "44 BB FF"},
	{"Extended Erase: the checksum of a mass erase", "f072", "44 BB FF FF"},
	{"Extended Erase: a page of two", "f072", "44 BB 00 01 00 05"},
	{"Write Protect: the count", "f103xc", "63 9C"},
	{"Write Protect: a sector of two", "f103xc", "63 9C 01 00"},
	{"Get Checksum: the address", "wle5-v33", "A1 5E"},
	{"Get Checksum: the size", "wle5-v33", "A1 5E 08 00 00 00 08"},
	{"Special: the code", "u575", "50 AF"},
	{"Special: the size", "u575", "50 AF 00 82 82"},
	{"Special: the data", "u575", "50 AF 00 82 82 00 04"},
};

static void assert_untouched(struct line *line, const struct sim_counters *before)
{
	const struct sim_counters *now = sim_counters(line->sim);

	for (uint32_t i = 0; i < sim_flash_size(line->sim); i++)
		assert_int_equal(sim_flash(line->sim)[i], (uint8_t)(i + 1));
	assert_int_equal(now->pages_erased, 0);
	assert_int_equal(now->mass_erases, 0);
	assert_int_equal(now->blocks_written, 0);
	assert_int_equal(now->unprotects, 0);
	assert_int_equal(now->bad_writes, 0);
	assert_int_equal(now->resets, before->resets);
}

/* As somebody who was killed left it; we know nothing of that. */
static void a_pending_frame_comes_to_nothing(void **state)
{
	const struct pending_row *row = *state;
	struct sim_counters before;
	struct line line;
	int r;

	line_begin(&line, row->chip, NULL);
	for (uint32_t i = 0; i < sim_flash_size(line.sim); i++)
		sim_flash(line.sim)[i] = (uint8_t)(i + 1);
	line_say(&line, "7F");
	line_say(&line, row->said);
	before = *sim_counters(line.sim);
	r = an3155_sync(&line.bl);
	if (r == LOADER_NO_ANSWER)
		r = an3155_resync(&line.bl);
	assert_int_equal(r, 0);
	assert_int_equal(an3155_get(&line.bl), 0);
	assert_int_equal(line.bl.version, sim_chip_find(row->chip)->version);
	assert_untouched(&line, &before);
	line_end(&line);
}

static void a_loader_that_is_not_there_is_not_found(void **state)
{
	const struct sim_faults faults = {.silent = true};
	struct line line;
	uint64_t begin;

	(void)state;
	line_begin(&line, "f103xc", &faults);
	begin = port_now(line.port);
	assert_int_equal(an3155_resync(&line.bl), LOADER_NO_ANSWER);
	assert_in_range(port_now(line.port) - begin, 0, 3 * USEC_PER_SEC);
	line_end(&line);
}

static void fault_55_noise_is_not_taken_for_a_loader_in_step(void **state)
{
	(void)state;
	for (unsigned seed = 1; seed <= 50; seed++) {
		const struct sim_faults faults = {.garbage = true, .seed = seed};
		struct line line;
		uint64_t begin;

		line_begin(&line, "f103xc", &faults);
		begin = port_now(line.port);
		if (an3155_resync(&line.bl) == 0)
			assert_int_not_equal(an3155_get(&line.bl), 0);
		assert_in_range(port_now(line.port) - begin, 0, 5 * USEC_PER_SEC);
		line_end(&line);
	}
}

/* ------------------------------------------------------------------ an erase that may go on */

static int erase_page_5(struct line *line)
{
	static const uint16_t pages[] = {5};

	return an3155_erase_pages(&line->bl, pages, 1, 100 * USEC_PER_MSEC);
}

static int erase_all(struct line *line)
{
	return an3155_erase_all(&line->bl, 100 * USEC_PER_MSEC);
}

static const struct erase_row {
	const char *name;
	const char *chip;
	int (*erase)(struct line *line);
	struct sim_faults faults;
} erase_rows[] = {
	{"the ACK of an Erase is lost", "f103xc", erase_page_5, {.drop_sent = 2}},
	{"the ACK of a global erase is lost", "f103xc", erase_all, {.drop_sent = 2}},
	{"the ACK of an Extended Erase is lost", "f072", erase_page_5, {.drop_sent = 2}},
	{"the ACK of a mass erase is lost", "f072", erase_all, {.drop_sent = 2}},
	{"the count of an Erase is lost", "f103xc", erase_page_5, {.drop_received = 3}},
	{"the checksum of an Erase is lost", "f103xc", erase_page_5, {.drop_received = 5}},
	{"half of a global erase is lost", "f103xc", erase_all, {.drop_received = 4}},
	{"the count of an Extended Erase is lost", "f072", erase_page_5, {.drop_received = 3}},
	{"a page of an Extended Erase is lost", "f072", erase_page_5, {.drop_received = 6}},
	{"the checksum of a mass erase is lost", "f072", erase_all, {.drop_received = 5}},
	{"it never ends", "f103xc", erase_page_5, {.erase_nsec = SIM_NEVER}},
};

static void nothing_is_sent_while_an_erase_may_be_pending(void **state)
{
	const struct erase_row *row = *state;
	struct line line;

	line_begin_synced(&line, row->chip, NULL);
	sim_set_faults(line.sim, &row->faults);
	assert_int_equal(row->erase(&line), LOADER_NO_ANSWER);
	assert_true(line.bl.erase_may_be_pending);
	line_mark(&line);
	assert_int_equal(an3155_resync(&line.bl), LOADER_NO_ANSWER);
	assert_int_equal(an3155_sync(&line.bl), LOADER_NO_ANSWER);
	assert_int_equal(an3155_resync(&line.bl), LOADER_NO_ANSWER);
	assert_int_equal(an3155_get(&line.bl), LOADER_NO_ANSWER);
	assert_int_equal(row->erase(&line), LOADER_NO_ANSWER);
	assert_string_equal(line_sent(&line), "");
	line_end(&line);
}

static void fault_63_an_erase_that_ends_late_is_waited_for(void **state)
{
	const struct sim_faults faults = {
		.erase_nsec = (2 * AN3155_ANSWER_USEC + USEC_PER_SEC) * 1000};
	struct line line;

	(void)state;
	line_begin_synced(&line, "f103xc", &faults);
	assert_int_equal(erase_page_5(&line), LOADER_NO_ANSWER);
	line_mark(&line);
	assert_int_equal(an3155_sync(&line.bl), LOADER_NO_ANSWER);
	assert_string_equal(line_sent(&line), "");
	assert_int_equal(port_wait(line.port, USEC_PER_SEC), 0);
	/* Its answer is there by now: it is over, and the answer no other command's. */
	assert_int_equal(an3155_sync(&line.bl), 0);
	assert_false(line.bl.erase_may_be_pending);
	assert_int_equal(an3155_get(&line.bl), 0);
	assert_int_equal(sim_counters(line.sim)->pages_erased, 1);
	line_end(&line);
}

/* Erase accepted, and its ACK lost: the ROM waits for a count, and FF is none that erases. */
static void a_lost_ack_of_the_command_erases_nothing(void **state)
{
	static const char *const chips[] = {"f103xc", "f072"};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(chips); i++) {
		const struct sim_faults faults = {.drop_sent = 1};
		struct line line;

		line_begin_synced(&line, chips[i], NULL);
		sim_set_faults(line.sim, &faults);
		assert_int_equal(erase_page_5(&line), LOADER_NO_ANSWER);
		if (an3155_sync(&line.bl) != 0)
			assert_int_equal(an3155_resync(&line.bl), 0);
		assert_int_equal(an3155_get(&line.bl), 0);
		assert_int_equal(sim_counters(line.sim)->pages_erased, 0);
		assert_int_equal(sim_counters(line.sim)->mass_erases, 0);
		line_end(&line);
	}
}

/* ------------------------------------------------------------------ answers of something earlier
 */

static void fault_54_63_stale_bytes_are_no_answer(void **state)
{
	struct line line;
	uint16_t id = 0;

	(void)state;
	line_begin_synced(&line, "f103xc", NULL);
	sim_flash(line.sim)[0] = 0xAB;
	for (unsigned i = 0; i < 3; i++) {
		/* A whole answer of another command lies there, beginning with an ACK. */
		line_say(&line, i == 0 ? "00 FF" : i == 1 ? "01 FE" : "11 EE 08 00 00 00 08 03 FC");
		assert_int_equal(port_wait(line.port, 20 * USEC_PER_MSEC), 0);
		assert_int_equal(an3155_get_id(&line.bl, &id), 0);
		assert_int_equal(id, 0x414);
	}
	line_end(&line);
}

/* Each byte later than we wait: the answer comes when nobody asks any more. */
static void fault_63_a_late_answer_is_no_answer_to_the_next(void **state)
{
	const struct sim_faults late = {
		.slow_sent_nsec = (AN3155_ANSWER_USEC + MARGIN_USEC) * 1000};
	const struct sim_faults none = {0};
	struct line line;
	uint16_t id = 0;

	(void)state;
	line_begin_synced(&line, "f103xc", NULL);
	sim_flash(line.sim)[0] = 0xAB;
	sim_set_faults(line.sim, &late);
	assert_int_equal(an3155_get_id(&line.bl, &id), LOADER_NO_ANSWER);
	sim_set_faults(line.sim, &none);
	assert_int_equal(port_wait(line.port, 6 * (AN3155_ANSWER_USEC + MARGIN_USEC)), 0);
	assert_int_equal(an3155_read_memory(&line.bl, FLASH, line.bytes, 1), 0);
	assert_int_equal(line.bytes[0], 0xAB);
	line_end(&line);
}

/* It comes while we ask: the next answer is a wrong one, which must not pass for a right one. */
static void fault_63_a_late_answer_in_the_next_is_garbled(void **state)
{
	struct line line;
	uint64_t at;

	(void)state;
	for (at = 0; at < 2000; at += 50) {
		const struct sim_faults late = {
			.slow_sent_nsec = (AN3155_ANSWER_USEC - 1000 + at) * 1000};
		const struct sim_faults none = {0};
		uint16_t id = 0;
		uint8_t version = 0, option[2];

		line_begin_synced(&line, "f103xc", NULL);
		sim_set_faults(line.sim, &late);
		if (an3155_get_version(&line.bl, &version, option) == 0)
			assert_int_equal(version, 0x22);
		sim_set_faults(line.sim, &none);
		if (an3155_get_id(&line.bl, &id) == 0)
			assert_int_equal(id, 0x414);
		line_end(&line);
	}
}

int main(void)
{
	static struct CMUnitTest tests[ARRAY_SIZE(sync_rows) + ARRAY_SIZE(pending_rows) +
				       ARRAY_SIZE(erase_rows) + 10];
	size_t n_tests = 0;

	ADD_ROWS(tests, n_tests, sync_rows, a_loader_is_found);
	ADD_ROWS(tests, n_tests, pending_rows, a_pending_frame_comes_to_nothing);
	ADD_TEST(tests, n_tests, a_loader_that_is_not_there_is_not_found);
	ADD_TEST(tests, n_tests, fault_55_noise_is_not_taken_for_a_loader_in_step);
	ADD_ROWS(tests, n_tests, erase_rows, nothing_is_sent_while_an_erase_may_be_pending);
	ADD_TEST(tests, n_tests, fault_63_an_erase_that_ends_late_is_waited_for);
	ADD_TEST(tests, n_tests, a_lost_ack_of_the_command_erases_nothing);
	ADD_TEST(tests, n_tests, fault_54_63_stale_bytes_are_no_answer);
	ADD_TEST(tests, n_tests, fault_63_a_late_answer_is_no_answer_to_the_next);
	ADD_TEST(tests, n_tests, fault_63_a_late_answer_in_the_next_is_garbled);
	return RUN_TESTS("sync", tests, n_tests);
}
