/* SPDX-License-Identifier: MIT */
/* The lowest version that a board may be given: what raises it, and what the store keeps of it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <string.h>

#include "base/util.h"
#include "records/settle.h"
#include "service/records.h"
#include "unit/store-bench.h"

static const struct {
	const char *name;
	enum outcome outcome;
	const char *signer, *version;
	bool goes_back, is_check, raises;
} ends[] = {
	{"updated with a signed image", OUTCOME_UPDATED, "release", "1.2", false, false, true},
	{"an image that nobody signed", OUTCOME_UPDATED, "", "1.2", false, false, false},
	{"one without a version", OUTCOME_UPDATED, "release", "", false, false, false},
	{"it does not confirm", OUTCOME_NOT_CONFIRMED, "release", "1.2", false, false, false},
	{"it went back", OUTCOME_UPDATED, "release", "1.2", true, false, false},
	{"held already", OUTCOME_CURRENT, "release", "1.2", false, false, false},
	{"a check", OUTCOME_CURRENT, "release", "1.2", false, true, false},
	{"pulled", OUTCOME_PORT_GONE, "release", "1.2", false, false, false},
};

static void an_update_with_a_signed_image_raises_it(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(ends); i++) {
		struct attempt attempt = {.board = "gate", .note.is_marked = true};
		struct report report = {.outcome = ends[i].outcome, .phase = PHASE_LEAVE};
		struct facts facts = {0};
		struct settled settled;
		const struct settle_input input = {.attempt = &attempt,
			.facts = &facts,
			.report = &report,
			.has_store = true,
			.now_ms = 5000};

		text_copy(report.signer, sizeof(report.signer), ends[i].signer);
		text_copy(report.version, sizeof(report.version), ends[i].version);
		attempt.operation = ends[i].is_check ? OPERATION_VERIFY : OPERATION_FLASH;
		if (ends[i].goes_back)
			attempt.rollback.state = ROLLBACK_BEGUN;
		settle(&input, &settled);
		if (settled.rows.has_floor != ends[i].raises)
			fail_msg("%s: %d", ends[i].name, settled.rows.has_floor);
		if (!ends[i].raises)
			continue;
		assert_string_equal(settled.rows.floor.board, "gate");
		assert_string_equal(settled.rows.floor.version, "1.2");
		assert_int_equal(settled.rows.floor.raised_ms, 5000);
	}
}

static void raise_to(struct store *store, const char *board, const char *version)
{
	struct store_rows rows = {.has_floor = true, .floor.raised_ms = 1};
	struct reason reason = {0};

	text_copy(rows.floor.board, sizeof(rows.floor.board), board);
	text_copy(rows.floor.version, sizeof(rows.floor.version), version);
	if (store_save(store, &rows, &reason) != 0)
		fail_msg("%s", reason.text);
}

static void set_to(struct store *store, const char *board, const char *version)
{
	struct store_floor floor = {.raised_ms = 2};
	struct reason reason = {0};

	text_copy(floor.board, sizeof(floor.board), board);
	text_copy(floor.version, sizeof(floor.version), version);
	if (store_set_floor(store, &floor, &reason) != 0)
		fail_msg("%s", reason.text);
}

/* "": there is none. */
static void expect_floor(struct store *store, const char *board, const char *version)
{
	struct store_floor floor = {0};
	struct reason reason = {0};
	int r = store_find_floor(store, board, &floor, &reason);

	assert_int_equal(r, *version ? 0 : -ENOENT);
	assert_string_equal(floor.version, version);
}

static void it_goes_up_by_itself_and_down_by_order(void **state)
{
	const char *directory = fresh_directory();
	struct store *store = open_store(directory);
	(void)state;

	expect_floor(store, "gate", "");
	raise_to(store, "gate", "1.9");
	raise_to(store, "gate", "1.10");
	raise_to(store, "gate", "1.2");
	expect_floor(store, "gate", "1.10");
	expect_floor(store, "door", "");
	set_to(store, "gate", "1.2");
	expect_floor(store, "gate", "1.2");
	store_close(store);

	store = open_store(directory);
	expect_floor(store, "gate", "1.2");
	set_to(store, "gate", "");
	expect_floor(store, "gate", "");
	raise_to(store, "gate", "1.2");
	expect_floor(store, "gate", "1.2");
	store_close(store);
}

static bool is_noted(const struct records *records, uint64_t *floor_ms)
{
	bool is_later = records->floor_ms > *floor_ms;

	*floor_ms = records->floor_ms;
	return is_later;
}

/* Whoever keeps what the floors were asks again. */
static void each_change_of_a_floor_is_another_time(void **state)
{
	struct store_floor floor = {.board = "gate", .version = "1.2"};
	const char *directory = fresh_directory();
	struct records records = {0};
	uint64_t floor_ms = 0;

	(void)state;
	assert_int_equal(records_open(&records, directory), 0);
	assert_true(is_noted(&records, &floor_ms));
	for (unsigned i = 0; i < 3; i++) {
		assert_int_equal(records_set_floor(&records, "gate", "1.5"), 0);
		assert_true(is_noted(&records, &floor_ms));
	}
	records_note_raise(&records, &floor);
	assert_false(is_noted(&records, &floor_ms));
	text_copy(floor.version, sizeof(floor.version), "1.10");
	records_note_raise(&records, &floor);
	assert_true(is_noted(&records, &floor_ms));
	/* The one of before may have had others. */
	assert_int_equal(folder_remove(NULL), 0);
	assert_int_equal(mkdir(folder, 0700), 0);
	assert_int_equal(mkdir(directory, 0700), 0);
	assert_true(records_open_store(&records));
	assert_true(is_noted(&records, &floor_ms));
	records_find_floor(&records, "gate", &floor);
	assert_string_equal(floor.version, "");
	records_close(&records);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_update_with_a_signed_image_raises_it),
		cmocka_unit_test(it_goes_up_by_itself_and_down_by_order),
		cmocka_unit_test(each_change_of_a_floor_is_another_time),
	};

	return cmocka_run_group_tests(tests, folder_make, folder_remove);
}
