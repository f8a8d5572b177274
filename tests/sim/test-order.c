/* SPDX-License-Identifier: MIT */
/*
 * test-order.c - nothing startable is in the flash before all else was verified: not at any moment
 * of an update, not on a flash with a bit that cannot be written.
 */
#include "bench.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "unit/rows.h"

#define FLASH_BASE UINT32_C(0x08000000)
#define START_SIZE 8

static const struct order_row {
	const char *name; /* of the simulated chip */
	const char *rule;
	uint32_t last_frame; /* bytes */
	uint32_t address;
} order_rows[] = {
	{"f103c8", "chip = 0x410", 8, 0x08000000},
	{"f103xc", "chip = 0x414", 8, 0x08000000},
	{"f405", "chip = 0x413", 8, 0x08000000},
	{"f072", "chip = 0x448", 8, 0x08000000},
	{"l152", "chip = 0x416", 8, 0x08000000},
	{"l412", "chip = 0x464", 8, 0x08000000},
	{"h743", "chip = 0x450", 32, 0x08000000},
	{"g0b1", "chip = 0x467", 8, 0x08000000},
	{"g474", "chip = 0x469", 8, 0x08000000},
	{"u575", "chip = 0x482", 16, 0x08000000},
	{"wle5-v33", "chip = 0x497", 8, 0x08000000},
	/* Behind a boot loader; with a number for each unit beside the vectors. */
	{"f103xc", "chip = 0x414\naddress = 0x08004000", 8, 0x08004000},
	{"h743", "chip = 0x450\nserialize = 0x08000100+8 decimal 1", 32, 0x08000000},
};

struct watch {
	struct bench *bench;
	uint8_t erased;
	uint32_t offset; /* of the image */
	uint32_t last_frame;
	bool was_blank;
	unsigned n_startable;
};

static bool is_blank(const struct watch *watch)
{
	const uint8_t *start = sim_flash(watch->bench->sim) + watch->offset;

	for (unsigned i = 0; i < START_SIZE; i++)
		if (start[i] != watch->erased)
			return false;
	return true;
}

/* All but the last frame, which one has to write to know of it. */
static bool rest_is_whole(const struct watch *watch)
{
	const struct segment *segment = &watch->bench->image.segments[0];
	uint32_t n = watch->last_frame < segment->size ? watch->last_frame : segment->size;

	return memcmp(sim_flash(watch->bench->sim) + watch->offset + n, segment->data + n,
		       segment->size - n) == 0;
}

/* From the erase on: while anything differs the first words are blank. */
static void on_progress(void *userdata, const struct progress *progress)
{
	struct watch *watch = userdata;

	(void)progress;
	watch->was_blank = watch->was_blank || is_blank(watch);
	if (!watch->was_blank || is_blank(watch))
		return;
	watch->n_startable++;
	assert_true(rest_is_whole(watch));
}

/* Some number for the unit. */
static void answer(
	void *userdata, enum question question, const struct report *so_far, struct answer *ret)
{
	struct watch *watch = userdata;

	(void)so_far;
	if (question != QUESTION_DECIDE || watch->bench->board.serialize.form == PROVISION_NONE)
		return;
	ret->n_data = watch->bench->board.serialize.size;
	memset(ret->data, '7', ret->n_data);
}

static struct bench *watched_board(const struct order_row *row, const struct sim_faults *faults,
	uint32_t size, struct watch *watch)
{
	const struct sim_options options = {.chip = sim_chip_find(row->name),
		.faults = faults ? *faults : (struct sim_faults){0}};
	struct bench *bench = bench_new_with(&options, row->rule);

	*watch = (struct watch){.bench = bench,
		.erased = options.chip->erased_value,
		.offset = row->address - FLASH_BASE,
		.last_frame = row->last_frame};
	bench_take_bytes(bench, row->address, size, 3);
	bench_preload(bench);
	bench_take_bytes(bench, row->address, size, 4);
	bench->on_progress = on_progress;
	bench->ask = answer;
	bench->userdata = watch;
	return bench;
}

/* Bytes in the last Write Memory frame that starts at the address; all frames there are counted. */
static uint32_t last_frame(uint32_t address, unsigned *ret_n)
{
	const struct port_sim_record *record = port_sim_record(BENCH_PORT);
	const uint8_t head[] = {0x31, 0xCE, (uint8_t)(address >> 24), (uint8_t)(address >> 16),
		(uint8_t)(address >> 8), (uint8_t)address};
	uint32_t size = 0;

	*ret_n = 0;
	for (size_t i = 0; i + 8 <= record->n_sent; i++) {
		size_t n = 0;

		while (n < sizeof(head) && record->sent[i + n].byte == head[n])
			n++;
		if (n < sizeof(head))
			continue;
		size = record->sent[i + 7].byte + 1u;
		(*ret_n)++;
	}
	return size;
}

static void the_smallest_frame_comes_last_of_all(void **state)
{
	const struct order_row *row = *state;
	struct watch watch;
	struct bench *bench = watched_board(row, NULL, 3000, &watch);
	unsigned n_frames;

	if (bench_run(bench, FLASH_UPDATE) != OUTCOME_UPDATED)
		fail_msg("%s", bench->report.reason.text);
	assert_true(bench_holds_image(bench));
	assert_true(watch.was_blank);
	assert_true(watch.n_startable > 0);
	assert_int_equal(last_frame(row->address, &n_frames), row->last_frame);
	assert_int_equal(n_frames, 1);
	assert_int_equal(sim_counters(bench->sim)->bad_writes, 0);
	bench_free(bench);
}

/* One bit that cannot be written, anywhere: what is there is not the image, and is not started. */
static void a_wrong_image_never_runs(void **state)
{
	const struct order_row *row = *state;
	static const uint32_t offsets[] = {0, 4, 8, 0x1C, 0x40, 0xFF, 0x100, 2999};

	for (size_t i = 0; i < ARRAY_SIZE(offsets); i++) {
		const struct sim_faults faults = {.stuck_address = row->address + offsets[i]};
		struct watch watch;
		struct bench *bench = watched_board(row, &faults, 3000, &watch);
		enum outcome outcome = bench_run(bench, FLASH_UPDATE);

		/* The bit that is stuck may be one that the image wants so. */
		if (outcome != OUTCOME_UPDATED) {
			assert_int_equal(outcome, OUTCOME_VERIFY_DIFFERS);
			assert_true(is_blank(&watch));
			assert_int_equal(bench->report.address, row->address + offsets[i]);
			assert_false(
				row->address == FLASH_BASE && sim_application_is_sane(bench->sim));
		} else {
			assert_true(bench_holds_image(bench));
		}
		bench_free(bench);
	}
}

static void a_bit_that_is_stuck_is_found(void **state)
{
	unsigned n_found = 0;

	(void)state;
	for (uint32_t offset = 0; offset < 64; offset += 4) {
		const struct sim_faults faults = {.stuck_address = FLASH_BASE + offset};
		struct watch watch;
		struct bench *bench = watched_board(&order_rows[1], &faults, 600, &watch);

		n_found += bench_run(bench, FLASH_UPDATE) == OUTCOME_VERIFY_DIFFERS;
		bench_free(bench);
	}
	/* Half of the bits of random bytes are what the stuck one is. */
	assert_true(n_found >= 4);
}

/* Whatever the size, every byte is written and read back, and the frame is not longer than it. */
static void small_images_are_whole(void **state)
{
	(void)state;
	for (uint32_t size = 9; size <= 70; size++)
		for (size_t i = 0; i < 11; i++) {
			struct watch watch;
			struct bench *bench = watched_board(&order_rows[i], NULL, size, &watch);

			/* Their code would be outside of them. */
			bench->board.check_vectors = false;
			if (bench_run(bench, FLASH_UPDATE) != OUTCOME_UPDATED)
				fail_msg("%s, %u bytes: %s", order_rows[i].name, size,
					bench->report.reason.text);
			assert_true(bench_holds_image(bench));
			assert_int_equal(bench->report.bytes, size);
			bench_free(bench);
		}
}

int main(void)
{
	struct CMUnitTest tests[40];
	size_t n_tests = 0;

	ADD_ROWS(tests, n_tests, order_rows, the_smallest_frame_comes_last_of_all);
	ADD_ROWS(tests, n_tests, order_rows, a_wrong_image_never_runs);
	ADD_TEST(tests, n_tests, a_bit_that_is_stuck_is_found);
	ADD_TEST(tests, n_tests, small_images_are_whole);
	return RUN_TESTS("order", tests, n_tests);
}
