/* SPDX-License-Identifier: MIT */
/*
 * test-records-follow.c - changes that somebody asks for, while another store takes the place of
 * the one that is open: they are in the store that is there then.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "records/database.h"
#include "service/records.h"
#include "unit/rows.h"
#include "unit/store-bench.h"

/* Less than a change waits for it. */
#define HELD_USEC 200000

static struct store_unit failed;

static int set_setting(struct records *records)
{
	return records_set_setting(records, "pause", "shift");
}

static bool has_setting(struct records *records)
{
	char text[STORE_SETTING_MAX];

	return records_get_setting(records, "pause", text) == 0 && strcmp(text, "shift") == 0;
}

static int set_floor(struct records *records)
{
	return records_set_floor(records, "gate", "1.5");
}

static bool has_floor(struct records *records)
{
	struct store_floor floor;

	records_find_floor(records, "gate", &floor);
	return strcmp(floor.version, "1.5") == 0;
}

static int forgive(struct records *records)
{
	return records_forgive(records, &(struct store_filter){.board = "gate"});
}

static bool is_forgiven(struct records *records)
{
	struct store_unit unit;

	return !records_find(records, failed.key, &unit) || unit.failures == 0;
}

static bool is_allowed(struct records *records)
{
	return records_open_store(records) && *records_turned_off(records) == '\0';
}

static const struct change_row {
	const char *name;
	int (*change)(struct records *records);
	bool (*is_made)(struct records *records);
	bool counts; /* what it found in the store of before */
} changes[] = {
	{"a setting", set_setting, has_setting, false},
	{"a floor", set_floor, has_floor, false},
	{"failures that are forgiven", forgive, is_forgiven, true},
	{"ways that are on trial again", records_allow_again, is_allowed, true},
};

/* Closed, and with something in it that each change does away with. */
static const char *make_store(void)
{
	const char *directory = fresh_directory();
	struct store *store = open_store(directory);
	struct store_rows rows = {.n_units = 1, .n_trusts = 1};
	struct reason reason = {0};

	failed = make_unit(1, 4, UNIT_FAILED);
	rows.units[0] = failed;
	rows.trusts[0] = (struct store_trust){.kind = "k", .name = "n", .off_ms = 1, .reason = "r"};
	assert_int_equal(store_save(store, &rows, &reason), 0);
	store_close(store);
	return directory;
}

static void run(const char *directory, const char *what)
{
	char command[600];

	snprintf(command, sizeof(command), "cd %s && %s", directory, what);
	assert_int_equal(system(command), 0);
}

/* Holds the store for writing, and puts the copy in its place before it lets go. */
static void replace_in_use(const char *directory, int ready)
{
	struct database *database;
	struct reason reason;
	char path[300];
	bool is_held;

	snprintf(path, sizeof(path), "%s/" STORE_NAME, directory);
	is_held = database_open(path, false, &database, &reason) == 0 &&
		  database_execute(database, "BEGIN IMMEDIATE", &reason) == 0;
	if (!is_held || write(ready, "", 1) != 1 || usleep(HELD_USEC) < 0)
		_exit(1);
	run(directory, "mkdir gone && mv " STORE_NAME "* gone && mv copy " STORE_NAME);
	_exit(0);
}

static void it_is_made_in_the_store_that_took_the_place(void **state)
{
	const struct change_row *row = *state;
	const char *directory = make_store();
	struct records records = {0};
	int ready[2], status;
	char byte;
	pid_t pid;

	run(directory, "cp " STORE_NAME " copy");
	assert_int_equal(records_open(&records, directory), 0);
	assert_int_equal(pipe(ready), 0);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0)
		replace_in_use(directory, ready[1]);
	assert_int_equal(read(ready[0], &byte, 1), 1);
	assert_int_equal(row->change(&records), row->counts ? 1 : 0);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	assert_true(row->is_made(&records));
	records_close(&records);
	close(ready[0]);
	close(ready[1]);
}

int main(void)
{
	struct CMUnitTest tests[ARRAY_SIZE(changes)];
	size_t n_tests = 0;

	ADD_ROWS(tests, n_tests, changes, it_is_made_in_the_store_that_took_the_place);
	return _cmocka_run_group_tests(
		"records-follow", tests, n_tests, folder_make, folder_remove);
}
