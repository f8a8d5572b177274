/* SPDX-License-Identifier: MIT */
/* Rows by their ids, page after page, and what the service is to know again. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>

#include "base/util.h"
#include "records/database.h"
#include "unit/store-bench.h"

#define ROWS_MOST 16

struct ids {
	int64_t ids[ROWS_MOST];
	char names[ROWS_MOST][64];
	size_t n;
};

static void take(struct ids *ids, int64_t id, const char *name)
{
	assert_true(ids->n < ROWS_MOST);
	text_copy(ids->names[ids->n], sizeof(ids->names[0]), name);
	ids->ids[ids->n++] = id;
}

static int take_attempt(void *userdata, const struct store_attempt *attempt)
{
	take(userdata, attempt->id, attempt->job);
	return 0;
}

static int take_unit(void *userdata, const struct store_unit *unit)
{
	take(userdata, unit->id, unit->key);
	return 0;
}

static struct ids attempts_after(struct store *store, int64_t after_id, uint32_t most)
{
	const struct store_filter filter = {.by_id = true, .after_id = after_id, .limit = most};
	struct ids ids = {.n = 0};
	struct reason reason = {0};

	assert_int_equal(store_list_attempts(store, &filter, take_attempt, &ids, &reason), 0);
	return ids;
}

static struct ids units_after(struct store *store, int64_t after_id, uint32_t most)
{
	const struct store_filter filter = {.by_id = true, .after_id = after_id, .limit = most};
	struct ids ids = {.n = 0};
	struct reason reason = {0};

	assert_int_equal(store_list_units(store, &filter, take_unit, &ids, &reason), 0);
	return ids;
}

static void attempts_are_read_page_after_page(void **state)
{
	struct store *store = open_store(fresh_directory());
	struct store_attempt attempt;
	struct ids first, next;

	(void)state;
	for (unsigned i = 1; i <= 5; i++) {
		attempt = make_attempt(i, i, false);
		save(store, NULL, &attempt);
	}
	first = attempts_after(store, 0, 3);
	assert_int_equal(first.n, 3);
	assert_true(first.ids[0] > 0 && first.ids[0] < first.ids[1] && first.ids[1] < first.ids[2]);
	next = attempts_after(store, first.ids[2], 3);
	assert_int_equal(next.n, 2);
	assert_string_equal(next.names[1], "00000000000000000000000000000005");
	assert_int_equal(attempts_after(store, next.ids[1], 3).n, 0);
	/* The end of an attempt does not move it. */
	attempt = make_attempt(2, 2, true);
	save(store, NULL, &attempt);
	next = attempts_after(store, 0, 3);
	assert_memory_equal(next.ids, first.ids, sizeof(first.ids));
	assert_string_equal(next.names[1], first.names[1]);
	store_close(store);
}

/* Straight into the file, as somebody might do it by hand. */
static void execute(const char *directory, const char *sql)
{
	struct database *database;
	struct reason reason = {0};
	char path[400];

	snprintf(path, sizeof(path), "%s/" STORE_NAME, directory);
	assert_int_equal(database_open(path, false, &database, &reason), 0);
	if (database_execute(database, sql, &reason) < 0)
		fail_msg("%s", reason.text);
	database_close(database);
}

static void a_unit_keeps_its_id_and_no_other_gets_it(void **state)
{
	const char *directory = fresh_directory();
	struct store *store = open_store(directory);
	struct ids before, after;
	struct store_unit unit;

	(void)state;
	for (unsigned i = 1; i <= 4; i++) {
		unit = make_unit(i, i, UNIT_WHOLE);
		save(store, &unit, NULL);
	}
	before = units_after(store, 0, 0);
	assert_int_equal(before.n, 4);
	assert_int_equal(units_after(store, before.ids[1], 1).n, 1);
	assert_int_equal(units_after(store, before.ids[1], 1).ids[0], before.ids[2]);
	unit = make_unit(2, 77, UNIT_FAILED);
	save(store, &unit, NULL);
	store_close(store);
	execute(directory,
		"DELETE FROM units WHERE key LIKE '%0' || 1 OR key LIKE '%0' || 4; VACUUM");
	store = open_store(directory);
	unit = make_unit(9, 9, UNIT_WHOLE);
	save(store, &unit, NULL);
	after = units_after(store, 0, 0);
	assert_int_equal(after.n, 3);
	assert_int_equal(after.ids[0], before.ids[1]);
	assert_string_equal(after.names[0], before.names[1]);
	assert_int_equal(after.ids[1], before.ids[2]);
	assert_true(after.ids[2] > before.ids[3]);
	store_close(store);
}

/* --------------------------------------------------------------------------- settings */

static int find(struct store *store, const char *name, char value[static STORE_SETTING_MAX])
{
	struct reason reason = {0};

	return store_find_setting(store, name, value, &reason);
}

static void a_setting_is_there_after_a_restart_until_it_is_taken_away(void **state)
{
	const char *directory = fresh_directory();
	struct store *store = open_store(directory);
	char value[STORE_SETTING_MAX] = "as it was";
	struct reason reason = {0};

	(void)state;
	assert_int_equal(find(store, "pause", value), -ENOENT);
	assert_string_equal(value, "as it was");
	assert_int_equal(store_set_setting(store, "pause", "shift '2'; \x01", &reason), 0);
	assert_int_equal(store_set_setting(store, "batch", "", &reason), 0);
	assert_int_equal(store_set_setting(store, "pause", "shift '3'\n", &reason), 0);
	store_close(store);
	store = open_store(directory);
	assert_int_equal(find(store, "pause", value), 0);
	assert_string_equal(value, "shift '3'\n");
	assert_int_equal(find(store, "batch", value), 0);
	assert_string_equal(value, "");
	assert_int_equal(store_set_setting(store, "pause", NULL, &reason), 0);
	assert_int_equal(find(store, "pause", value), -ENOENT);
	assert_int_equal(store_set_setting(store, "pause", NULL, &reason), 0);
	store_close(store);
}

static void a_setting_is_never_cut(void **state)
{
	struct store *store = open_store(fresh_directory());
	char text[STORE_SETTING_MAX + 1], value[STORE_SETTING_MAX];
	struct reason reason = {0};

	(void)state;
	memset(text, 'x', sizeof(text));
	text[STORE_SETTING_MAX] = '\0';
	assert_int_equal(store_set_setting(store, "pause", text, &reason), -EMSGSIZE);
	assert_int_equal(find(store, "pause", value), -ENOENT);
	text[STORE_SETTING_MAX - 1] = '\0';
	assert_int_equal(store_set_setting(store, "pause", text, &reason), 0);
	assert_int_equal(find(store, "pause", value), 0);
	assert_string_equal(value, text);
	text[40] = '\0';
	assert_int_equal(store_set_setting(store, text, "value", &reason), -EMSGSIZE);
	store_close(store);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(attempts_are_read_page_after_page),
		cmocka_unit_test(a_unit_keeps_its_id_and_no_other_gets_it),
		cmocka_unit_test(a_setting_is_there_after_a_restart_until_it_is_taken_away),
		cmocka_unit_test(a_setting_is_never_cut),
	};

	return cmocka_run_group_tests(tests, folder_make, folder_remove);
}
