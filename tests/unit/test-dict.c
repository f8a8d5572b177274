/* SPDX-License-Identifier: MIT */
/* test-dict.c - named values, and a report as such and back. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <string.h>

#include "api/dict.h"
#include "api/fields.h"
#include "base/util.h"

static void a_value_is_read_back(void **state)
{
	CLEANUP(dict_done) struct dict dict = {0}, counts = {0};

	(void)state;
	assert_int_equal(dict_set_long(&counts, "updated", UINT64_MAX), 0);
	assert_int_equal(dict_set_text(&dict, "Port", "/dev/ttyUSB0"), 0);
	assert_int_equal(dict_set_flag(&dict, "ConfigStale", true), 0);
	assert_int_equal(dict_set_number(&dict, "Rules", 3), 0);
	assert_int_equal(dict_set_long(&dict, "Since", UINT64_MAX), 0);
	assert_int_equal(dict_set_share(&dict, "Progress", 0.5), 0);
	assert_int_equal(dict_set_counts(&dict, "Counters", &counts), 0);
	assert_int_equal(dict_set_other(&dict, "Later"), 0);

	assert_string_equal(dict_text(&dict, "Port"), "/dev/ttyUSB0");
	assert_true(dict_flag(&dict, "ConfigStale"));
	assert_int_equal(dict_number(&dict, "Rules"), 3);
	assert_true(dict_long(&dict, "Since") == UINT64_MAX);
	assert_true(dict_long(&dict, "Rules") == 3);
	assert_true(dict_share(&dict, "Progress") == 0.5);
	assert_true(dict_long(dict_counts(&dict, "Counters"), "updated") == UINT64_MAX);
	assert_int_equal(dict_find(&dict, "Later")->kind, DICT_OTHER);
}

static void what_is_missing_or_of_another_kind_has_a_default(void **state)
{
	CLEANUP(dict_done) struct dict dict = {0};

	(void)state;
	assert_int_equal(dict_set_number(&dict, "Number", 7), 0);
	assert_int_equal(dict_set_text(&dict, "Text", "7"), 0);
	assert_string_equal(dict_text(&dict, "Number"), "");
	assert_string_equal(dict_text(&dict, "Nothing"), "");
	assert_false(dict_flag(&dict, "Number"));
	assert_int_equal(dict_number(&dict, "Text"), 0);
	assert_true(dict_long(&dict, "Text") == 0);
	assert_true(dict_share(&dict, "Number") == 0);
	assert_int_equal(dict_counts(&dict, "Text")->n_entries, 0);
	assert_null(dict_find(&dict, "Nothing"));
}

static void a_value_takes_the_place_of_another_kind(void **state)
{
	CLEANUP(dict_done) struct dict dict = {0}, counts = {0};

	(void)state;
	assert_int_equal(dict_set_text(&dict, "First", "text"), 0);
	assert_int_equal(dict_set_text(&dict, "Second", NULL), 0);
	assert_int_equal(dict_set_counts(&dict, "First", &counts), 0);
	assert_int_equal(dict_set_number(&dict, "First", 1), 0);
	assert_int_equal(dict.n_entries, 2);
	assert_string_equal(dict.entries[0].name, "First");
	assert_int_equal(dict_number(&dict, "First"), 1);
}

/* An array that had shrunk grows again within its room. */
static void names_are_forgotten_and_come_again(void **state)
{
	CLEANUP(dict_done) struct dict dict = {0};
	char name[8];

	(void)state;
	for (unsigned round = 0; round < 3; round++) {
		for (unsigned i = 0; i < 9; i++) {
			snprintf(name, sizeof(name), "n%u", i);
			assert_int_equal(dict_set_text(&dict, name, "text"), 0);
		}
		assert_int_equal(dict.n_entries, 9);
		for (unsigned i = 0; i < 9; i += 2) {
			snprintf(name, sizeof(name), "n%u", i);
			dict_remove(&dict, name);
			assert_null(dict_find(&dict, name));
		}
		dict_remove(&dict, "n0");
		assert_int_equal(dict.n_entries, 4);
		assert_string_equal(dict.entries[0].name, "n1");
	}
}

static void a_copy_is_the_same_and_its_own(void **state)
{
	CLEANUP(dict_done) struct dict dict = {0}, counts = {0}, copy = {0};

	(void)state;
	assert_int_equal(dict_set_long(&counts, "bad", 2), 0);
	assert_int_equal(dict_set_text(&dict, "Port", "ttyUSB0"), 0);
	assert_int_equal(dict_set_counts(&dict, "Counters", &counts), 0);
	assert_int_equal(dict_set_share(&dict, "Progress", 0.25), 0);
	assert_int_equal(dict_copy(&dict, &copy), 0);
	assert_true(dict_is_same(&dict, &copy));

	assert_int_equal(dict_set_long(&counts, "bad", 3), 0);
	assert_int_equal(dict_set_counts(&copy, "Counters", &counts), 0);
	assert_false(dict_is_same(&dict, &copy));
	assert_int_equal(dict_merge(&copy, &dict), 0);
	assert_true(dict_is_same(&dict, &copy));
	assert_int_equal(dict_set_text(&copy, "More", ""), 0);
	assert_false(dict_is_same(&dict, &copy));
	assert_int_equal(dict_set_number(&dict, "More", 0), 0);
	assert_false(dict_is_same(&dict, &copy));
}

/* ------------------------------------------------------------------------------ reports */

static struct report full_report(void)
{
	struct report report = {
		.outcome = OUTCOME_VERIFY_DIFFERS,
		.phase = PHASE_VERIFY,
		.error = ENODEV,
		.has_address = true,
		.address = 0xFFFFFFFF,
		.has_got = true,
		.bytes = UINT64_MAX,
		.baud = 115200,
		.proof = PROOF_READ_BACK,
		.has_product_id = true,
		.product_id = 0x410,
		.bootloader_version = 0x22,
		.is_protected = true,
		.entered = "lines",
		.unit = "0123456789abcdef01234567",
		.revision = "3.1",
		.security = "secure-boot flash-encryption",
		.details = "magic 0x00f01d83; flash-id 0x1640ef",
		.image = "gate/gate-1.2.3.hex",
		.reason = {"byte at 0x08000000 reads 0x00"},
	};

	report.phase_ms[PHASE_WRITE] = UINT64_MAX;
	return report;
}

static void a_report_comes_back(void **state)
{
	CLEANUP(dict_done) struct dict dict = {0}, again = {0};
	struct report report = full_report(), back;

	(void)state;
	assert_int_equal(report_to_dict(&report, &dict), 0);
	assert_string_equal(dict_text(&dict, "outcome"), "verify-differs");
	assert_string_equal(dict_text(&dict, "error"), "ENODEV");
	assert_string_equal(dict_text(&dict, "bootloader_version"), "2.2");
	assert_int_equal(dict_find(&dict, "address")->kind, DICT_NUMBER);
	assert_int_equal(dict_find(&dict, "bytes")->kind, DICT_LONG);
	assert_true(dict_long(dict_counts(&dict, "phase_ms"), "write") == UINT64_MAX);
	assert_null(dict_find(&dict, "has_address"));

	assert_int_equal(report_from_dict(&dict, &back), 0);
	assert_memory_equal(&back, &report, sizeof(report));
	assert_int_equal(report_to_dict(&back, &again), 0);
	assert_true(dict_is_same(&dict, &again));
}

static void what_is_not_known_is_not_told(void **state)
{
	static const struct report nothing = {.outcome = OUTCOME_CURRENT};
	/* Linux has no error of this number. */
	static const struct report nameless = {.error = 41};
	CLEANUP(dict_done) struct dict dict = {0}, other = {0};
	struct report back;

	(void)state;
	assert_int_equal(report_to_dict(&nothing, &dict), 0);
	assert_null(dict_find(&dict, "address"));
	assert_null(dict_find(&dict, "unit"));
	assert_int_equal(report_from_dict(&dict, &back), 0);
	assert_memory_equal(&back, &nothing, sizeof(nothing));
	assert_int_equal(report_to_dict(&nameless, &other), 0);
	assert_null(dict_find(&other, "error"));
}

static void a_report_without_an_outcome_is_a_failure(void **state)
{
	CLEANUP(dict_done) struct dict dict = {0};
	struct report back;

	(void)state;
	assert_int_equal(dict_set_text(&dict, "of_a_later_version", "x"), 0);
	assert_int_equal(report_from_dict(&dict, &back), 0);
	assert_int_equal(back.outcome, OUTCOME_FAILED);
}

static void spoil_number(struct dict *dict)
{
	dict_set_long(dict, "baud", UINT64_C(1) << 32);
}

static void spoil_small_number(struct dict *dict)
{
	dict_set_number(dict, "expected", 256);
}

static void spoil_kind(struct dict *dict)
{
	dict_set_text(dict, "baud", "115200");
}

static void spoil_flag(struct dict *dict)
{
	dict_set_number(dict, "protected", 1);
}

static void spoil_text(struct dict *dict)
{
	char longer[sizeof(((struct report *)NULL)->version) + 1];

	memset(longer, 'v', sizeof(longer) - 1);
	longer[sizeof(longer) - 1] = '\0';
	dict_set_text(dict, "version", longer);
}

static void spoil_digits(struct dict *dict)
{
	dict_set_text(dict, "unit", "0G");
}

static void spoil_outcome(struct dict *dict)
{
	dict_set_text(dict, "outcome", "splendid");
}

static void spoil_error(struct dict *dict)
{
	dict_set_text(dict, "error", "ESPLENDID");
}

static void spoil_phases(struct dict *dict)
{
	CLEANUP(dict_done) struct dict phases = {0};

	dict_set_long(&phases, "polish", 1);
	dict_set_counts(dict, "phase_ms", &phases);
}

static void spoil_other(struct dict *dict)
{
	dict_set_other(dict, "reason");
}

static void a_report_that_does_not_fit_is_refused(void **state)
{
	static const struct {
		const char *what;
		void (*spoil)(struct dict *dict);
	} rows[] = {
		{"a number above its member", spoil_number},
		{"a number above eight bits", spoil_small_number},
		{"text in place of a number", spoil_kind},
		{"a number in place of a flag", spoil_flag},
		{"text that is one byte too long", spoil_text},
		{"digits that are none", spoil_digits},
		{"an outcome that nobody knows", spoil_outcome},
		{"an error that nobody knows", spoil_error},
		{"a phase that nobody knows", spoil_phases},
		{"a value of another type", spoil_other},
	};
	const struct report report = full_report();

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		CLEANUP(dict_done) struct dict dict = {0};
		struct report back = {.baud = 42};

		assert_int_equal(report_to_dict(&report, &dict), 0);
		rows[i].spoil(&dict);
		if (report_from_dict(&dict, &back) != -EBADMSG || back.baud != 42)
			fail_msg("%s is taken", rows[i].what);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_value_is_read_back),
		cmocka_unit_test(what_is_missing_or_of_another_kind_has_a_default),
		cmocka_unit_test(a_value_takes_the_place_of_another_kind),
		cmocka_unit_test(names_are_forgotten_and_come_again),
		cmocka_unit_test(a_copy_is_the_same_and_its_own),
		cmocka_unit_test(a_report_comes_back),
		cmocka_unit_test(what_is_not_known_is_not_told),
		cmocka_unit_test(a_report_without_an_outcome_is_a_failure),
		cmocka_unit_test(a_report_that_does_not_fit_is_refused),
	};

	return cmocka_run_group_tests_name("dict", tests, NULL, NULL);
}
