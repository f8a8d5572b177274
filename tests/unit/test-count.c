/* SPDX-License-Identifier: MIT */
/* Units that count: histories of attempts, and what they come to by the definition of
 * plugflash-units(7), written by hand. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <string.h>
#include <time.h>

#include "base/util.h"
#include "records/count.h"
#include "unit/store-bench.h"

#define STEPS_MOST 12
#define DAY_MSEC   INT64_C(86400000)
/* 2026-11-01, noon, UTC. */
#define FIRST_NOON INT64_C(1793534400000)

/* An attempt. Numbers that are 0 are the usual: a plug-in of its own, the first day, rule gate. */
struct step {
	unsigned unit; /* 0: the chip did not say its id */
	enum outcome outcome;
	unsigned plug;
	unsigned day;
	unsigned image;
	enum phase phase; /* in which it failed; 0: after the erase */
	const char *operation;
	const char *cause;
	const char *board;
	const char *slot;
	int error;
	bool is_running;
};

/* "DAY first-pass/retried/bad" of each day that has any, in order. */
static const struct history {
	const char *name;
	struct step steps[STEPS_MOST];
	const char *counts;
} histories[] = {
	{"nothing", {{0}}, ""},
	{"good at once", {{.unit = 1, .outcome = OUTCOME_UPDATED}}, "1 1/0/0"},
	{"found good, and never seen before", {{.unit = 1, .outcome = OUTCOME_CURRENT}}, "1 1/0/0"},
	{"good after a failure",
		{{.unit = 1, .outcome = OUTCOME_WRITE_FAILED},
			{.unit = 1, .outcome = OUTCOME_UPDATED}},
		"1 0/1/0"},
	{"good after three",
		{{.unit = 1, .outcome = OUTCOME_WRITE_FAILED},
			{.unit = 1, .outcome = OUTCOME_ERASE_FAILED},
			{.unit = 1, .outcome = OUTCOME_WRITE_FAILED},
			{.unit = 1, .outcome = OUTCOME_UPDATED}},
		"1 0/1/0"},
	{"found good after a failure",
		{{.unit = 1, .outcome = OUTCOME_NOT_CONFIRMED},
			{.unit = 1, .outcome = OUTCOME_CURRENT}},
		"1 0/1/0"},
	{"bad once, however often it failed",
		{{.unit = 1, .outcome = OUTCOME_WRITE_FAILED},
			{.unit = 1, .outcome = OUTCOME_WRITE_FAILED},
			{.unit = 1, .outcome = OUTCOME_QUARANTINED}},
		"1 0/0/1"},
	{"a good one that is plugged in again",
		{{.unit = 1, .outcome = OUTCOME_UPDATED}, {.unit = 1, .outcome = OUTCOME_CURRENT},
			{.unit = 1, .outcome = OUTCOME_CURRENT, .day = 2}},
		"1 1/0/0"},
	{"a good one that is written once more with the same",
		{{.unit = 1, .outcome = OUTCOME_UPDATED},
			{.unit = 1, .outcome = OUTCOME_UPDATED, .day = 2, .cause = "always"}},
		"1 1/0/0"},
	{"three units",
		{{.unit = 1, .outcome = OUTCOME_UPDATED},
			{.unit = 2, .outcome = OUTCOME_WRITE_FAILED},
			{.unit = 3, .outcome = OUTCOME_UPDATED},
			{.unit = 2, .outcome = OUTCOME_UPDATED},
			{.unit = 4, .outcome = OUTCOME_VERIFY_DIFFERS}},
		"1 2/1/1"},
	/* ------------------------------------------------------------------ over days */
	{"failed, and good the next day",
		{{.unit = 1, .outcome = OUTCOME_WRITE_FAILED},
			{.unit = 1, .outcome = OUTCOME_UPDATED, .day = 2}},
		"2 0/1/0"},
	{"failed on two days",
		{{.unit = 1, .outcome = OUTCOME_WRITE_FAILED},
			{.unit = 1, .outcome = OUTCOME_WRITE_FAILED, .day = 2}},
		"2 0/0/1"},
	{"good with one image, and with the next a day later",
		{{.unit = 1, .outcome = OUTCOME_UPDATED, .image = 1},
			{.unit = 1, .outcome = OUTCOME_UPDATED, .image = 2, .day = 2}},
		"1 1/0/0, 2 1/0/0"},
	{"both on one day",
		{{.unit = 1, .outcome = OUTCOME_UPDATED, .image = 1},
			{.unit = 1, .outcome = OUTCOME_UPDATED, .image = 2}},
		"1 2/0/0"},
	{"failed with one image, and good with the next",
		{{.unit = 1, .outcome = OUTCOME_WRITE_FAILED, .image = 1},
			{.unit = 1, .outcome = OUTCOME_UPDATED, .image = 2, .day = 2}},
		"2 0/1/0"},
	{"good, and bad with the next image",
		{{.unit = 1, .outcome = OUTCOME_UPDATED, .image = 1},
			{.unit = 1, .outcome = OUTCOME_WRITE_FAILED, .image = 2, .day = 2}},
		"1 1/0/0, 2 0/0/1"},
	{"good with one image, bad with the next, back to the first",
		{{.unit = 1, .outcome = OUTCOME_UPDATED, .image = 1},
			{.unit = 1, .outcome = OUTCOME_WRITE_FAILED, .image = 2, .day = 2},
			{.unit = 1, .outcome = OUTCOME_UPDATED, .image = 1, .day = 3}},
		"1 1/0/0"},
	{"good, and bad with the same image: it is one unit",
		{{.unit = 1, .outcome = OUTCOME_UPDATED},
			{.unit = 1, .outcome = OUTCOME_NO_SYNC, .day = 2, .phase = PHASE_SYNC}},
		"2 0/0/1"},
	{"good, bad, and good again as it was",
		{{.unit = 1, .outcome = OUTCOME_UPDATED},
			{.unit = 1, .outcome = OUTCOME_NOT_CONFIRMED, .day = 2},
			{.unit = 1, .outcome = OUTCOME_CURRENT, .day = 3}},
		"1 1/0/0"},
	/* ------------------------------------------------- what says nothing of the unit */
	{"cancelled", {{.unit = 1, .outcome = OUTCOME_CANCELLED, .phase = PHASE_COMPARE}}, ""},
	{"pulled before the erase",
		{{.unit = 1, .outcome = OUTCOME_PORT_GONE, .phase = PHASE_IDENTIFY}}, ""},
	{"pulled after it", {{.unit = 1, .outcome = OUTCOME_PORT_GONE, .phase = PHASE_WRITE}},
		"1 0/0/1"},
	{"pulled after it, and finished",
		{{.unit = 1, .outcome = OUTCOME_PORT_GONE, .phase = PHASE_WRITE},
			{.unit = 1, .outcome = OUTCOME_UPDATED}},
		"1 0/1/0"},
	{"the port was taken", {{.unit = 1, .outcome = OUTCOME_PORT_BUSY, .phase = PHASE_OPEN}},
		""},
	{"no image, a bad one, a rule that is wrong",
		{{.unit = 0, .outcome = OUTCOME_NO_IMAGE, .phase = PHASE_IMAGE},
			{.unit = 0, .outcome = OUTCOME_BAD_IMAGE, .phase = PHASE_IMAGE},
			{.unit = 0, .outcome = OUTCOME_BAD_CONFIG, .phase = PHASE_IDENTIFY}},
		""},
	{"the service was at fault", {{.unit = 0, .outcome = OUTCOME_FAILED, .phase = PHASE_IMAGE}},
		""},
	{"the host was short of memory",
		{{.unit = 1, .outcome = OUTCOME_FAILED, .phase = PHASE_WRITE, .error = ENOMEM}},
		""},
	{"a unit that failed for nobody knows what",
		{{.unit = 1, .outcome = OUTCOME_FAILED, .phase = PHASE_LEAVE}}, "1 0/0/1"},
	{"no number was left, or a twin",
		{{.unit = 1,
			 .outcome = OUTCOME_FAILED,
			 .phase = PHASE_COMPARE,
			 .cause = "none-left"},
			{.unit = 2,
				.outcome = OUTCOME_FAILED,
				.phase = PHASE_COMPARE,
				.cause = "too-many"},
			{.unit = 3,
				.outcome = OUTCOME_FAILED,
				.phase = PHASE_COMPARE,
				.cause = "twin"}},
		""},
	{"cancelled, then good: no failure came before",
		{{.unit = 1, .outcome = OUTCOME_CANCELLED},
			{.unit = 1, .outcome = OUTCOME_UPDATED}},
		"1 1/0/0"},
	{"verify and probe",
		{{.unit = 1, .outcome = OUTCOME_VERIFY_DIFFERS, .operation = "verify"},
			{.unit = 1, .outcome = OUTCOME_CURRENT, .operation = "verify"},
			{.unit = 2, .outcome = OUTCOME_NO_SYNC, .operation = "probe"}},
		""},
	{"a rollback does not make it good",
		{{.unit = 1, .outcome = OUTCOME_NOT_CONFIRMED, .image = 2},
			{.unit = 1,
				.outcome = OUTCOME_UPDATED,
				.image = 1,
				.operation = "rollback",
				.cause = "rollback"}},
		"1 0/0/1"},
	{"nor one of before there was a word for it",
		{{.unit = 1, .outcome = OUTCOME_NOT_CONFIRMED, .operation = ""},
			{.unit = 1,
				.outcome = OUTCOME_UPDATED,
				.operation = "",
				.cause = "rollback"}},
		"1 0/0/1"},
	{"one that runs", {{.unit = 1, .outcome = OUTCOME_UPDATED, .is_running = true}}, ""},
	/* ------------------------------------------------------ chips that do not say an id */
	{"it did not answer, and then it did, without being unplugged",
		{{.unit = 0, .outcome = OUTCOME_NO_SYNC, .plug = 7, .phase = PHASE_SYNC},
			{.unit = 0, .outcome = OUTCOME_NO_SYNC, .plug = 7, .phase = PHASE_SYNC},
			{.unit = 1, .outcome = OUTCOME_UPDATED, .plug = 7}},
		"1 0/1/0"},
	{"it answered, and then no more",
		{{.unit = 1, .outcome = OUTCOME_WRITE_FAILED, .plug = 7},
			{.unit = 0, .outcome = OUTCOME_NO_SYNC, .plug = 7},
			{.unit = 0, .outcome = OUTCOME_NO_SYNC, .plug = 7, .day = 2}},
		"2 0/0/1"},
	{"none answered: a unit for each plug-in",
		{{.unit = 0, .outcome = OUTCOME_NO_SYNC, .plug = 7},
			{.unit = 0, .outcome = OUTCOME_NO_SYNC, .plug = 7},
			{.unit = 0, .outcome = OUTCOME_NO_SYNC, .plug = 8}},
		"1 0/0/2"},
	{"where the plug-in is not known, for each attempt",
		{{.unit = 0, .outcome = OUTCOME_NO_SYNC, .plug = ~0u},
			{.unit = 0, .outcome = OUTCOME_NO_SYNC, .plug = ~0u}},
		"1 0/0/2"},
	{"the board was changed, and the bridge stayed",
		{{.unit = 1, .outcome = OUTCOME_UPDATED, .plug = 7},
			{.unit = 2, .outcome = OUTCOME_UPDATED, .plug = 7},
			{.unit = 0, .outcome = OUTCOME_NO_SYNC, .plug = 7},
			{.unit = 3, .outcome = OUTCOME_UPDATED, .plug = 7}},
		"1 2/1/0"},
	{"what did not answer stays with the unit until another one does",
		{{.unit = 1, .outcome = OUTCOME_UPDATED, .plug = 7},
			{.unit = 0, .outcome = OUTCOME_NO_SYNC, .plug = 7, .day = 2},
			{.unit = 2, .outcome = OUTCOME_WRITE_FAILED, .plug = 7, .day = 3}},
		"1 1/0/0, 3 0/0/1"},
	{"and is over once it is good again",
		{{.unit = 1, .outcome = OUTCOME_UPDATED, .plug = 7},
			{.unit = 0, .outcome = OUTCOME_NO_SYNC, .plug = 7},
			{.unit = 1, .outcome = OUTCOME_CURRENT, .plug = 7},
			{.unit = 2, .outcome = OUTCOME_UPDATED, .plug = 7}},
		"1 2/0/0"},
	{"a boot loader without ids: each update",
		{{.unit = 0, .outcome = OUTCOME_UPDATED}, {.unit = 0, .outcome = OUTCOME_UPDATED},
			{.unit = 0, .outcome = OUTCOME_CURRENT}},
		"1 2/0/0"},
	{"and not twice in one plug-in",
		{{.unit = 0, .outcome = OUTCOME_NO_SYNC, .plug = 7},
			{.unit = 0, .outcome = OUTCOME_UPDATED, .plug = 7},
			{.unit = 0, .outcome = OUTCOME_UPDATED, .plug = 7},
			{.unit = 0, .outcome = OUTCOME_CURRENT, .plug = 7}},
		"1 0/1/0"},
	/* ----------------------------------------------------------------- two rules */
	{"each rule for itself",
		{{.unit = 1, .outcome = OUTCOME_UPDATED, .board = "loader"},
			{.unit = 1, .outcome = OUTCOME_UPDATED, .board = "gate"},
			{.unit = 2, .outcome = OUTCOME_WRITE_FAILED, .board = "loader"},
			{.unit = 2, .outcome = OUTCOME_UPDATED, .board = "gate"}},
		"1 3/0/1"},
};

static struct store_attempt make(const struct step *step, unsigned number)
{
	struct store_attempt made = make_attempt(step->unit, number, true);

	made.id = number;
	made.ended_ms =
		step->is_running ? 0 : FIRST_NOON + DAY_MSEC * (step->day > 0 ? step->day - 1 : 0);
	made.plug = step->plug == ~0u ? 0 : step->plug > 0 ? step->plug : 100 + number;
	made.report.outcome = step->outcome;
	made.report.error = step->error;
	made.report.phase = step->phase > 0 ? step->phase : PHASE_CONFIRM;
	if (step->phase > 0 && step->phase < PHASE_ERASE)
		made.report.pages_erased = 0;
	make_sha256(step->image, made.report.sha256);
	if (step->unit == 0) {
		snprintf(made.key, sizeof(made.key), "usb 10c4:ea60 '0001' at pci-0");
		made.report.unit[0] = '\0';
	}
	if (step->operation)
		snprintf(made.operation, sizeof(made.operation), "%s", step->operation);
	if (step->cause)
		snprintf(made.cause, sizeof(made.cause), "%s", step->cause);
	if (step->board)
		snprintf(made.board, sizeof(made.board), "%s", step->board);
	snprintf(made.usb_path, sizeof(made.usb_path), "pci-%s", step->slot ? step->slot : "");
	snprintf(made.slot, sizeof(made.slot), "%s", step->slot ? step->slot : "");
	return made;
}

/* Up to the last that says anything: an update without an id says nothing, so none is the last. */
static size_t count_steps(const struct history *history)
{
	size_t n = STEPS_MOST;

	for (; n > 0; n--) {
		const struct step *step = &history->steps[n - 1];

		if (step->unit > 0 || step->outcome != OUTCOME_UPDATED || step->plug > 0)
			break;
	}
	return n;
}

static struct tally tally_of(const struct step *steps, size_t n_steps)
{
	struct tally tally = {0};

	for (size_t i = 0; i < n_steps; i++) {
		struct store_attempt attempt = make(&steps[i], (unsigned)i + 1);

		assert_int_equal(tally_add(&tally, &attempt), 0);
	}
	return tally;
}

/* Of all rules and slots, as the table above has it; the oldest day first. */
static void write_days(const struct tally *tally, char *to, size_t size)
{
	const struct store_filter all = {0};
	struct count_cells cells;
	size_t n = 0;

	to[0] = '\0';
	assert_int_equal(count_cells_make(tally, &all, &cells), 0);
	for (size_t i = cells.n_items; i > 0;) {
		struct day_counts sum = {.first_pass = 0};
		const char *day = cells.items[i - 1].counts.day;
		uint32_t n_outcomes = 0;

		for (; i > 0 && strcmp(cells.items[i - 1].counts.day, day) == 0; i--)
			day_counts_join(&sum, &cells.items[i - 1].counts);
		for (enum outcome outcome = 0; outcome < OUTCOME_MAX; outcome++)
			n_outcomes += sum.outcomes[outcome];
		assert_int_equal(n_outcomes, sum.first_pass + sum.retried + sum.bad);
		assert_memory_equal(day, "2026-11-0", 9);
		n += (size_t)snprintf(to + n, size - n, "%s%s %u/%u/%u", n > 0 ? ", " : "", day + 9,
			sum.first_pass, sum.retried, sum.bad);
	}
	count_cells_done(&cells);
}

static void histories_come_to_their_counts(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(histories); i++) {
		const struct history *history = &histories[i];
		struct tally tally = tally_of(history->steps, count_steps(history));
		char counts[400];

		write_days(&tally, counts, sizeof(counts));
		if (strcmp(counts, history->counts) != 0)
			fail_msg("%s: '%s', expected '%s'", history->name, counts, history->counts);
		tally_done(&tally);
	}
}

/* ------------------------------------------------------------------------ cells and filters */

static const struct step station[] = {
	{.unit = 1, .outcome = OUTCOME_UPDATED, .slot = "A1"},
	{.unit = 2, .outcome = OUTCOME_UPDATED, .slot = "A2"},
	{.unit = 3, .outcome = OUTCOME_WRITE_FAILED, .slot = "A2"},
	{.unit = 4, .outcome = OUTCOME_UPDATED, .slot = "A2", .board = "door"},
	{.unit = 3, .outcome = OUTCOME_UPDATED, .slot = "A1", .day = 2},
	{.unit = 5, .outcome = OUTCOME_NO_SYNC, .slot = "A2", .day = 2},
	{.unit = 6, .outcome = OUTCOME_CURRENT, .slot = "A2", .day = 2},
};

static struct count_cells cells_of(struct store_filter filter)
{
	struct tally tally = tally_of(station, ARRAY_SIZE(station));
	struct count_cells cells;

	assert_int_equal(count_cells_make(&tally, &filter, &cells), 0);
	tally_done(&tally);
	return cells;
}

static void units_are_counted_where_they_became_what_they_are(void **state)
{
	static const struct {
		const char *day, *board, *slot;
		unsigned first_pass, retried, bad;
		int yield;
	} expected[] = {
		{"2026-11-02", "gate", "A1", 0, 1, 0, 0},
		{"2026-11-02", "gate", "A2", 1, 0, 1, 500},
		{"2026-11-01", "door", "A2", 1, 0, 0, 1000},
		{"2026-11-01", "gate", "A1", 1, 0, 0, 1000},
		{"2026-11-01", "gate", "A2", 1, 0, 0, 1000},
	};
	struct count_cells cells = cells_of((struct store_filter){0});

	(void)state;
	assert_int_equal(cells.n_items, ARRAY_SIZE(expected));
	for (size_t i = 0; i < cells.n_items; i++) {
		const struct count_cell *cell = &cells.items[i];

		assert_string_equal(cell->counts.day, expected[i].day);
		assert_string_equal(cell->board, expected[i].board);
		assert_string_equal(cell->slot, expected[i].slot);
		assert_int_equal(cell->counts.first_pass, expected[i].first_pass);
		assert_int_equal(cell->counts.retried, expected[i].retried);
		assert_int_equal(cell->counts.bad, expected[i].bad);
		assert_int_equal(day_counts_yield(&cell->counts), expected[i].yield);
	}
	assert_int_equal(cells.items[1].counts.outcomes[OUTCOME_NO_SYNC], 1);
	assert_int_equal(cells.items[1].counts.outcomes[OUTCOME_CURRENT], 1);
	count_cells_done(&cells);
}

/* A filter leaves out units, and never attempts: a unit is not bad because its good end is not
 * asked for. */
static void a_filter_does_not_change_what_a_unit_is(void **state)
{
	static const struct {
		const char *name;
		struct store_filter filter;
		unsigned first_pass, retried, bad;
		size_t n_cells;
	} rows[] = {
		{"the first day", {.until_ms = FIRST_NOON + 1}, 3, 0, 0, 3},
		{"the second", {.since_ms = FIRST_NOON + DAY_MSEC}, 1, 1, 1, 2},
		{"a slot", {.slot = "A2"}, 3, 0, 1, 3},
		{"its path", {.slot = "pci-A2"}, 3, 0, 1, 3},
		{"a path", {.usb_path = "pci-A1"}, 1, 1, 0, 2},
		{"a rule", {.board = "door"}, 1, 0, 0, 1},
		{"an outcome", {.outcome = "no-sync"}, 0, 0, 1, 1},
		{"a unit", {.unit = "000000000000000000000003"}, 0, 1, 0, 1},
		{"another port", {.port = "/dev/ttyUSB9"}, 0, 0, 0, 0},
		{"the newest two", {.limit = 2}, 1, 1, 1, 2},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct count_cells cells = cells_of(rows[i].filter);
		struct day_counts sum = {.first_pass = 0};

		for (size_t k = 0; k < cells.n_items; k++)
			day_counts_join(&sum, &cells.items[k].counts);
		if (cells.n_items != rows[i].n_cells || sum.first_pass != rows[i].first_pass ||
			sum.retried != rows[i].retried || sum.bad != rows[i].bad)
			fail_msg("%s: %zu cells, %u/%u/%u", rows[i].name, cells.n_items,
				sum.first_pass, sum.retried, sum.bad);
		count_cells_done(&cells);
	}
}

/* ------------------------------------------------------------------------------- days */

static void use_zone(const char *zone)
{
	assert_int_equal(setenv("TZ", zone, 1), 0);
	tzset();
}

static void a_day_is_a_local_one(void **state)
{
	struct day_counts day;

	(void)state;
	use_zone("Europe/Berlin");
	/* 23 hours: the clocks go forward on 2026-03-29. */
	day_counts_begin(&day, INT64_C(1774738800000) + 12345);
	assert_string_equal(day.day, "2026-03-29");
	assert_int_equal(day.from_ms, INT64_C(1774738800000));
	assert_int_equal(day.until_ms - day.from_ms, 23 * 3600 * 1000);
	day_counts_begin(&day, day.until_ms);
	assert_string_equal(day.day, "2026-03-30");
	/* 25 hours. */
	day_counts_begin(&day, INT64_C(1792879200000));
	assert_string_equal(day.day, "2026-10-25");
	assert_int_equal(day.until_ms - day.from_ms, 25 * 3600 * 1000);
	day_counts_begin(&day, day.from_ms - 1);
	assert_string_equal(day.day, "2026-10-24");
	use_zone("UTC");
}

static void a_yield_of_all_means_all(void **state)
{
	struct day_counts counts = {.first_pass = 9999, .bad = 1};
	char text[16];

	(void)state;
	assert_int_equal(day_counts_yield(&counts), 999);
	assert_string_equal(day_counts_format_yield(&counts, text, sizeof(text)), "99.9 %");
	counts.bad = 0;
	assert_int_equal(day_counts_yield(&counts), 1000);
	counts.first_pass = 0;
	assert_int_equal(day_counts_yield(&counts), -1);
	assert_true(day_counts_are_zero(&counts));
	counts.retried = 3;
	assert_int_equal(day_counts_yield(&counts), 0);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(histories_come_to_their_counts),
		cmocka_unit_test(units_are_counted_where_they_became_what_they_are),
		cmocka_unit_test(a_filter_does_not_change_what_a_unit_is),
		cmocka_unit_test(a_day_is_a_local_one),
		cmocka_unit_test(a_yield_of_all_means_all),
	};

	use_zone("UTC");
	return cmocka_run_group_tests(tests, NULL, NULL);
}
