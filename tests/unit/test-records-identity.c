/* SPDX-License-Identifier: MIT */
/* test-records-identity.c - a store is itself again after a restart, and another one is not. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "service/records.h"
#include "unit/store-bench.h"

/* Of the store that lies there. */
static void read_identity(char to[static STORE_IDENTITY_SIZE])
{
	struct records records = {0};

	assert_int_equal(records_open(&records, folder), 0);
	text_copy(to, STORE_IDENTITY_SIZE, records_identity(&records));
	assert_string_equal(records_identity(&records), to);
	records_close(&records);
}

static void a_store_keeps_its_identity(void **state)
{
	char first[STORE_IDENTITY_SIZE], again[STORE_IDENTITY_SIZE];

	(void)state;
	read_identity(first);
	assert_int_equal(strlen(first), 32);
	assert_int_equal(strspn(first, "0123456789abcdef"), 32);
	read_identity(again);
	assert_string_equal(again, first);
}

static void one_in_its_place_is_another(void **state)
{
	char first[STORE_IDENTITY_SIZE], other[STORE_IDENTITY_SIZE];

	read_identity(first);
	assert_int_equal(folder_remove(state), 0);
	assert_int_equal(mkdir(folder, 0700), 0);
	read_identity(other);
	assert_int_equal(strlen(other), 32);
	assert_string_not_equal(other, first);
}

/* While the service runs: its store is taken away, and it makes a new one. */
static void one_that_is_taken_away_is_another(void **state)
{
	struct records records = {0};
	char first[STORE_IDENTITY_SIZE];

	assert_int_equal(records_open(&records, folder), 0);
	text_copy(first, sizeof(first), records_identity(&records));
	assert_int_equal(folder_remove(state), 0);
	assert_int_equal(mkdir(folder, 0700), 0);
	assert_true(records_open_store(&records));
	assert_int_equal(strlen(records_identity(&records)), 32);
	assert_string_not_equal(records_identity(&records), first);
	records_close(&records);
}

/* Attempts that were told of by their ids are not in it, and others get these ids. */
static void an_older_copy_that_is_put_back_is_another(void **state)
{
	struct store_rows rows = {.has_attempt = true, .attempt = make_attempt(1, 1, true)};
	const char *directory = fresh_directory();
	char first[STORE_IDENTITY_SIZE], command[300];
	struct records records = {0};

	(void)state;
	assert_int_equal(records_open(&records, directory), 0);
	text_copy(first, sizeof(first), records_identity(&records));
	records_close(&records);
	snprintf(command, sizeof(command), "cp -a %s %s.before", directory, directory);
	assert_int_equal(system(command), 0);
	assert_int_equal(records_open(&records, directory), 0);
	assert_true(records_save(&records, &rows));
	assert_string_equal(records_identity(&records), first);
	snprintf(command, sizeof(command), "rm -r %s && cp -a %s.before %s", directory, directory,
		directory);
	assert_int_equal(system(command), 0);
	assert_true(records_open_store(&records));
	assert_int_equal(strlen(records_identity(&records)), 32);
	assert_string_not_equal(records_identity(&records), first);
	records_close(&records);
}

static void without_a_store_there_is_none(void **state)
{
	struct records records = {0};

	(void)state;
	assert_int_equal(records_open(&records, "/dev/null/nowhere"), 0);
	assert_string_equal(records_identity(&records), "");
	records_close(&records);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_store_keeps_its_identity),
		cmocka_unit_test(one_in_its_place_is_another),
		cmocka_unit_test(one_that_is_taken_away_is_another),
		cmocka_unit_test(an_older_copy_that_is_put_back_is_another),
		cmocka_unit_test(without_a_store_there_is_none),
	};

	return cmocka_run_group_tests(tests, folder_make, folder_remove);
}
