/* SPDX-License-Identifier: MIT */
/*
 * test-fields.c - the one table of a report's fields against the store's columns, and what is made
 * of it as text.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "api/fields.h"
#include "base/util.h"
#include "records/store-private.h"

static const struct column *find_column(const char *name)
{
	for (size_t i = 0; i < store_attempts.n_columns; i++)
		if (strcmp(store_attempts.columns[i].name, name) == 0)
			return &store_attempts.columns[i];
	return NULL;
}

/* The same member of the report under the same name. */
static void each_field_that_is_kept_has_its_column(void **state)
{
	size_t n_kept = 0;

	(void)state;
	for (size_t i = 0; i < n_report_fields; i++) {
		const struct field *field = &report_fields[i];
		const struct column *column = find_column(field->name);

		if (!(field->readers & FOR_STORE)) {
			assert_null(column);
			continue;
		}
		n_kept++;
		if (!column)
			fail_msg("%s has no column", field->name);
		assert_int_equal(
			column->offset, offsetof(struct store_attempt, report) + field->offset);
		assert_int_equal(column->size, field->size);
	}
	assert_true(n_kept > 10);
}

static void each_column_of_the_report_has_its_field(void **state)
{
	size_t begin = offsetof(struct store_attempt, report);

	(void)state;
	for (size_t i = 0; i < store_attempts.n_columns; i++) {
		const struct column *column = &store_attempts.columns[i];
		bool is_found =
			column->offset < begin || column->offset >= begin + sizeof(struct report);

		for (size_t k = 0; k < n_report_fields; k++)
			is_found |= strcmp(column->name, report_fields[k].name) == 0;
		if (!is_found)
			fail_msg("%s is in no row of report_fields", column->name);
	}
}

static void names_and_places_are_used_once(void **state)
{
	(void)state;
	for (size_t i = 0; i < n_report_fields; i++)
		for (size_t k = 0; k < i; k++) {
			const struct field *a = &report_fields[i], *b = &report_fields[k];

			assert_string_not_equal(a->name, b->name);
			assert_true(a->csv == 0 || a->csv != b->csv);
			assert_true(
				!a->journal || !b->journal || strcmp(a->journal, b->journal) != 0);
		}
}

static const struct field *field_named(const char *name)
{
	for (size_t i = 0; i < n_report_fields; i++)
		if (strcmp(report_fields[i].name, name) == 0)
			return &report_fields[i];
	fail_msg("no field is named %s", name);
	return NULL;
}

static void values_are_told_as_people_write_them(void **state)
{
	static const struct report report = {
		.outcome = OUTCOME_VERIFY_DIFFERS,
		.phase = PHASE_VERIFY,
		.error = 19,
		.has_address = true,
		.address = 0x08000010,
		.has_got = true,
		.got = 0x0F,
		.has_product_id = true,
		.product_id = 0x44,
		.bootloader_version = 0x22,
		.is_protected = true,
		.bytes = UINT64_MAX,
		.reason = {"no answer"},
	};
	static const struct {
		const char *name, *text;
		bool is_known;
	} rows[] = {
		{"outcome", "verify-differs", true},
		{"phase", "verify", true},
		{"error", "ENODEV", true},
		{"address", "0x08000010", true},
		{"expected", "0x00", true},
		{"got", "0x0f", true},
		{"product_id", "0x044", true},
		{"bootloader_version", "2.2", true},
		{"protected", "on", true},
		{"mass_erased", "", true},
		{"bytes", "18446744073709551615", true},
		{"baud", "0", false},
		{"unit", "", false},
		{"reason", "no answer", true},
		{"phase_ms", "", true},
	};
	char shown[FIELD_SHOWN_MAX];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		const struct field *field = field_named(rows[i].name);

		assert_string_equal(field_format(field, &report, shown), rows[i].text);
		assert_int_equal(field_is_known(field, &report), rows[i].is_known);
	}
}

static void addresses_and_ids_are_known_by_their_own_word(void **state)
{
	static const struct report report = {.address = 1, .got = 1, .product_id = 1};

	(void)state;
	assert_false(field_is_known(field_named("address"), &report));
	assert_false(field_is_known(field_named("got"), &report));
	assert_false(field_is_known(field_named("product_id"), &report));
}

/* The ESP32 has the product id 0. */
static void an_id_of_0_is_an_id(void **state)
{
	static const struct report report = {.has_product_id = true, .has_other = true};
	static const struct report none = {.other_product_id = 1};
	const struct field *other = field_named("other_product_id");
	char shown[FIELD_SHOWN_MAX];

	(void)state;
	assert_true(field_is_known(field_named("product_id"), &report));
	assert_true(field_is_known(other, &report));
	assert_string_equal(field_format(other, &report, shown), "0x000");
	assert_false(field_is_known(other, &none));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_field_that_is_kept_has_its_column),
		cmocka_unit_test(each_column_of_the_report_has_its_field),
		cmocka_unit_test(names_and_places_are_used_once),
		cmocka_unit_test(values_are_told_as_people_write_them),
		cmocka_unit_test(addresses_and_ids_are_known_by_their_own_word),
		cmocka_unit_test(an_id_of_0_is_an_id),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
