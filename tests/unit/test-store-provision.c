/* SPDX-License-Identifier: MIT */
/* Which unit has which value: what is kept, and that none is given twice. Files of values. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>

#include "unit/store-bench.h"

static struct store_serial make_serial(const char *source, const char *value, const char *key)
{
	struct store_serial made = {.board = "gate", .given_ms = 1000};

	snprintf(made.source, sizeof(made.source), "%s", source);
	snprintf(made.value, sizeof(made.value), "%s", value);
	snprintf(made.key, sizeof(made.key), "%s", key);
	return made;
}

static int give(struct store *store, const char *source, const char *value, const char *key)
{
	const struct store_serial serial = make_serial(source, value, key);
	struct reason reason;

	return save_serial(store, &serial, &reason);
}

static void what_was_given_is_kept(void **state)
{
	const char *directory = fresh_directory();
	struct store *store = open_store(directory);
	struct store_serial found;
	struct reason reason;

	(void)state;
	assert_int_equal(store_find_serial(store, "a", "unit", &found, &reason), -ENOENT);
	assert_int_equal(give(store, "a", "7", "unit"), 0);
	store_close(store);
	store = open_store(directory);
	assert_int_equal(store_find_serial(store, "a", "unit", &found, &reason), 0);
	assert_string_equal(found.value, "7");
	assert_string_equal(found.board, "gate");
	assert_int_equal(found.given_ms, 1000);
	assert_int_equal(found.written_ms, 0);
	found.written_ms = 2000;
	assert_int_equal(save_serial(store, &found, &reason), 0);
	assert_int_equal(store_find_serial(store, "a", "unit", &found, &reason), 0);
	assert_string_equal(found.value, "7");
	assert_int_equal(found.written_ms, 2000);
	store_close(store);
}

static void no_value_of_a_source_is_given_twice(void **state)
{
	struct store *store = open_store(fresh_directory());
	struct store_serial found;
	struct reason reason;

	(void)state;
	assert_int_equal(give(store, "a", "7", "unit 1"), 0);
	assert_true(give(store, "a", "7", "unit 2") < 0);
	assert_int_equal(store_find_serial(store, "a", "unit 2", &found, &reason), -ENOENT);
	assert_int_equal(store_find_serial(store, "a", "unit 1", &found, &reason), 0);
	/* Another source has its own. */
	assert_int_equal(give(store, "b", "7", "unit 2"), 0);
	store_close(store);
}

static void the_highest_is_a_number_not_a_text(void **state)
{
	static const char *const values[] = {"9", "10", "9223372036854775807", "2"};
	static const char *const highest[] = {
		"9", "10", "9223372036854775807", "9223372036854775807"};
	struct store *store = open_store(fresh_directory());
	struct store_serial found;
	struct reason reason;

	(void)state;
	assert_int_equal(give(store, "other", "99999", "unit"), 0);
	assert_int_equal(store_find_serial_highest(store, "a", &found, &reason), -ENOENT);
	for (size_t i = 0; i < ARRAY_SIZE(values); i++) {
		assert_int_equal(give(store, "a", values[i], values[i]), 0);
		assert_int_equal(store_find_serial_highest(store, "a", &found, &reason), 0);
		assert_string_equal(found.value, highest[i]);
	}
	store_close(store);
}

static int add_value(void *userdata, const char *value)
{
	strcat(userdata, value);
	strcat(userdata, "|");
	return strcmp(value, "stop") == 0 ? 7 : 0;
}

static void what_was_given_of_a_source_is_listed_in_order(void **state)
{
	static const char *const given[] = {"b", "B", "\xc3\xa4", "a b", "10", "9", "stop", "tail"};
	struct store *store = open_store(fresh_directory());
	char values[100] = "";
	struct reason reason;

	(void)state;
	assert_int_equal(store_list_serial_values(store, "a", add_value, values, &reason), 0);
	assert_string_equal(values, "");
	for (size_t i = 0; i < ARRAY_SIZE(given); i++)
		assert_int_equal(give(store, "a", given[i], given[i]), 0);
	assert_int_equal(give(store, "other", "c", "unit"), 0);
	assert_int_equal(store_list_serial_values(store, "a", add_value, values, &reason), 7);
	assert_string_equal(values, "10|9|B|a b|b|stop|");
	assert_int_equal(store_list_serial_values(store, "other", add_value, values, &reason), 0);
	assert_string_equal(values, "10|9|B|a b|b|stop|c|");
	store_close(store);
}

static void what_a_damaged_store_knew_is_lost_until_there_is_something_new(void **state)
{
	struct store *store;
	char aside[400] = "";

	(void)state;
	make_directory("state-[a]*");
	store = open_store(in_folder("state-[a]*"));
	assert_false(store_has_lost_serials(store, "a", aside, sizeof(aside)));
	put_text("state-[a]*/" STORE_NAME ".damaged-20260102T030405Z", "");
	assert_true(store_has_lost_serials(store, "a", aside, sizeof(aside)));
	assert_string_equal(aside, in_folder("state-[a]*/" STORE_NAME ".damaged-20260102T030405Z"));
	assert_int_equal(give(store, "a", "7", "unit"), 0);
	assert_false(store_has_lost_serials(store, "a", aside, sizeof(aside)));
	assert_true(store_has_lost_serials(store, "b", aside, sizeof(aside)));
	assert_int_equal(unlink(aside), 0);
	assert_false(store_has_lost_serials(store, "b", aside, sizeof(aside)));
	store_close(store);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(what_was_given_is_kept),
	cmocka_unit_test(no_value_of_a_source_is_given_twice),
	cmocka_unit_test(the_highest_is_a_number_not_a_text),
	cmocka_unit_test(what_was_given_of_a_source_is_listed_in_order),
	cmocka_unit_test(what_a_damaged_store_knew_is_lost_until_there_is_something_new),
};

int main(void)
{
	return cmocka_run_group_tests(tests, folder_make, folder_remove);
}
