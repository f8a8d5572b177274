/* SPDX-License-Identifier: MIT */
/*
 * test-today.c - the counts of the day and of a batch as the service keeps them: changed by each
 * end alone, they are what the store comes to. The clock is the test's.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <time.h>

#include "base/clock.h"
#include "base/util.h"
#include "service/midnight.h"
#include "service/records.h"
#include "unit/store-bench.h"

#define HOUR_MSEC INT64_C(3600000)
#define DAY_MSEC  (24 * HOUR_MSEC)
/* 2026-11-01, six in the morning, UTC: the zone of this test. */
#define MORNING (INT64_C(1793491200000) + 6 * HOUR_MSEC)

static int64_t now_ms = MORNING;

uint64_t monotonic_usec(void)
{
	return (uint64_t)now_ms * 1000;
}

uint64_t uptime_usec(void)
{
	return monotonic_usec();
}

int64_t realtime_usec(void)
{
	return now_ms * 1000;
}

void clock_sleep(uint64_t usec)
{
	(void)usec;
	fail_msg("nothing waits here");
}

/* --------------------------------------------------------------------------------- the bench */

static struct records open_records(const char *directory)
{
	struct records records = {.directory = NULL};

	assert_int_equal(records_open(&records, directory), 0);
	return records;
}

/* As records_begin() and records_end() do; `unit` 0: the chip did not say its id. */
static void attempt(
	struct records *records, unsigned unit, int64_t plug, unsigned image, enum outcome outcome)
{
	static unsigned number;
	struct store_rows rows = {
		.attempt = make_attempt(unit, ++number, false), .has_attempt = true};
	struct store_attempt *row = &rows.attempt;

	row->started_ms = now_ms;
	row->plug = plug;
	snprintf(row->usb_path, sizeof(row->usb_path), "pci-0");
	snprintf(row->key, sizeof(row->key), "usb 10c4:ea60 '0001' at pci-0");
	assert_true(records_save(records, &rows) || !records->store);
	if (unit > 0)
		snprintf(row->key, sizeof(row->key), "stm32:0x410 %024x", unit);
	now_ms += 1000;
	row->ended_ms = now_ms;
	row->report.outcome = outcome;
	row->report.phase = PHASE_CONFIRM;
	row->report.error = 0;
	make_sha256(image, row->report.sha256);
	records_count_end(records, row);
	(void)records_save(records, &rows);
}

static void assert_today(struct records *records, const char *day, unsigned first_pass,
	unsigned retried, unsigned bad)
{
	const struct day_counts *today = records_today(records);

	if (strcmp(today->day, day) != 0 || today->first_pass != first_pass ||
		today->retried != retried || today->bad != bad)
		fail_msg("%s %u/%u/%u, expected %s %u/%u/%u", today->day, today->first_pass,
			today->retried, today->bad, day, first_pass, retried, bad);
}

/* ------------------------------------------------------------------------------------- tests */

static void the_day_is_counted_as_it_goes(void **state)
{
	const char *directory = fresh_directory();
	struct records records = open_records(directory);

	(void)state;
	now_ms = MORNING;
	assert_today(&records, "2026-11-01", 0, 0, 0);
	attempt(&records, 1, 1, 1, OUTCOME_UPDATED);
	assert_today(&records, "2026-11-01", 1, 0, 0);
	attempt(&records, 2, 2, 1, OUTCOME_WRITE_FAILED);
	attempt(&records, 0, 3, 1, OUTCOME_NO_SYNC);
	assert_today(&records, "2026-11-01", 1, 0, 2);
	assert_int_equal(records_today(&records)->outcomes[OUTCOME_NO_SYNC], 1);
	attempt(&records, 2, 4, 1, OUTCOME_UPDATED);
	attempt(&records, 3, 3, 1, OUTCOME_UPDATED);
	assert_today(&records, "2026-11-01", 1, 2, 0);
	assert_int_equal(records_today(&records)->outcomes[OUTCOME_NO_SYNC], 0);
	assert_int_equal(records_today(&records)->outcomes[OUTCOME_UPDATED], 3);
	attempt(&records, 1, 5, 1, OUTCOME_CURRENT);
	attempt(&records, 4, 6, 1, OUTCOME_NOT_CONFIRMED);
	assert_today(&records, "2026-11-01", 1, 2, 1);
	/* The service is started anew. */
	records_close(&records);
	records = open_records(directory);
	assert_today(&records, "2026-11-01", 1, 2, 1);
	/* Midnight; the unit that was bad is good, and retried today. */
	now_ms = MORNING + DAY_MSEC;
	assert_today(&records, "2026-11-02", 0, 0, 0);
	attempt(&records, 4, 7, 1, OUTCOME_UPDATED);
	attempt(&records, 1, 8, 1, OUTCOME_CURRENT);
	assert_today(&records, "2026-11-02", 0, 1, 0);
	/* The clock is set back, and forward. */
	now_ms = MORNING + 12 * HOUR_MSEC;
	assert_today(&records, "2026-11-01", 1, 2, 0);
	now_ms = MORNING + 12 * HOUR_MSEC + 3 * DAY_MSEC;
	assert_today(&records, "2026-11-04", 0, 0, 0);
	records_close(&records);
}

static uint32_t random_below(uint32_t *seed, uint32_t bound)
{
	*seed = *seed * 1664525 + 1013904223;
	return (*seed >> 8) % bound;
}

static void assert_as_in_store(struct records *records, unsigned step)
{
	const struct day_counts *today = records_today(records);
	const struct store_filter filter = {
		.since_ms = today->from_ms, .until_ms = today->until_ms};
	CLEANUP(count_cells_done) struct count_cells cells = {0};
	struct day_counts sum = {.first_pass = 0};
	struct reason reason = {0};

	assert_int_equal(store_count(records->store, &filter, 0, &cells, &reason), 0);
	for (size_t i = 0; i < cells.n_items; i++)
		day_counts_join(&sum, &cells.items[i].counts);
	if (sum.first_pass != today->first_pass || sum.retried != today->retried ||
		sum.bad != today->bad ||
		memcmp(sum.outcomes, today->outcomes, sizeof(sum.outcomes)) != 0)
		fail_msg("step %u: %u/%u/%u in memory, %u/%u/%u in the store", step,
			today->first_pass, today->retried, today->bad, sum.first_pass, sum.retried,
			sum.bad);
}

/* Few units and plug-ins, so that all that may follow one another does. */
static void what_is_in_memory_is_what_the_store_comes_to(void **state)
{
	static const enum outcome outcomes[] = {OUTCOME_UPDATED, OUTCOME_UPDATED, OUTCOME_CURRENT,
		OUTCOME_WRITE_FAILED, OUTCOME_NO_SYNC, OUTCOME_CANCELLED};
	struct records records = open_records(fresh_directory());
	uint32_t seed = 12;

	(void)state;
	now_ms = MORNING;
	for (unsigned step = 0; step < 150; step++) {
		unsigned unit = random_below(&seed, 6), image = 1 + random_below(&seed, 2);
		int64_t plug = random_below(&seed, 40);

		attempt(&records, unit, plug, image,
			outcomes[random_below(&seed, ARRAY_SIZE(outcomes))]);
		now_ms += random_below(&seed, 4 * HOUR_MSEC);
		assert_as_in_store(&records, step);
	}
	records_close(&records);
}

/* Nothing can be kept: each attempt is that of a new unit, and the day is counted all the same. */
static void without_a_store_the_day_is_counted_too(void **state)
{
	struct records records = {.directory = NULL};

	(void)state;
	now_ms = MORNING;
	assert_int_equal(records_open(&records, "/nowhere/at/all"), 0);
	assert_null(records.store);
	attempt(&records, 1, 1, 1, OUTCOME_UPDATED);
	attempt(&records, 2, 2, 1, OUTCOME_WRITE_FAILED);
	assert_today(&records, "2026-11-01", 1, 0, 1);
	now_ms = MORNING + DAY_MSEC;
	attempt(&records, 3, 3, 1, OUTCOME_UPDATED);
	assert_today(&records, "2026-11-02", 1, 0, 0);
	records_close(&records);
}

/* ------------------------------------------------------------------------------- a batch */

static void begin_batch(struct records *records, uint32_t count)
{
	const struct batch batch = {.board = "gate", .count = count, .started_ms = now_ms};

	assert_int_equal(records_begin_batch(records, &batch), 0);
}

static void restart(struct records *records, const char *directory)
{
	records_close(records);
	*records = open_records(directory);
	(void)records_recall_batch(records);
}

static void each_unit_counts_once_in_a_batch(void **state)
{
	static const struct {
		const char *name;
		unsigned unit;
		int64_t plug;
		unsigned image;
		enum outcome outcome;
		uint32_t done;
	} steps[] = {
		{"known good before", 1, 1, 1, OUTCOME_CURRENT, 0},
		{"updated", 2, 2, 1, OUTCOME_UPDATED, 1},
		{"the same once more", 2, 3, 1, OUTCOME_CURRENT, 1},
		{"with another image", 2, 4, 2, OUTCOME_UPDATED, 1},
		{"found good, and not known", 3, 5, 1, OUTCOME_CURRENT, 2},
		{"failed", 4, 6, 1, OUTCOME_WRITE_FAILED, 2},
		{"and good then", 4, 7, 1, OUTCOME_UPDATED, 3},
		{"without an id", 0, 8, 1, OUTCOME_UPDATED, 4},
		{"in the same plug-in", 0, 8, 1, OUTCOME_UPDATED, 4},
		{"in another", 0, 9, 1, OUTCOME_UPDATED, 5},
		{"and found so", 0, 10, 1, OUTCOME_CURRENT, 5},
		{"known good before, and written", 1, 11, 1, OUTCOME_UPDATED, 6},
		{"bad before, and found good", 5, 12, 1, OUTCOME_CURRENT, 7},
	};
	const char *directory = fresh_directory();
	struct records records = open_records(directory);

	(void)state;
	now_ms = MORNING;
	attempt(&records, 1, 90, 1, OUTCOME_UPDATED);
	attempt(&records, 5, 91, 1, OUTCOME_WRITE_FAILED);
	begin_batch(&records, 10);
	for (size_t i = 0; i < ARRAY_SIZE(steps); i++) {
		attempt(&records, steps[i].unit, steps[i].plug, steps[i].image, steps[i].outcome);
		if (records.batch.done != steps[i].done)
			fail_msg("%s: %u, expected %u", steps[i].name, records.batch.done,
				steps[i].done);
		restart(&records, directory);
		if (records.batch.done != steps[i].done)
			fail_msg("%s: after a restart %u, expected %u", steps[i].name,
				records.batch.done, steps[i].done);
	}
	assert_string_equal(records.batch.board, "gate");
	assert_int_equal(records.batch.count, 10);
	assert_true(records.batch.started_ms > MORNING);
	records_end_batch(&records);
	restart(&records, directory);
	assert_string_equal(records.batch.board, "");
	records_close(&records);
}

/* It was begun before the batch was, and ends within. */
static void an_attempt_that_runs_already_is_not_of_the_batch(void **state)
{
	const char *directory = fresh_directory();
	struct records records = open_records(directory);
	struct store_rows rows = {.attempt = make_attempt(1, 77, false), .has_attempt = true};

	(void)state;
	assert_true(records_save(&records, &rows));
	begin_batch(&records, 1);
	rows.attempt.ended_ms = now_ms;
	records_count_end(&records, &rows.attempt);
	assert_true(records_save(&records, &rows));
	assert_int_equal(records.batch.done, 0);
	restart(&records, directory);
	assert_int_equal(records.batch.done, 0);
	records_close(&records);
}

static void a_batch_of_all_histories_is_the_same_after_a_restart(void **state)
{
	static const enum outcome outcomes[] = {
		OUTCOME_UPDATED, OUTCOME_CURRENT, OUTCOME_WRITE_FAILED, OUTCOME_NO_SYNC};
	const char *directory = fresh_directory();
	struct records records = open_records(directory);
	uint32_t seed = 5;

	(void)state;
	now_ms = MORNING;
	for (unsigned step = 0; step < 100; step++) {
		unsigned unit = random_below(&seed, 20);
		uint32_t done;

		if (step == 20)
			begin_batch(&records, 500);
		attempt(&records, unit, random_below(&seed, 20), 1 + random_below(&seed, 2),
			outcomes[random_below(&seed, ARRAY_SIZE(outcomes))]);
		done = records.batch.done;
		restart(&records, directory);
		if (records.batch.done != done)
			fail_msg("step %u: %u, after a restart %u", step, done, records.batch.done);
	}
	assert_in_range(records.batch.done, 5, 80);
	records_close(&records);
}

/* Somebody takes the store away: what was done stays done, and is kept in the one that follows. */
static void a_batch_goes_on_in_another_store(void **state)
{
	const char *directory = fresh_directory();
	struct records records = open_records(directory);
	char path[400];

	(void)state;
	begin_batch(&records, 10);
	attempt(&records, 1, 1, 1, OUTCOME_UPDATED);
	attempt(&records, 2, 2, 1, OUTCOME_UPDATED);
	snprintf(path, sizeof(path), "%s/" STORE_NAME, directory);
	assert_int_equal(unlink(path), 0);
	attempt(&records, 3, 3, 1, OUTCOME_UPDATED);
	attempt(&records, 4, 4, 1, OUTCOME_UPDATED);
	assert_int_equal(records.batch.done, 4);
	restart(&records, directory);
	assert_string_equal(records.batch.board, "gate");
	assert_int_equal(records.batch.done, 4);
	records_close(&records);
}

static void what_is_no_batch_is_none(void **state)
{
	static const char *const texts[] = {"", "5", "5 1 1 0", "5 1 1 0 ", "0 1 1 0 gate",
		"50001 1 1 0 gate", "5 1 1 50001 gate", "-5 1 1 0 gate", "5 1  1 0 gate",
		"5 99999999999999999999 1 0 gate", "5 1 1 x gate",
		"5 1 1 0 0123456789012345678901234567890123456789012345678901234567890123"};
	struct batch batch = {.board = "as it was"};
	char text[200];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++)
		if (batch_from_text(texts[i], &batch) == 0)
			fail_msg("'%s' is taken", texts[i]);
	assert_string_equal(batch.board, "as it was");
	assert_int_equal(batch_from_text("500 17 42 3 the gate 1", &batch), 0);
	assert_string_equal(batch.board, "the gate 1");
	assert_int_equal(batch.count, 500);
	assert_int_equal(batch.started_ms, 17);
	assert_int_equal(batch.after_id, 42);
	assert_int_equal(batch.done, 3);
	batch_to_text(&batch, text);
	assert_string_equal(text, "500 17 42 3 the gate 1");
}

/* ---------------------------------------------------------------------------- the timer */

static void note_call(void *userdata)
{
	(*(unsigned *)userdata)++;
}

static int64_t real_msec(void)
{
	struct timespec now;

	assert_int_equal(clock_gettime(CLOCK_REALTIME, &now), 0);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static void midnight_wakes_once(void **state)
{
	struct midnight midnight = {.fd = -1};
	sd_event *event = NULL;
	unsigned n_calls = 0;

	(void)state;
	assert_true(sd_event_new(&event) >= 0);
	assert_int_equal(midnight_init(&midnight, event, note_call, &n_calls), 0);
	assert_int_equal(sd_event_run(event, 0), 0);
	midnight_set(&midnight, real_msec() + 20);
	assert_true(sd_event_run(event, 20 * USEC_PER_SEC) > 0);
	assert_int_equal(n_calls, 1);
	assert_int_equal(midnight.due_ms, 0);
	assert_int_equal(sd_event_run(event, 0), 0);
	/* A time that is over is due at once; one that was turned off never is. */
	midnight_set(&midnight, real_msec() - 1000);
	midnight_set(&midnight, 0);
	assert_int_equal(sd_event_run(event, 0), 0);
	midnight_set(&midnight, real_msec() - 1000);
	assert_true(sd_event_run(event, 20 * USEC_PER_SEC) > 0);
	assert_int_equal(n_calls, 2);
	midnight_done(&midnight);
	midnight_done(&midnight);
	sd_event_unref(event);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_day_is_counted_as_it_goes),
		cmocka_unit_test(what_is_in_memory_is_what_the_store_comes_to),
		cmocka_unit_test(without_a_store_the_day_is_counted_too),
		cmocka_unit_test(each_unit_counts_once_in_a_batch),
		cmocka_unit_test(an_attempt_that_runs_already_is_not_of_the_batch),
		cmocka_unit_test(a_batch_of_all_histories_is_the_same_after_a_restart),
		cmocka_unit_test(a_batch_goes_on_in_another_store),
		cmocka_unit_test(what_is_no_batch_is_none),
		cmocka_unit_test(midnight_wakes_once),
	};

	assert_int_equal(setenv("TZ", "UTC", 1), 0);
	return cmocka_run_group_tests(tests, folder_make, folder_remove);
}
