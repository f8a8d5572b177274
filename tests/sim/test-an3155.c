/* SPDX-License-Identifier: MIT */
/*
 * test-an3155.c - each command of the protocol against the simulated boot ROM: the bytes on the
 * line by AN3155's tables, and what is said when the ROM refuses, falls silent or loses a byte.
 * What comes of them is in test-commands.c, what synchronises the two in test-sync.c.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "sim/calls.h"
#include "unit/rows.h"

/* Room above a deadline: USB both ways, the last bytes on the line. */
#define SLACK_USEC (60 * USEC_PER_MSEC)

/* Stages at which the simulator can be made to refuse: the frame of the address, and the last. */
enum { ADDRESS = 1 << 1, DATA = 1 << 2 };

struct exchange {
	const char *name;
	const char *chip;
	int (*call)(struct line *line);
	const char *sent; /* up to where it goes on by a rule: "..." */
	unsigned n_reply;
	unsigned first_free, n_free; /* bytes of the reply that nothing checks */
	unsigned stages;
	uint64_t work_usec;
};

static const struct exchange exchanges[] = {
	{"Get", "f103xc", get, "00 FF", 15, 2, 12, 0, 0},
	{"Get Version", "f103xc", get_version, "01 FE", 5, 1, 3, 0, 0},
	{"Get ID", "f103xc", get_id, "02 FD", 5, 2, 2, 0, 0},
	{"Read Memory", "f103xc", read_16, "11 EE 08 00 01 00 09 0F F0", 19, 3, 16, ADDRESS | DATA,
		0},
	{"Read Memory, 256 bytes", "f103xc", read_256, "11 EE 08 00 00 00 08 FF 00", 259, 3, 256,
		ADDRESS | DATA, 0},
	{"Write Memory", "f103xc", write_8, "31 CE 08 00 02 00 0A 07 01 02 03 04 05 06 07 08 0F", 3,
		0, 0, ADDRESS | DATA, WORK_USEC},
	{"Write Memory, 256 bytes", "f103xc", write_256, "31 CE 08 00 00 00 08 FF A5 A5 A5 ...", 3,
		0, 0, ADDRESS | DATA, WORK_USEC},
	{"Go", "f103xc", go, "21 DE 08 00 00 00 08", 2, 0, 0, ADDRESS, 0},
	{"Erase of pages", "f103xc", erase_two_pages, "43 BC 01 01 13 13", 2, 0, 0, DATA,
		ERASE_USEC},
	{"Global erase", "f103xc", erase_all, "43 BC FF 00", 2, 0, 0, DATA, ERASE_USEC},
	{"Extended Erase of pages", "f072", erase_two_pages, "44 BB 00 01 00 01 00 13 13", 2, 0, 0,
		DATA, ERASE_USEC},
	{"Mass erase", "f072", erase_all, "44 BB FF FF 00", 2, 0, 0, DATA, ERASE_USEC},
	{"Write Unprotect", "f103xc", write_unprotect, "73 8C", 2, 0, 0, DATA, 0},
	{"Readout Protect", "f103xc", readout_protect, "82 7D", 2, 0, 0, DATA, 0},
	{"Readout Unprotect", "f103xc", readout_unprotect, "92 6D", 2, 0, 0, DATA, ERASE_USEC},
};

static uint8_t code_of(const struct exchange *row)
{
	return (uint8_t)strtoul(row->sent, NULL, 16);
}

/* What was sent since line_mark(), against the row; `n_bytes` of it, 0: all. */
static void assert_sent(struct line *line, const struct exchange *row, size_t n_bytes)
{
	char expected[96], *dots;
	const char *sent = line_sent(line);

	snprintf(expected, sizeof(expected), "%s", row->sent);
	dots = strstr(expected, " ...");
	if (dots)
		*dots = '\0';
	if (n_bytes)
		expected[3 * n_bytes - 1] = '\0';
	if (dots && !n_bytes)
		assert_memory_equal(sent, expected, strlen(expected));
	else
		assert_string_equal(sent, expected);
}

/* ------------------------------------------------------------------ what is said */

static void the_bytes_are_those_of_the_document(void **state)
{
	const struct exchange *row = *state;
	struct line line;
	uint64_t sent;

	line_begin_synced(&line, row->chip, NULL);
	sent = sim_counters(line.sim)->sent;
	line_mark(&line);
	assert_int_equal(row->call(&line), 0);
	assert_sent(&line, row, 0);
	assert_int_equal(sim_counters(line.sim)->sent - sent, row->n_reply);
	assert_int_equal(sim_counters(line.sim)->commands[code_of(row)], row->call == get ? 2 : 1);
	assert_int_equal(sim_counters(line.sim)->bad_addresses, 0);
	assert_false(line.bl.erase_may_be_pending);
	line_end(&line);
}

static void fault_56_refused_at_the_command(void **state)
{
	const struct exchange *row = *state;
	const struct sim_faults faults = {.nack_command = 1};
	struct line line;

	line_begin_synced(&line, row->chip, NULL);
	sim_set_faults(line.sim, &faults);
	line_mark(&line);
	assert_int_equal(row->call(&line), LOADER_REFUSED);
	assert_sent(&line, row, 2);
	assert_false(line.bl.erase_may_be_pending);
	/* Both are in step: the next command is understood. */
	assert_int_equal(an3155_get(&line.bl), 0);
	line_end(&line);
}

static void fault_56_refused_at_a_later_stage(void **state)
{
	const struct exchange *row = *state;

	for (unsigned stage = 1; stage <= 2; stage++) {
		const struct sim_faults faults = {
			.nack_stage_code = code_of(row), .nack_stage = stage};
		struct line line;

		if (!(row->stages & 1u << stage))
			continue;
		line_begin_synced(&line, row->chip, NULL);
		sim_set_faults(line.sim, &faults);
		line_mark(&line);
		assert_int_equal(row->call(&line), LOADER_REFUSED);
		assert_sent(&line, row, stage == 1 ? 7 : 0);
		assert_false(line.bl.erase_may_be_pending);
		assert_int_equal(an3155_get(&line.bl), 0);
		line_end(&line);
	}
}

static void fault_53_silence_ends_at_the_deadline(void **state)
{
	const struct exchange *row = *state;
	const struct sim_faults faults = {.hang_code = code_of(row), .hang_nth = 1};
	struct line line;
	uint64_t begin;

	line_begin_synced(&line, row->chip, NULL);
	sim_set_faults(line.sim, &faults);
	line_mark(&line);
	begin = port_now(line.port);
	assert_int_equal(row->call(&line), LOADER_NO_ANSWER);
	assert_in_range(
		port_now(line.port) - begin, AN3155_ANSWER_USEC, AN3155_ANSWER_USEC + SLACK_USEC);
	assert_sent(&line, row, 2);
	line_end(&line);
}

/* Each byte of the reply in turn: never success, never later than the work may take. */
static void a_lost_byte_is_noticed_in_time(void **state)
{
	const struct exchange *row = *state;

	for (unsigned i = 1; i <= row->n_reply; i++) {
		const struct sim_faults faults = {.drop_sent = i};
		struct line line;
		uint64_t begin;
		int r;

		line_begin_synced(&line, row->chip, NULL);
		sim_set_faults(line.sim, &faults);
		begin = port_now(line.port);
		r = row->call(&line);
		if (r != LOADER_NO_ANSWER && r != LOADER_GARBLED)
			fail_msg("byte %u lost: %d", i, r);
		assert_in_range(port_now(line.port) - begin, 0,
			AN3155_ANSWER_USEC + 2 * row->work_usec + SLACK_USEC);
		line_end(&line);
	}
}

/* A flipped bit in plain data cannot be seen; anywhere else it is. */
static void a_flipped_bit_is_noticed_where_it_can_be(void **state)
{
	const struct exchange *row = *state;

	for (unsigned i = 0; i < row->n_reply; i++) {
		const struct sim_faults faults = {.flip_sent = i + 1, .seed = i + 1};
		bool is_free = i >= row->first_free && i - row->first_free < row->n_free;
		struct line line;
		int r;

		line_begin_synced(&line, row->chip, NULL);
		sim_set_faults(line.sim, &faults);
		r = row->call(&line);
		if (r == 0 ? !is_free : r != LOADER_NO_ANSWER && r != LOADER_GARBLED)
			fail_msg("byte %u flipped: %d", i, r);
		line_end(&line);
	}
}

static void fault_55_endless_noise_ends_in_time(void **state)
{
	const struct exchange *row = *state;

	for (unsigned seed = 1; seed <= 20; seed++) {
		const struct sim_faults faults = {.garbage = true, .seed = seed};
		struct line line;
		uint64_t begin;

		line_begin_synced(&line, row->chip, NULL);
		sim_set_faults(line.sim, &faults);
		begin = port_now(line.port);
		assert_int_not_equal(row->call(&line), 0);
		assert_in_range(port_now(line.port) - begin, 0, 2 * USEC_PER_SEC);
		line_end(&line);
	}
}

static void what_get_does_not_list_is_not_sent(void **state)
{
	const struct exchange *row = *state;
	struct line line;

	line_begin_synced(&line, row->chip, NULL);
	memset(line.bl.has, 0, sizeof(line.bl.has));
	line_mark(&line);
	assert_int_equal(row->call(&line), row->call == get ? 0 : LOADER_UNSUPPORTED);
	assert_string_equal(line_sent(&line), row->call == get ? "00 FF" : "");
	line_end(&line);
}

static const struct {
	const char *name;
	CMUnitTestFunction test;
} of_each[] = {
	{"the bytes are those of the document", the_bytes_are_those_of_the_document},
	{"fault 56: refused at the command", fault_56_refused_at_the_command},
	{"fault 56: refused at a later stage", fault_56_refused_at_a_later_stage},
	{"fault 53: silence ends at the deadline", fault_53_silence_ends_at_the_deadline},
	{"a lost byte is noticed in time", a_lost_byte_is_noticed_in_time},
	{"a flipped bit is noticed", a_flipped_bit_is_noticed_where_it_can_be},
	{"fault 55: endless noise ends in time", fault_55_endless_noise_ends_in_time},
	{"not sent where Get does not list it", what_get_does_not_list_is_not_sent},
};

int main(void)
{
	static struct CMUnitTest tests[ARRAY_SIZE(of_each) * ARRAY_SIZE(exchanges)];
	static char names[ARRAY_SIZE(of_each) * ARRAY_SIZE(exchanges)][80];
	size_t n_tests = 0;

	for (size_t i = 0; i < ARRAY_SIZE(of_each); i++)
		for (size_t j = 0; j < ARRAY_SIZE(exchanges); j++) {
			char *name = names[i * ARRAY_SIZE(exchanges) + j];

			snprintf(name, sizeof(names[0]), "%s: %s", exchanges[j].name,
				of_each[i].name);
			tests[n_tests++] = (struct CMUnitTest){.name = name,
				.test_func = of_each[i].test,
				.initial_state = (void *)&exchanges[j]};
		}
	return RUN_TESTS("an3155", tests, n_tests);
}
