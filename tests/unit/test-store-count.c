/* SPDX-License-Identifier: MIT */
/* Counts out of the store: of a day as of all days, and how long that takes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <time.h>

#include "base/util.h"
#include "records/count.h"
#include "records/database.h"
#include "unit/store-bench.h"

#define DAY_MSEC INT64_C(86400000)
/* Midnight of 2026-11-01 in UTC, the zone of this test. */
#define FIRST_DAY INT64_C(1793491200000)

static struct store_attempt make(
	unsigned number, unsigned unit, unsigned day, int64_t plug, enum outcome outcome)
{
	struct store_attempt made = make_attempt(unit, number, true);

	made.started_ms = FIRST_DAY + DAY_MSEC * (day - 1) + 1000 * (int64_t)number;
	made.ended_ms = made.started_ms + 500;
	made.plug = plug;
	made.report.outcome = outcome;
	make_sha256(1, made.report.sha256);
	snprintf(made.usb_path, sizeof(made.usb_path), "pci-0");
	snprintf(made.slot, sizeof(made.slot), "A1");
	if (unit == 0)
		snprintf(made.key, sizeof(made.key), "usb 10c4:ea60 '0001' at pci-0");
	return made;
}

static const char *make_history(void)
{
	static const struct {
		unsigned unit, day;
		int64_t plug;
		enum outcome outcome;
	} rows[] = {
		{1, 1, 11, OUTCOME_UPDATED},
		{2, 1, 12, OUTCOME_WRITE_FAILED},
		{0, 1, 13, OUTCOME_NO_SYNC},
		{3, 2, 13, OUTCOME_UPDATED},
		{2, 2, 14, OUTCOME_UPDATED},
		{1, 2, 15, OUTCOME_CURRENT},
		{4, 2, 16, OUTCOME_UPDATED},
		{0, 2, 17, OUTCOME_NO_SYNC},
		{0, 3, 17, OUTCOME_NO_SYNC},
		{4, 3, 18, OUTCOME_NOT_CONFIRMED},
		{0, 3, 0, OUTCOME_NO_SYNC},
		{0, 3, 0, OUTCOME_NO_SYNC},
	};
	const char *directory = fresh_directory();
	struct store *store = open_store(directory);

	for (unsigned i = 0; i < ARRAY_SIZE(rows); i++) {
		struct store_attempt attempt =
			make(i + 1, rows[i].unit, rows[i].day, rows[i].plug, rows[i].outcome);

		save(store, NULL, &attempt);
	}
	store_close(store);
	return directory;
}

static struct day_counts count(struct store *store, int64_t since_ms, int64_t until_ms)
{
	const struct store_filter filter = {.since_ms = since_ms, .until_ms = until_ms};
	CLEANUP(count_cells_done) struct count_cells cells = {0};
	struct day_counts sum = {.first_pass = 0};
	struct reason reason = {0};

	assert_int_equal(store_count(store, &filter, 0, &cells, &reason), 0);
	for (size_t i = 0; i < cells.n_items; i++)
		day_counts_join(&sum, &cells.items[i].counts);
	return sum;
}

static void assert_counts(struct day_counts is, unsigned first_pass, unsigned retried, unsigned bad)
{
	if (is.first_pass != first_pass || is.retried != retried || is.bad != bad)
		fail_msg("%u/%u/%u, expected %u/%u/%u", is.first_pass, is.retried, is.bad,
			first_pass, retried, bad);
}

/* Unit 4 was good on the second day until it failed on the third. */
static void a_day_counts_the_same_alone_and_among_all(void **state)
{
	struct store *store = open_store(make_history());
	struct day_counts days = {.first_pass = 0}, all = count(store, 0, 0);

	(void)state;
	assert_counts(count(store, FIRST_DAY, FIRST_DAY + DAY_MSEC), 1, 0, 0);
	assert_counts(count(store, FIRST_DAY + DAY_MSEC, FIRST_DAY + 2 * DAY_MSEC), 0, 2, 0);
	assert_counts(count(store, FIRST_DAY + 2 * DAY_MSEC, 0), 0, 0, 4);
	assert_counts(all, 1, 2, 4);
	for (int64_t day = 0; day < 3; day++) {
		struct day_counts one =
			count(store, FIRST_DAY + day * DAY_MSEC, FIRST_DAY + (day + 1) * DAY_MSEC);

		day_counts_join(&days, &one);
	}
	assert_counts(days, all.first_pass, all.retried, all.bad);
	store_close(store);
}

struct ids {
	unsigned n;
	int64_t last;
};

static int take_id(void *userdata, const struct store_attempt *attempt)
{
	struct ids *ids = userdata;

	assert_true(attempt->id > ids->last);
	ids->last = attempt->id;
	ids->n++;
	return 0;
}

static unsigned count_of_unit(struct store *store, const char *key, int64_t plug)
{
	struct ids ids = {.n = 0};
	struct reason reason = {0};

	assert_int_equal(store_list_counted_unit(store, key, plug, take_id, &ids, &reason), 0);
	return ids.n;
}

static void the_attempts_of_one_unit_are_found(void **state)
{
	struct store *store = open_store(make_history());

	(void)state;
	assert_int_equal(count_of_unit(store, "stm32:0x410 000000000000000000000001", 0), 2);
	/* With what did not answer in the same plug-in. */
	assert_int_equal(count_of_unit(store, "stm32:0x410 000000000000000000000003", 0), 2);
	assert_int_equal(count_of_unit(store, "usb 10c4:ea60 '0001' at pci-0", 13), 2);
	assert_int_equal(count_of_unit(store, "usb 10c4:ea60 '0001' at pci-0", 17), 2);
	assert_int_equal(count_of_unit(store, "usb 10c4:ea60 '0001' at pci-0", 0), 0);
	assert_int_equal(count_of_unit(store, "stm32:0x410 000000000000000000000009", 99), 0);
	store_close(store);
}

static void too_many_are_refused_where_there_is_a_bound(void **state)
{
	struct store *store = open_store(make_history());
	const struct store_filter all = {0}, day = {.since_ms = FIRST_DAY + 2 * DAY_MSEC};
	struct count_cells cells = {0};
	struct reason reason = {0};

	(void)state;
	assert_int_equal(store_count(store, &all, 11, &cells, &reason), -E2BIG);
	assert_non_null(strstr(reason.text, "more than 11 attempts"));
	assert_null(cells.items);
	assert_int_equal(store_count(store, &day, 11, &cells, &reason), 0);
	assert_int_equal(cells.n_items, 1);
	count_cells_done(&cells);
	store_close(store);
}

/* ----------------------------------------------------------------------------- how long */

static double seconds(clockid_t id)
{
	struct timespec now;

	assert_int_equal(clock_gettime(id, &now), 0);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

/* 100,000 attempts in 70 days: each board comes three times, and one of ten fails first. */
static const char *make_long_history(void)
{
	const char *directory = fresh_directory();
	struct database *database;
	struct reason reason = {0};
	char path[400];

	store_close(open_store(directory));
	snprintf(path, sizeof(path), "%s/" STORE_NAME, directory);
	assert_int_equal(database_open(path, false, &database, &reason), 0);
	if (database_execute(database,
		    "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n"
		    " WHERE i < 100000) INSERT INTO attempts (job, key, board, port, serial, path,"
		    " slot, cause, operation, plug, started, ended, outcome, phase, chip, unit,"
		    " image, version, sha256, bytes, reason, phase_ms) SELECT printf('%032x', i),"
		    " printf('stm32:0x410 %024x', i / 3), 'gate', '/dev/ttyUSB0', '0001',"
		    " 'pci-0000:00:14.0-usb-0:' || (i % 8) || ':1.0', 'A' || (i % 8), 'different',"
		    " 'flash', i, 1793491200000 + i * 60000, 1793491200000 + i * 60000 + 9000,"
		    " CASE i % 30 WHEN 0 THEN 'write-failed' ELSE 'updated' END, 'confirm',"
		    " 'STM32F103x8', printf('%024x', i / 3), 'gate-1.2.hex', '1.2',"
		    " printf('%064x', 1), 60000, '', '{\"erase\":1500,\"write\":3000}' FROM n",
		    &reason) < 0)
		fail_msg("%s", reason.text);
	database_close(database);
	return directory;
}

static void a_day_among_many_is_counted_in_no_time(void **state)
{
	struct store *store = open_store(make_long_history());
	double start = seconds(CLOCK_MONOTONIC), of_all, of_day, of_unit;
	struct day_counts all = count(store, 0, 0), day;

	(void)state;
	of_all = seconds(CLOCK_MONOTONIC) - start;
	assert_int_equal(all.first_pass + all.retried + all.bad, 33334);
	start = seconds(CLOCK_MONOTONIC);
	day = count(store, FIRST_DAY + 40 * DAY_MSEC, FIRST_DAY + 41 * DAY_MSEC);
	of_day = seconds(CLOCK_MONOTONIC) - start;
	assert_int_equal(day.first_pass + day.retried + day.bad, 480);
	start = seconds(CLOCK_MONOTONIC);
	assert_int_equal(
		count_of_unit(store, "stm32:0x410 000000000000000000001000", 3 * 0x1000), 3);
	of_unit = seconds(CLOCK_MONOTONIC) - start;
	print_message("# figure: counts of 100,000 attempts: all in %.0f ms, a day of 1,440 in "
		      "%.1f ms, a unit in %.2f ms\n",
		of_all * 1e3, of_day * 1e3, of_unit * 1e3);
	/* Against a search without an index; what it takes is the figure above. */
	assert_true(of_day < of_all);
	store_close(store);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_day_counts_the_same_alone_and_among_all),
		cmocka_unit_test(the_attempts_of_one_unit_are_found),
		cmocka_unit_test(too_many_are_refused_where_there_is_a_bound),
		cmocka_unit_test(a_day_among_many_is_counted_in_no_time),
	};

	assert_int_equal(setenv("TZ", "UTC", 1), 0);
	return cmocka_run_group_tests(tests, folder_make, folder_remove);
}
