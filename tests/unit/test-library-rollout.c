/* SPDX-License-Identifier: MIT */
/* Which file a unit gets while the highest is not for every unit yet. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "unit/image-directory.h"
#include "unit/virtual-clock.h"

#define ABC   "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad" /* of "abc" */
#define OTHER "cb8379ac2098aa165029e3938a51da0bcecfc008fd6795f401178647f96c5b34"

static const struct rollout_row {
	const char *name;
	const char *rollouts[3]; /* beside 1.0, 2.0 and 3.0 */
	const char *sha256;	 /* in the manifest of 3.0 */
	struct rollout_unit unit;
	int result;
	const char *expected; /* name, else part of the reason */
	unsigned from, below;
} rows[] = {
	{"no rollout", {}, NULL, {.share = 9999}, LIBRARY_OK, "gate-3.0.hex", 0, 10000},
	{"below the bound", {[2] = "percent = 10"}, NULL, {.share = 999}, LIBRARY_OK,
		"gate-3.0.hex", 0, 1000},
	{"at the bound", {[2] = "percent = 10"}, NULL, {.share = 1000}, LIBRARY_OK, "gate-2.0.hex",
		1000, 10000},
	{"nobody", {[2] = "percent = 0"}, NULL, {.share = 0}, LIBRARY_OK, "gate-2.0.hex", 0, 10000},
	{"all", {[2] = "percent = 100"}, NULL, {.share = 9999}, LIBRARY_OK, "gate-3.0.hex", 0,
		10000},
	{"an unknown unit, nearly all", {[2] = "percent = 99"}, NULL,
		{.share = ROLLOUT_SHARE_UNKNOWN}, LIBRARY_OK, "gate-2.0.hex", 9900, 10000},
	{"two at once, the lower", {[1] = "percent = 50", [2] = "percent = 10"}, NULL,
		{.share = 1000}, LIBRARY_OK, "gate-2.0.hex", 1000, 5000},
	{"two at once, neither", {[1] = "percent = 50", [2] = "percent = 10"}, NULL,
		{.share = 5000}, LIBRARY_OK, "gate-1.0.hex", 5000, 10000},
	{"of all, none yet", {"percent = 1", "percent = 2", "percent = 3"}, NULL, {.share = 5000},
		LIBRARY_NONE, "image 'gate-3.0.hex': not yet for this unit: rollout of 3 %", 300,
		10000},
	{"it holds it already", {[2] = "percent = 0"}, ABC, {5000, ABC, "3.0"}, LIBRARY_OK,
		"gate-3.0.hex", 0, 10000},
	{"it holds another", {[2] = "percent = 0"}, ABC, {5000, OTHER, "2.0"}, LIBRARY_OK,
		"gate-2.0.hex", 0, 10000},
	{"it holds none, of a manifest without a digest", {[2] = "percent = 0"}, NULL,
		{.share = 5000}, LIBRARY_OK, "gate-2.0.hex", 0, 10000},
	{"a rollout of an older one does not matter", {"percent = 10"}, NULL, {5000, OTHER, "4.0"},
		LIBRARY_OK, "gate-3.0.hex", 1000, 10000},
	{"nor is it taken back further than the others", {[2] = "percent = 10"}, NULL,
		{5000, OTHER, "2.1"}, LIBRARY_NONE,
		"'gate-3.0.hex': not yet for this unit: rollout of 10 %", 1000, 10000},
	/* Nobody knows whom it is for: an older one was not asked for. */
	{"a mistake in it", {[2] = "percent = many"}, NULL, {.share = 0}, LIBRARY_REFUSED,
		"gate-3.0.hex.rollout:2: [rollout] percent: expected a whole number", 0, 10000},
	{"a mistake in that of an older one does no harm", {"percent = many"}, NULL, {.share = 0},
		LIBRARY_OK, "gate-3.0.hex", 0, 10000},
	{"the time is over", {[2] = "percent = 100\nuntil = 1000000000"}, NULL, {.share = 0},
		LIBRARY_OK, "gate-2.0.hex", 0, 10000},
};

static void fill(const struct rollout_row *row)
{
	char line[100];

	empty_images();
	for (size_t i = 0; i < ARRAY_SIZE(row->rollouts); i++) {
		char name[32], text[100];

		snprintf(name, sizeof(name), "gate-%zu.0.hex", i + 1);
		put(name, "abc");
		snprintf(name, sizeof(name), "gate-%zu.0.hex.rollout", i + 1);
		snprintf(text, sizeof(text), "[rollout]\n%s\n", row->rollouts[i]);
		if (row->rollouts[i])
			put(name, text);
	}
	snprintf(line, sizeof(line), "sha256 = %s", row->sha256);
	if (row->sha256)
		put_manifest("gate-3.0.hex", line);
}

static void each_unit_gets_what_is_for_it(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		CLEANUP(library_choice_done) struct library_choice choice = {};
		const struct library_query query = {.directory = images,
			.glob = "gate-*",
			.board = "gate",
			.unit = &rows[i].unit};
		struct reason reason = {};
		const char *got;
		int r;

		fill(&rows[i]);
		r = library_choose(&query, &choice, &reason);
		got = r == LIBRARY_OK ? choice.name : reason.text;
		if (r != rows[i].result || !strstr(got, rows[i].expected))
			fail_msg("%s: got %d, '%s'", rows[i].name, r, got);
		if (choice.span.from != rows[i].from || choice.span.below != rows[i].below)
			fail_msg("%s: for %u to %u", rows[i].name, choice.span.from,
				choice.span.below);
	}
}

/* Whether the unit gets the same as the one that was asked for. */
static bool gets(const struct rollout_unit *unit, int result, const struct library_choice *choice)
{
	const struct library_query query = {.directory = images, .glob = "gate-*", .unit = unit};
	CLEANUP(library_choice_done) struct library_choice other = {};
	struct reason reason = {};

	return library_choose(&query, &other, &reason) == result &&
	       (!choice->name || strcmp(choice->name, other.name) == 0);
}

/* Whoever has the answer of one unit asks no more for another with the same. */
static void a_span_has_the_units_with_the_same_choice(void **state)
{
	static const struct rollout_unit held[] = {
		{.share = 0}, {0, ABC, "3.0"}, {0, OTHER, "2.0"}, {0, OTHER, "2.1"}};
	unsigned n_same = 0;
	(void)state;

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		CLEANUP(library_choice_done) struct library_choice choice = {};
		const struct library_query query = {
			.directory = images, .glob = "gate-*", .unit = &rows[i].unit};
		struct reason reason = {};
		int r;

		fill(&rows[i]);
		r = library_choose(&query, &choice, &reason);
		for (unsigned j = 0; j < ARRAY_SIZE(held) * 100; j++) {
			struct rollout_unit unit = held[j / 100];

			unit.share = j % 100 * 100;
			if (strcmp(unit.sha256, rows[i].unit.sha256) == 0)
				memcpy(unit.version, rows[i].unit.version, sizeof(unit.version));
			if (!rollout_is_same(&choice.span, &rows[i].unit, &unit))
				continue;
			n_same++;
			if (!gets(&unit, r, &choice))
				fail_msg("%s: not for share %u", rows[i].name, unit.share);
		}
	}
	assert_true(n_same > 100);
}

static void the_end_of_a_rollout_is_told_before_it_comes(void **state)
{
	const struct rollout_unit unit = {.share = 0};
	const struct library_query query = {
		.directory = images, .glob = "gate-*.hex", .unit = &unit};
	int64_t until_s = realtime_usec() / (int64_t)USEC_PER_SEC + 3600;
	char text[100];
	(void)state;

	snprintf(
		text, sizeof(text), "[rollout]\npercent = 100\nuntil = %lld\n", (long long)until_s);
	put("gate-1.0.hex", "abc");
	put("gate-2.0.hex", "abc");
	put("gate-2.0.hex.rollout", text);
	for (unsigned i = 0; i < 2; i++) {
		CLEANUP(library_choice_done) struct library_choice choice = {};
		struct reason reason = {};

		assert_int_equal(library_choose(&query, &choice, &reason), LIBRARY_OK);
		assert_string_equal(choice.name, i == 0 ? "gate-2.0.hex" : "gate-1.0.hex");
		assert_int_equal(choice.span.until_s, i == 0 ? until_s : 0);
		clock_move(3601 * USEC_PER_SEC);
	}
}

/* A person who lists images asks for no unit. */
static void without_a_unit_it_is_told_and_decides_nothing(void **state)
{
	const struct library_query query = {.directory = images, .glob = "gate-*.hex"};
	CLEANUP(library_choice_done) struct library_choice choice = {};
	CLEANUP(library_list_done) struct library_list list = {};
	struct reason reason = {};
	(void)state;

	put("gate-1.0.hex", "abc");
	put("gate-2.0.hex", "abc");
	put("gate-2.0.hex.rollout", "[rollout]\npercent = 25\n");
	assert_int_equal(library_list(&query, &list, &choice, &reason), LIBRARY_OK);
	assert_int_equal(list.n_items, 2);
	assert_string_equal(choice.name, "gate-2.0.hex");
	assert_non_null(strstr(list.items[0].remark, "rollout to 25 % of the units"));
}

/* As each other file: whoever may write it decides who gets an older image. */
static void one_that_others_may_write_is_refused(void **state)
{
	const struct rollout_unit unit = {.share = 0};
	const struct library_query query = {
		.directory = images, .glob = "gate-*.hex", .unit = &unit};
	CLEANUP(library_choice_done) struct library_choice choice = {};
	struct reason reason = {};
	char path[256];
	(void)state;

	put("gate-1.0.hex", "abc");
	put("gate-2.0.hex", "abc");
	put("gate-2.0.hex.rollout", "[rollout]\npercent = 100\n");
	assert_int_equal(chmod(path_of("gate-2.0.hex.rollout", path), 0666), 0);
	assert_int_equal(library_choose(&query, &choice, &reason), LIBRARY_REFUSED);
	assert_non_null(strstr(reason.text, "can be written by others than its owner"));
}

static void one_in_a_folder_counts_there(void **state)
{
	const struct rollout_unit unit = {.share = 5000};
	const struct library_query query = {
		.directory = images, .glob = "fleet/gate.hex", .unit = &unit};
	CLEANUP(library_choice_done) struct library_choice choice = {};
	struct reason reason = {};
	(void)state;

	put("fleet/gate.hex", "abc");
	put("fleet/gate.hex.rollout", "[rollout]\npercent = 50\n");
	put("gate.hex.rollout", "[rollout]\npercent = 100\n");
	assert_int_equal(library_choose(&query, &choice, &reason), LIBRARY_NONE);
	assert_non_null(strstr(reason.text, "rollout of 50 %"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		IN_IMAGES(each_unit_gets_what_is_for_it),
		IN_IMAGES(a_span_has_the_units_with_the_same_choice),
		IN_IMAGES(the_end_of_a_rollout_is_told_before_it_comes),
		IN_IMAGES(without_a_unit_it_is_told_and_decides_nothing),
		IN_IMAGES(one_that_others_may_write_is_refused),
		IN_IMAGES(one_in_a_folder_counts_there),
		cmocka_unit_test(no_descriptor_was_left_open),
	};

	return cmocka_run_group_tests(tests, note_descriptors, NULL);
}
