/* SPDX-License-Identifier: MIT */
/* No guess at a version decides which of several files is flashed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "unit/image-directory.h"

#define UNSURE	"in its name may be the version: put 'version = ...' into "
#define PATTERN "^[a-z]+_([0-9]+[._][0-9]+)"

static const struct row {
	const char *what;
	struct {
		const char *name, *manifest; /* a line of it, NULL: none */
	} files[4];
	const char *pattern;
	bool needs_version;
	int result;
	const char *name, *version;
	const char *told; /* of the reason where it is refused, else of the note; NULL: no note */
} rows[] = {
	{"joined by _", {{"gate_1_9_3.hex", NULL}, {"gate_1_10_0.hex", NULL}}, NULL, true,
		LIBRARY_OK, "gate_1_10_0.hex", "1.10.0", NULL},
	{"several candidates", {{"gate_6.02-x_v2.bin", NULL}, {"gate_6.05-x_v2.bin", NULL}}, NULL,
		false, LIBRARY_REFUSED, "gate_6.05-x_v2.bin", "",
		"both '6.05' and '2' " UNSURE "'gate_6.05-x_v2.bin.ini', or version-in-name into"},
	{"one such beside one that is certain",
		{{"gate-1.0.hex", NULL}, {"gate-9.0.hex", NULL}, {"gate-1-2.hex", NULL}}, NULL,
		false, LIBRARY_REFUSED, "gate-1-2.hex", "", "both '1' and '2' " UNSURE},
	{"manifests say it",
		{{"gate_v2_a1-3.0.bin", "version = 1.9"}, {"gate_v2_a1-2.0.bin", "version = 1.10"}},
		NULL, true, LIBRARY_OK, "gate_v2_a1-2.0.bin", "1.10", NULL},
	{"a manifest says it of one of two",
		{{"gate-v2-3.0.bin", "version = 1.9"}, {"gate-v2-2.0.bin", NULL}}, NULL, false,
		LIBRARY_REFUSED, "gate-v2-2.0.bin", "", UNSURE},
	{"one such for another board", {{"gate-1.0.hex", NULL}, {"gate-1-2.hex", "board = door"}},
		NULL, false, LIBRARY_OK, "gate-1.0.hex", "1.0", NULL},
	{"a pattern says it", {{"gate_6.02-x_v3.bin", NULL}, {"gate_6_10-x_v2.bin", NULL}}, PATTERN,
		true, LIBRARY_OK, "gate_6_10-x_v2.bin", "6.10", NULL},
	{"a pattern that does not fit one", {{"gate_6.02.bin", NULL}, {"gate-6.10.bin", NULL}},
		PATTERN, false, LIBRARY_REFUSED, "gate-6.10.bin", "",
		"'gate-6.10.bin': its name does not fit version-in-name: put"},
	{"alone", {{"gate_6.02-x_v2.bin", NULL}}, NULL, false, LIBRARY_OK, "gate_6.02-x_v2.bin", "",
		"is not certain (both '6.02' and '2' in its name may be the version)"},
	{"alone, and only newer ones are taken", {{"gate_6.02-x_v2.bin", NULL}}, NULL, true,
		LIBRARY_REFUSED, "gate_6.02-x_v2.bin", "", UNSURE},
	{"a date among versions", {{"gate-1.2.0.hex", NULL}, {"gate-20240131.hex", NULL}}, NULL,
		false, LIBRARY_REFUSED, "gate-20240131.hex", "20240131",
		"its version is a date, and 'gate-1.2.0.hex' has one that is none"},
	{"dates alone", {{"gate-2024-01-31.hex", NULL}, {"gate-20240201.hex", NULL}}, NULL, true,
		LIBRARY_OK, "gate-20240201.hex", "20240201", NULL},
	{"no versions", {{"gate-new.hex", NULL}, {"gate-final.hex", NULL}}, NULL, false, LIBRARY_OK,
		"gate-new.hex", "",
		"neither 'gate-new.hex' nor 'gate-final.hex' has a version in its name"},
	{"the same version", {{"gate-v1.2.hex", NULL}, {"gate-1.2.0.hex", NULL}}, NULL, false,
		LIBRARY_OK, "gate-v1.2.hex", "1.2",
		"'gate-v1.2.hex' and 'gate-1.2.0.hex' have the same version"},
	{"one without a version", {{"gate-new.hex", NULL}, {"gate-1.0.hex", NULL}}, NULL, false,
		LIBRARY_OK, "gate-1.0.hex", "1.0",
		"'gate-new.hex' has no version in its name, and"},
	{"without a version where only newer ones are taken", {{"gate.hex", NULL}}, NULL, true,
		LIBRARY_OK, "gate.hex", "", "'gate.hex' has no version, and with update = newer"},
	{"without a version, alone", {{"gate.hex", NULL}}, NULL, false, LIBRARY_OK, "gate.hex", "",
		NULL},
};

static void no_guess_at_a_version_decides(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		const struct row *row = &rows[i];
		const struct library_query query = {.directory = images,
			.glob = "gate*",
			.board = "gate",
			.version_in_name = row->pattern,
			.needs_version = row->needs_version};
		CLEANUP(library_list_done) struct library_list list = {};
		CLEANUP(library_choice_done) struct library_choice choice = {}, again = {};
		struct reason reason = {""}, ignored;
		const char *told;

		empty_images();
		for (size_t j = 0; j < ARRAY_SIZE(row->files) && row->files[j].name; j++) {
			put(row->files[j].name, "abc");
			if (row->files[j].manifest)
				put_manifest(row->files[j].name, row->files[j].manifest);
		}
		if (library_list(&query, &list, &choice, &reason) != row->result)
			fail_msg("%s: '%s'", row->what, reason.text);
		told = row->result == LIBRARY_OK ? list.note : reason.text;
		if (strcmp(choice.name, row->name) != 0 ||
			strcmp(choice.version, row->version) != 0 || !told != !row->told ||
			(told && !strstr(told, row->told)))
			fail_msg(
				"%s: '%s' '%s' '%s'", row->what, choice.name, choice.version, told);
		/* The service asks without a list. */
		assert_int_equal(library_choose(&query, &again, &ignored), row->result);
		assert_string_equal(again.name, row->name);
	}
}

static void states_tell_ties_from_older_ones(void **state)
{
	const struct library_query query = {.directory = images, .glob = "gate*", .board = "gate"};
	CLEANUP(library_list_done) struct library_list list = {};
	CLEANUP(library_choice_done) struct library_choice choice = {};
	struct reason reason = {""};

	(void)state;
	put("gate-1.2.hex", "abc");
	put("gate-1.2.0.hex", "abc");
	put("gate-1.1.hex", "abc");
	assert_int_equal(library_list(&query, &list, &choice, &reason), LIBRARY_OK);
	assert_int_equal(list.items[0].state, LIBRARY_CANDIDATE_MEANT);
	assert_int_equal(list.items[1].state, LIBRARY_CANDIDATE_EQUAL);
	assert_int_equal(list.items[2].state, LIBRARY_CANDIDATE_OLDER);
}

static void an_application_that_is_asked_needs_a_version_to_compare(void **state)
{
	const struct library_query query = {
		.directory = images, .glob = "gate*", .board = "gate", .asks_version = true};
	CLEANUP(library_list_done) struct library_list list = {};
	CLEANUP(library_choice_done) struct library_choice choice = {};
	struct reason reason = {""};

	(void)state;
	put("gate.hex", "abc");
	assert_int_equal(library_list(&query, &list, &choice, &reason), LIBRARY_OK);
	assert_non_null(strstr(list.note, "'gate.hex' has no version in its name or a manifest"));
}

/* The worker loads by the same rule: what is recorded of a unit is no guess either. */
static void what_is_loaded_has_the_version_that_is_certain_or_none(void **state)
{
	struct library_query query = {.directory = images, .board = "gate"};
	CLEANUP(library_item_done) struct library_item unsure = {}, known = {};
	struct reason reason = {""};

	(void)state;
	put("gate_6.02-x_v2.bin", "abc");
	assert_int_equal(library_load(&query, "gate_6.02-x_v2.bin", 1000, &unsure, &reason), 0);
	assert_string_equal(unsure.version, "");
	query.version_in_name = PATTERN;
	assert_int_equal(library_load(&query, "gate_6.02-x_v2.bin", 1000, &known, &reason), 0);
	assert_string_equal(known.version, "6.02");
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		IN_IMAGES(no_guess_at_a_version_decides),
		IN_IMAGES(states_tell_ties_from_older_ones),
		IN_IMAGES(an_application_that_is_asked_needs_a_version_to_compare),
		IN_IMAGES(what_is_loaded_has_the_version_that_is_certain_or_none),
	};

	return cmocka_run_group_tests(tests, note_descriptors, NULL);
}
