/* SPDX-License-Identifier: MIT */
/*
 * test-bursts.c - blocks that are sent in one go: when they are, what they save, and that nothing
 * comes of one that goes wrong.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "sim/bench.h"
#include "sim/calls.h"
#include "unit/rows.h"

#define HEAD 7 /* command, complement, address and sum */

static void fill(uint8_t *block, unsigned seed)
{
	uint32_t state = seed;

	for (size_t i = 0; i < AN3155_BLOCK; i++) {
		state = state * 1664525 + 1013904223;
		block[i] = (uint8_t)(state >> 24);
	}
}

/* A line whose ROM was seen to take bursts, with its first page erased. */
static void begin(struct line *line, const struct sim_faults *faults)
{
	const uint16_t page = 0;
	uint8_t known[4];

	line_begin_synced(line, "f103xc", NULL);
	assert_int_equal(an3155_erase_pages(&line->bl, &page, 1, ERASE_USEC), 0);
	assert_int_equal(an3155_read_memory(&line->bl, FLASH, known, sizeof(known)), 0);
	assert_int_equal(an3155_try_bursts(&line->bl, FLASH, known, sizeof(known)), 0);
	assert_int_equal(line->bl.bursts, AN3155_BURSTS_WORK);
	line_mark(line);
	if (faults)
		sim_set_faults(line->sim, faults);
}

static unsigned count_writes(void)
{
	return port_sim_record(LINE_PORT)->writes;
}

/* ------------------------------------------------------------------ what goes as a burst */

struct block_row {
	const char *name;
	uint32_t address;
	size_t at; /* these bytes in a block that is harmless */
	uint8_t bytes[3];
	bool is_burst;
};

static const struct block_row block_rows[] = {
	{"harmless", FLASH, 0, {1, 2, 3}, true},
	{"the count and its complement are no command", FLASH, 0, {0x00, 2, 3}, true},
	{"a command that the loader does not list is one all the same", FLASH, 9, {0x44, 0xBB, 0},
		false},
	{"Readout Protect", FLASH, 100, {0x82, 0x7D, 0}, false},
	{"Readout Protect, a byte between", FLASH, 100, {0x82, 0, 0x7D}, false},
	{"Readout Unprotect at the end", FLASH, 253, {0, 0x92, 0x6D}, false},
	{"Get, of which images are full", FLASH, 17, {0x00, 0xFF, 1}, false},
	{"what is none: FF 00", FLASH, 17, {0xFF, 0x00, 1}, true},
	{"a code beside another's complement", FLASH, 17, {0x82, 0x6D, 1}, true},
	{"an address that looks like Get", FLASH + 0xFF00, 0, {1, 2, 3}, false},
};

static void a_block_that_holds_a_command_goes_turn_by_turn(void **state)
{
	const struct block_row *row = *state;
	uint8_t block[AN3155_BLOCK], got[AN3155_BLOCK];
	struct line line;
	unsigned before;

	begin(&line, NULL);
	memset(block, 0x33, sizeof(block));
	memcpy(block + row->at, row->bytes, sizeof(row->bytes));
	before = count_writes();
	assert_int_equal(
		an3155_write_memory(&line.bl, row->address, block, sizeof(block), WORK_USEC), 0);
	assert_int_equal(count_writes() - before, row->is_burst ? 1 : 3);
	assert_int_equal(an3155_read_memory(&line.bl, row->address, got, sizeof(got)), 0);
	assert_memory_equal(got, block, sizeof(block));
	assert_int_equal(line.bl.bursts, AN3155_BURSTS_WORK);
	assert_int_equal(sim_counters(line.sim)->overruns, 0);
	line_end(&line);
}

/* The checksum is the last byte of a burst, and may be the complement of the one before. */
static void a_checksum_can_make_a_command(void **state)
{
	uint8_t block[AN3155_BLOCK];
	struct line line;
	unsigned before;

	(void)state;
	begin(&line, NULL);
	memset(block, 0x33, sizeof(block));
	block[255] = 0x82;
	/* The count FF, this one, 254 times 33 and 82: the XOR of all is to be 7D. */
	block[0] = 0xFF ^ 0x82 ^ 0x7D;
	before = count_writes();
	assert_int_equal(an3155_write_memory(&line.bl, FLASH, block, sizeof(block), WORK_USEC), 0);
	assert_string_equal(strrchr(line_sent(&line), ' '), " 7D");
	assert_int_equal(count_writes() - before, 3);
	line_end(&line);
}

static void a_count_that_is_a_command_goes_turn_by_turn(void **state)
{
	uint8_t got[AN3155_BLOCK];
	struct line line;

	(void)state;
	begin(&line, NULL);
	for (size_t n = 1; n <= AN3155_BLOCK; n++) {
		unsigned before = count_writes();
		/* Whatever is there, F103 has Get to Readout Unprotect, and Extended Erase not. */
		bool is_command = line.bl.has[n - 1] || n - 1 == 0x44 || n - 1 == 0x50 ||
				  n - 1 == 0x51 || n - 1 == 0xA1;

		assert_int_equal(an3155_read_memory(&line.bl, FLASH + 0x100, got, n), 0);
		assert_int_equal(count_writes() - before, is_command ? 3 : 1);
	}
	line_end(&line);
}

/* ------------------------------------------------------------------ what comes of a bad one */

static void assert_nothing_obeyed_but(struct line *line, const struct sim_counters *before)
{
	const struct sim_counters *counters = sim_counters(line->sim);

	for (unsigned code = 0; code < 256; code++)
		if (code != AN3155_READ_MEMORY && code != AN3155_WRITE_MEMORY &&
			code != AN3155_GET && counters->commands[code] != before->commands[code])
			fail_msg("command %02x was obeyed", code);
	assert_int_equal(counters->unprotects, 0);
	assert_int_equal(counters->mass_erases, before->mass_erases);
	assert_int_equal(counters->pages_erased, before->pages_erased);
}

static void lose(struct sim_faults *faults, uint64_t nth)
{
	faults->drop_received = nth;
}

static void bend(struct sim_faults *faults, uint64_t nth)
{
	faults->flip_received = nth;
}

static void twice(struct sim_faults *faults, uint64_t nth)
{
	faults->double_received = nth;
}

static void refuse(struct sim_faults *faults, uint64_t nth)
{
	faults->nack_command = nth;
}

static void answer_lost(struct sim_faults *faults, uint64_t nth)
{
	faults->drop_sent = nth;
}

struct bad_row {
	const char *name;
	void (*set)(struct sim_faults *faults, uint64_t nth);
	unsigned n_places; /* in a burst of each kind: write, read */
	unsigned n_places_of_read;
};

static const struct bad_row bad_rows[] = {
	{"a byte of a burst is lost", lose, HEAD + 258, HEAD + 2},
	{"a byte of a burst is bent", bend, HEAD + 258, HEAD + 2},
	{"a byte of a burst comes twice", twice, HEAD + 258, HEAD + 2},
	{"the command of a burst is refused", refuse, 1, 1},
	{"an ACK of a burst is lost", answer_lost, 3, 3},
};

/* Of random bytes, so that one block in ten goes turn by turn. */
static void nothing_comes_of_a_bad_write(const struct bad_row *row)
{
	for (unsigned nth = 1; nth <= row->n_places; nth++) {
		struct sim_faults faults = {0};
		struct sim_counters before;
		uint8_t block[AN3155_BLOCK];
		struct line line;

		row->set(&faults, nth);
		begin(&line, &faults);
		fill(block, nth);
		before = *sim_counters(line.sim);
		(void)an3155_write_memory(&line.bl, FLASH + 0x400, block, sizeof(block), WORK_USEC);
		assert_nothing_obeyed_but(&line, &before);
		line_end(&line);
	}
}

static void a_bad_read_is_read_again(const struct bad_row *row)
{
	for (unsigned nth = 1; nth <= row->n_places_of_read; nth++) {
		struct sim_faults faults = {0};
		uint8_t block[AN3155_BLOCK];
		struct sim_counters before;
		struct line line;

		row->set(&faults, nth);
		begin(&line, &faults);
		fill(sim_flash(line.sim) + 0x400, nth);
		before = *sim_counters(line.sim);
		assert_int_equal(
			an3155_read_memory(&line.bl, FLASH + 0x400, block, sizeof(block)), 0);
		assert_memory_equal(block, sim_flash(line.sim) + 0x400, sizeof(block));
		assert_nothing_obeyed_but(&line, &before);
		/* The last byte twice is half a pair behind a read that was good. */
		if (row->set != twice || nth < row->n_places_of_read) {
			assert_int_equal(line.bl.bursts, AN3155_BURSTS_FAIL);
			assert_int_equal(an3155_get_id(&line.bl, &(uint16_t){0}), 0);
		}
		line_end(&line);
	}
}

static void nothing_comes_of_a_bad_burst(void **state)
{
	nothing_comes_of_a_bad_write(*state);
	a_bad_read_is_read_again(*state);
}

/* ------------------------------------------------------------------ ROMs that do not take them */

/* Three bytes long deaf after a frame: the second byte of what follows is lost. */
static const struct sim_faults slow_rom = {.slow_sent_nsec = 300000};

static void a_rom_that_takes_no_bursts_is_left_in_step(void **state)
{
	uint8_t known[4], block[AN3155_BLOCK];
	struct line line;
	unsigned before;

	(void)state;
	line_begin_synced(&line, "f103xc", &slow_rom);
	fill(sim_flash(line.sim), 1);
	assert_int_equal(an3155_read_memory(&line.bl, FLASH, known, sizeof(known)), 0);
	assert_int_equal(an3155_try_bursts(&line.bl, FLASH, known, sizeof(known)), 0);
	assert_int_equal(line.bl.bursts, AN3155_BURSTS_FAIL);
	assert_true(sim_counters(line.sim)->overruns > 0);
	before = count_writes();
	assert_int_equal(an3155_read_memory(&line.bl, FLASH, block, sizeof(block)), 0);
	assert_memory_equal(block, sim_flash(line.sim), sizeof(block));
	assert_int_equal(count_writes() - before, 3);
	/* And not tried again. */
	before = count_writes();
	assert_int_equal(an3155_try_bursts(&line.bl, FLASH, known, sizeof(known)), 0);
	assert_int_equal(count_writes(), before);
	line_end(&line);
}

struct update_row {
	const char *name;
	const char *rule;
	struct sim_faults faults;
	enum outcome outcome;
	unsigned attempts;
	bool in_bursts;
};

static const struct update_row update_rows[] = {
	{"an update in bursts", "", {0}, OUTCOME_UPDATED, 1, true},
	{"an update where bursts are not wanted", "\nbursts = no", {0}, OUTCOME_UPDATED, 1, false},
	{"an update of a chip that takes none", "", {.slow_sent_nsec = 300000}, OUTCOME_UPDATED, 1,
		false},
	{"a write that lost a byte is begun again, turn by turn", "", {.drop_received = 700},
		OUTCOME_UPDATED, 2, false},
};

static void an_update_ends_well(void **state)
{
	const struct update_row *row = *state;
	const struct sim_options options = {.chip = sim_chip_find("f103xc"), .faults = row->faults};
	CLEANUP(freep) char *rule = NULL;
	struct bench *bench;
	unsigned n_writes, n_blocks;

	assert_true(asprintf(&rule, "chip = F103xC%s", row->rule) > 0);
	bench = bench_new_with(&options, rule);
	bench_take_bytes(bench, FLASH, 50 * 256, 3);
	if (bench_run(bench, FLASH_UPDATE) != row->outcome)
		fail_msg("%s", bench->report.reason.text);
	assert_true(bench_holds_image(bench));
	assert_int_equal(bench->report.entries, row->attempts);
	n_writes = port_sim_record(BENCH_PORT)->writes;
	n_blocks =
		sim_counters(bench->sim)->commands[0x11] + sim_counters(bench->sim)->commands[0x31];
	if (row->in_bursts)
		assert_true(n_writes < 2 * n_blocks);
	else
		assert_true(n_writes > 2 * n_blocks);
	bench_free(bench);
}

/* What the bus takes where each way costs a frame of 1 ms. */
static void bursts_save_turns(void **state)
{
	static const char *const rules[] = {"bursts = no", "bursts = yes"};
	double floor_s = 2 * 1024 * 268 * 11 / 115200.0 + 1024 * 128 * 52.5e-6 + 0.03;
	double took_s[2];

	(void)state;
	for (unsigned i = 0; i < 2; i++) {
		CLEANUP(freep) char *rule = NULL;
		struct bench *bench;

		assert_true(asprintf(&rule, "chip = F103xC\nupdate = always\n%s", rules[i]) > 0);
		bench = bench_new("f103xc", rule);
		bench_take_bytes(bench, FLASH, 256 * 1024, 9);
		took_s[i] = -(double)bench_msec(bench) / 1000;
		assert_int_equal(bench_run(bench, FLASH_UPDATE), OUTCOME_UPDATED);
		took_s[i] += (double)bench_msec(bench) / 1000;
		bench_free(bench);
	}
	print_message("# figure: 256 KiB, F103xC, 115200 baud, 1 ms from and to the chip: turn by "
		      "turn %.2f s, in bursts %.2f s; floor %.2f s, ratios %.3f and %.3f\n",
		took_s[0], took_s[1], floor_s, took_s[0] / floor_s, took_s[1] / floor_s);
	assert_true(took_s[1] < floor_s * 1.1);
}

int main(void)
{
	struct CMUnitTest tests[40];
	size_t n_tests = 0;

	ADD_ROWS(tests, n_tests, block_rows, a_block_that_holds_a_command_goes_turn_by_turn);
	ADD_TEST(tests, n_tests, a_checksum_can_make_a_command);
	ADD_TEST(tests, n_tests, a_count_that_is_a_command_goes_turn_by_turn);
	ADD_ROWS(tests, n_tests, bad_rows, nothing_comes_of_a_bad_burst);
	ADD_TEST(tests, n_tests, a_rom_that_takes_no_bursts_is_left_in_step);
	ADD_ROWS(tests, n_tests, update_rows, an_update_ends_well);
	ADD_TEST(tests, n_tests, bursts_save_turns);
	return RUN_TESTS("bursts", tests, n_tests);
}
