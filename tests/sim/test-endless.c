/* SPDX-License-Identifier: MIT */
/*
 * test-endless.c - a boot loader that does not come to an end: it begins to send without a pause,
 * acknowledges more than it was asked, or gives each answer just in time. Every job ends all the
 * same, and says what is true of the flash.
 */
#include "bench.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "unit/rows.h"

#define F103 "chip = F103xC"

/* Five attempts of two tries each, of which one meets the chip for a quarter of a minute at most.
 */
#define AT_MOST_MSEC (4 * 60 * 1000)

static struct bench *old_board(const struct sim_faults *faults)
{
	const struct sim_options options = {.chip = sim_chip_find("f103xc"), .faults = *faults};
	struct bench *bench = bench_new_with(&options, F103);

	bench_take_file(bench, FIRMWARE_OLD);
	bench_preload(bench);
	bench_take_file(bench, FIRMWARE_NEW);
	return bench;
}

/* Runs the action; returns how long it took. */
static uint64_t run_to_its_end(
	const struct sim_faults *faults, enum flash_action action, enum outcome *ret)
{
	struct bench *bench = old_board(faults);
	uint64_t begin = bench_msec(bench), took;
	const struct sim_faults none = {0};

	bench->read_address = 0x08000000;
	bench->read_size = 2048;
	*ret = bench_run(bench, action);
	took = bench_msec(bench) - begin;
	assert_in_range(took, 0, AT_MOST_MSEC);
	assert_int_equal(sim_counters(bench->sim)->unprotects, 0);
	if (action == FLASH_UPDATE && *ret == OUTCOME_UPDATED)
		assert_true(bench_holds_image(bench));
	assert_true(*ret != OUTCOME_WRONG_CHIP && *ret != OUTCOME_PROTECTED);
	/* Where it is not whole, it is not startable. */
	sim_set_faults(bench->sim, &none);
	if (action == FLASH_UPDATE && bench_erases(bench) > 0 && !bench_holds_image(bench)) {
		assert_true(bench->report.has_erased);
		assert_false(sim_application_is_sane(bench->sim));
	}
	bench_free(bench);
	return took;
}

static void a_stream_that_begins_anywhere_ends_the_job(void **state)
{
	static const enum flash_action actions[] = {FLASH_UPDATE, FLASH_VERIFY, FLASH_READ};
	unsigned n_runs = 0;
	uint64_t longest = 0;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(actions); i++)
		for (uint64_t after = 1; after < 1500; after += 41) {
			const struct sim_faults acks = {.ack_stream = true, .babble_after = after};
			const struct sim_faults noise = {
				.garbage = true, .babble_after = after, .seed = (unsigned)after};
			enum outcome outcome;
			uint64_t took = run_to_its_end(&acks, actions[i], &outcome);

			assert_int_not_equal(outcome, OUTCOME_UPDATED);
			longest = took > longest ? took : longest;
			took = run_to_its_end(&noise, actions[i], &outcome);
			assert_int_not_equal(outcome, OUTCOME_UPDATED);
			longest = took > longest ? took : longest;
			n_runs += 2;
		}
	print_message("# figure: %u streams, the longest job %llu s of the line\n", n_runs,
		(unsigned long long)(longest / 1000));
}

static const struct slow_row {
	const char *name;
	struct sim_faults faults;
	bool may_succeed;
} slow_rows[] = {
	{"one ACK more behind each", {.more_acks = 1}, true},
	{"three ACKs more behind each", {.more_acks = 3}, true},
	{"a hundred ACKs more behind each", {.more_acks = 100}, true},
	{"each ACK takes a third of a second", {.slow_ack_nsec = UINT64_C(333000000)}, true},
	{"each ACK takes a second", {.slow_ack_nsec = UINT64_C(1000000000)}, false},
	{"each ACK comes just in time", {.slow_ack_nsec = UINT64_C(1450000000)}, false},
	{"each byte takes a tenth of a second", {.slow_sent_nsec = UINT64_C(90000000)}, false},
	{"each byte takes some milliseconds", {.slow_sent_nsec = UINT64_C(5000000)}, true},
};

static void a_slow_or_talkative_loader_ends_the_job(void **state)
{
	const struct slow_row *row = *state;
	enum outcome outcome;

	(void)run_to_its_end(&row->faults, FLASH_UPDATE, &outcome);
	if (!row->may_succeed)
		assert_int_not_equal(outcome, OUTCOME_UPDATED);
	(void)run_to_its_end(&row->faults, FLASH_READ, &outcome);
	(void)run_to_its_end(&row->faults, FLASH_PROBE, &outcome);
}

int main(void)
{
	struct CMUnitTest tests[20];
	size_t n_tests = 0;

	ADD_TEST(tests, n_tests, a_stream_that_begins_anywhere_ends_the_job);
	ADD_ROWS(tests, n_tests, slow_rows, a_slow_or_talkative_loader_ends_the_job);
	return RUN_TESTS("endless", tests, n_tests);
}
