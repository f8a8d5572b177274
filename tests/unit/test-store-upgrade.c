/* SPDX-License-Identifier: MIT */
/*
 * test-store-upgrade.c - a store that an earlier version wrote: after it was brought up to date all
 * that it had is found, by the keys that units have now.
 *
 * data/store-7.sql is the dump of one that the last version of format 7 wrote: a unit that is
 * whole, one that went back from an image, one that is torn and known by its bridge, and their
 * numbers.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/util.h"
#include "records/database.h"
#include "unit/store-bench.h"

#define WHOLE  "0123456789abcdef01234567"
#define BACK   "ffeeddccbbaa998877665544"
#define BRIDGE "usb 10c4:ea60 '0x3' at pci-0000:00:14.0-usb-0:3:1.0"

/* A directory with the store of that dump. */
static const char *make_old_store(const char *dump)
{
	const char *directory = fresh_directory();
	struct database *database;
	struct reason reason = {0};
	char sql[16 * 1024], path[400];
	FILE *from = fopen(dump, "re");
	size_t n;

	assert_non_null(from);
	n = fread(sql, 1, sizeof(sql) - 1, from);
	assert_int_equal(fclose(from), 0);
	sql[n] = '\0';
	snprintf(path, sizeof(path), "%s/" STORE_NAME, directory);
	assert_int_equal(database_open(path, false, &database, &reason), 0);
	if (database_execute(database, sql, &reason) != 0)
		fail_msg("%s", reason.text);
	database_close(database);
	return directory;
}

static struct store_unit find(struct store *store, const char *key)
{
	struct store_unit unit = {0};
	struct reason reason = {0};

	if (store_find_unit(store, key, &unit, &reason) != 0)
		fail_msg("no unit has the key '%s': %s", key, reason.text);
	return unit;
}

static void units_of_an_old_store_are_found_by_their_family(void **state)
{
	struct store *store = open_store(make_old_store("tests/unit/data/store-7.sql"));
	struct store_unit unit = find(store, "stm32:0x410 " WHOLE);
	struct reason reason = {0};

	(void)state;
	assert_int_equal(unit.state, UNIT_WHOLE);
	assert_string_equal(unit.unit, WHOLE);
	assert_string_equal(unit.image, "gate-2.0.hex");
	assert_string_equal(unit.previous_image, "gate-1.0.hex");
	unit = find(store, "stm32:0x414 " BACK);
	assert_int_equal(unit.rollback, ROLLBACK_DONE);
	assert_int_equal(unit.failures, 3);
	assert_int_equal(unit.failed_outcome, OUTCOME_NOT_CONFIRMED);
	assert_string_equal(unit.failed_rule, "0123456789abcdef");
	unit = find(store, BRIDGE);
	assert_int_equal(unit.state, UNIT_IN_PROGRESS);
	assert_int_equal(unit.drops, 2);
	assert_true(unit.id > 0);
	assert_int_equal(store_find_unit(store, "0x410 " WHOLE, &unit, &reason), -ENOENT);
	store_close(store);
}

struct list {
	struct store_attempt attempts[4];
	size_t n;
};

static int take_attempt(void *userdata, const struct store_attempt *attempt)
{
	struct list *list = userdata;

	assert_true(list->n < ARRAY_SIZE(list->attempts));
	list->attempts[list->n++] = *attempt;
	return 0;
}

static void attempts_of_an_old_store_are_listed(void **state)
{
	const struct store_filter all = {.limit = 0}, one = {.unit = "ffee"};
	struct store *store = open_store(make_old_store("tests/unit/data/store-7.sql"));
	static struct list list;
	const struct store_attempt *attempts = list.attempts;
	struct reason reason = {0};

	(void)state;
	assert_int_equal(store_list_attempts(store, &all, take_attempt, &list, &reason), 0);
	assert_int_equal(list.n, 3);
	assert_string_equal(attempts[0].key, "stm32:0x410 " WHOLE);
	assert_string_equal(attempts[0].report.unit_data, "41");
	assert_string_equal(attempts[0].slot, "");
	assert_int_equal(attempts[0].report.phase_ms[PHASE_WRITE], 200);
	assert_string_equal(attempts[1].key, "stm32:0x414 " BACK);
	assert_string_equal(attempts[1].cause, "rollback");
	assert_string_equal(attempts[2].key, BRIDGE);
	assert_int_equal(attempts[2].report.outcome, OUTCOME_PORT_GONE);
	/* People name a unit by the beginning of its own id, as before. */
	list.n = 0;
	assert_int_equal(store_list_attempts(store, &one, take_attempt, &list, &reason), 0);
	assert_int_equal(list.n, 1);
	/* Until then there was no word for what was done. */
	assert_string_equal(list.attempts[0].operation, "");
	assert_int_equal(list.attempts[0].plug, 0);
	store_close(store);
}

static void numbers_of_an_old_store_stay_with_their_units(void **state)
{
	struct store *store = open_store(make_old_store("tests/unit/data/store-7.sql"));
	struct store_serial serial = {0};
	struct reason reason = {0};

	(void)state;
	assert_int_equal(
		store_find_serial(store, "board gate", "stm32:0x410 " WHOLE, &serial, &reason), 0);
	assert_string_equal(serial.value, "41");
	assert_int_equal(
		store_find_serial(store, "board gate", "stm32:0x414 " BACK, &serial, &reason), 0);
	assert_string_equal(serial.value, "42");
	assert_int_equal(serial.written_ms, 0);
	assert_int_equal(store_find_serial(store, "board door", BRIDGE, &serial, &reason), 0);
	assert_string_equal(serial.value, "7");
	/* The same unit is not given a second row. */
	serial = (struct store_serial){.source = "board gate",
		.value = "41",
		.key = "stm32:0x410 " WHOLE,
		.written_ms = 5};
	assert_int_equal(save_serial(store, &serial, &reason), 0);
	assert_int_equal(
		store_find_serial(store, "board gate", "stm32:0x410 " WHOLE, &serial, &reason), 0);
	assert_int_equal(serial.written_ms, 5);
	store_close(store);
}

static void an_old_store_has_no_floors(void **state)
{
	struct store *store = open_store(make_old_store("tests/unit/data/store-7.sql"));
	struct store_floor floor = {0};
	struct reason reason = {0};

	(void)state;
	assert_int_equal(store_find_floor(store, "gate", &floor, &reason), -ENOENT);
	store_close(store);
}

static void a_store_is_brought_up_to_date_once(void **state)
{
	const char *directory = make_old_store("tests/unit/data/store-7.sql");
	struct store *store;
	struct reason reason = {0};

	(void)state;
	assert_int_equal(store_open_to_read(directory, &store, &reason), -ENOTSUP);
	store_close(open_store(directory));
	store = open_store(directory);
	(void)find(store, "stm32:0x410 " WHOLE);
	store_close(store);
	assert_int_equal(store_open_to_read(directory, &store, &reason), 0);
	(void)find(store, "stm32:0x414 " BACK);
	store_close(store);
}

/* Read by preinst of the Debian package, while the service that wrote it goes on running. */
static void the_format_stands_in_the_file_at_once(void **state)
{
	const char *directory = make_old_store("tests/unit/data/store-7.sql");
	const unsigned char expected[] = {0, 0, 0, STORE_FORMAT};
	struct store *store = open_store(directory);
	unsigned char format[4];
	char path[400];
	FILE *file;

	(void)state;
	snprintf(path, sizeof(path), "%s/" STORE_NAME, directory);
	file = fopen(path, "re");
	assert_non_null(file);
	assert_int_equal(fseek(file, 60, SEEK_SET), 0);
	assert_int_equal(fread(format, 1, sizeof(format), file), sizeof(format));
	assert_int_equal(fclose(file), 0);
	assert_memory_equal(format, expected, sizeof(format));
	store_close(store);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(units_of_an_old_store_are_found_by_their_family),
		cmocka_unit_test(attempts_of_an_old_store_are_listed),
		cmocka_unit_test(numbers_of_an_old_store_stay_with_their_units),
		cmocka_unit_test(an_old_store_has_no_floors),
		cmocka_unit_test(a_store_is_brought_up_to_date_once),
		cmocka_unit_test(the_format_stands_in_the_file_at_once),
	};

	return cmocka_run_group_tests(tests, folder_make, folder_remove);
}
