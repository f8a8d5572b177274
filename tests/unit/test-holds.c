/* SPDX-License-Identifier: MIT */
/* What keeps boards from beginning, whom it is about, and how it is told. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/util.h"
#include "service/holds.h"

static void nothing_holds_at_first(void **state)
{
	struct holds holds = {0};
	char text[100];

	(void)state;
	assert_int_equal(holds_blocks(&holds, 0), HOLD_NONE);
	assert_int_equal(holds_blocks(&holds, 7), HOLD_NONE);
	holds_reason(&holds, 7, text, sizeof(text));
	assert_string_equal(text, "");
	assert_false(holds_resume(&holds));
}

static void a_pause_is_about_all_bridges_until_it_ends(void **state)
{
	struct holds holds = {0};
	char text[100];

	(void)state;
	assert_int_equal(holds_pause(&holds, "the jig is changed"), 0);
	assert_int_equal(holds_blocks(&holds, 1), HOLD_PAUSE);
	holds_reason(&holds, 0, text, sizeof(text));
	assert_string_equal(text, "the jig is changed");
	/* Another one takes its place: it is no second pause. */
	assert_int_equal(holds_pause(&holds, ""), 0);
	holds_reason(&holds, 0, text, sizeof(text));
	assert_string_equal(text, "paused");
	assert_true(holds_resume(&holds));
	assert_int_equal(holds_blocks(&holds, 1), HOLD_NONE);
	assert_false(holds_resume(&holds));
}

static void an_inhibitor_is_about_one_bridge_or_all(void **state)
{
	struct holds holds = {0};
	unsigned one, all;

	(void)state;
	assert_int_equal(holds_inhibit(&holds, 3, "lab", "minicom", &one), 0);
	assert_int_equal(holds_blocks(&holds, 3), HOLD_INHIBITOR);
	assert_int_equal(holds_blocks(&holds, 4), HOLD_NONE);
	assert_int_equal(holds_blocks(&holds, 0), HOLD_NONE);
	assert_int_equal(holds_inhibit(&holds, 0, "mes", "order change", &all), 0);
	assert_int_equal(holds_blocks(&holds, 4), HOLD_INHIBITOR);
	assert_true(holds_release(&holds, all));
	assert_int_equal(holds_blocks(&holds, 4), HOLD_NONE);
	assert_int_equal(holds_blocks(&holds, 3), HOLD_INHIBITOR);
	assert_true(holds_release(&holds, one));
	assert_false(holds_release(&holds, one));
	assert_int_equal(holds_blocks(&holds, 3), HOLD_NONE);
}

static void owners_are_down_as_long_as_who_wants_them_down_holds(void **state)
{
	struct holds holds = {0};
	unsigned one, other, all;

	(void)state;
	assert_int_equal(holds_inhibit(&holds, 3, "lab", "minicom", &one), 0);
	assert_int_equal(holds_inhibit(&holds, 3, "mes", "backup", &other), 0);
	assert_int_equal(holds_inhibit(&holds, 0, "mes", "order", &all), 0);
	assert_false(holds_have_owners(&holds, 3));
	holds_note_owners(&holds, other);
	assert_true(holds_have_owners(&holds, 3));
	assert_false(holds_have_owners(&holds, 2));
	assert_true(holds_release(&holds, one));
	assert_true(holds_have_owners(&holds, 3));
	assert_true(holds_release(&holds, other));
	assert_false(holds_have_owners(&holds, 3));
	/* Nor does the next one have what that one had. */
	assert_int_equal(holds_inhibit(&holds, 3, "lab", "minicom", &one), 0);
	assert_false(holds_have_owners(&holds, 3));
}

static void an_id_is_never_used_again(void **state)
{
	struct holds holds = {0};
	unsigned id, before = 0;

	(void)state;
	for (unsigned i = 0; i < 3 * HOLDS_MOST; i++) {
		assert_int_equal(holds_inhibit(&holds, 0, "a", "", &id), 0);
		assert_true(id > before);
		before = id;
		assert_true(holds_release(&holds, id));
	}
}

static void so_many_inhibit_and_no_more(void **state)
{
	struct holds holds = {0};
	unsigned ids[HOLDS_MOST], id = 0;

	(void)state;
	for (unsigned i = 0; i < HOLDS_MOST; i++)
		assert_int_equal(holds_inhibit(&holds, i + 1, "a", "b", &ids[i]), 0);
	assert_int_equal(holds_inhibit(&holds, 0, "a", "b", &id), HOLDS_FULL);
	assert_int_equal(id, 0);
	/* From the middle: the others keep theirs. */
	assert_true(holds_release(&holds, ids[10]));
	for (unsigned i = 0; i < HOLDS_MOST; i++)
		assert_int_equal(holds_blocks(&holds, i + 1), i == 10 ? HOLD_NONE : HOLD_INHIBITOR);
	assert_int_equal(holds_inhibit(&holds, 0, "a", "b", &id), 0);
}

/* While it is paused, somebody inhibits: the end of one is not the end of the other. */
static void pause_and_inhibitors_end_each_by_itself(void **state)
{
	struct holds holds = {0};
	char text[100];
	unsigned id;

	(void)state;
	assert_int_equal(holds_pause(&holds, "break"), 0);
	assert_int_equal(holds_inhibit(&holds, 0, "mes", "order change", &id), 0);
	assert_int_equal(holds_blocks(&holds, 1), HOLD_INHIBITOR);
	holds_reason(&holds, 0, text, sizeof(text));
	assert_string_equal(text, "break; mes: order change");
	assert_true(holds_resume(&holds));
	assert_int_equal(holds_blocks(&holds, 1), HOLD_INHIBITOR);
	assert_int_equal(holds_pause(&holds, "break"), 0);
	assert_true(holds_release(&holds, id));
	assert_int_equal(holds_blocks(&holds, 1), HOLD_PAUSE);
}

static void the_reason_names_those_that_are_about_the_bridge(void **state)
{
	struct holds holds = {0};
	char text[100];
	unsigned id;

	(void)state;
	assert_int_equal(holds_inhibit(&holds, 3, "lab", "minicom", &id), 0);
	assert_int_equal(holds_inhibit(&holds, 0, "mes", "order", &id), 0);
	holds_reason(&holds, 3, text, sizeof(text));
	assert_string_equal(text, "lab: minicom; mes: order");
	holds_reason(&holds, 0, text, sizeof(text));
	assert_string_equal(text, "mes: order");
}

static void texts_are_refused_where_they_have_no_room(void **state)
{
	struct holds holds = {0};
	char longest[HOLDS_TEXT], more[HOLDS_TEXT + 1];
	unsigned id;

	(void)state;
	memset(longest, 'x', sizeof(longest));
	longest[sizeof(longest) - 1] = '\0';
	memset(more, 'x', sizeof(more));
	more[sizeof(more) - 1] = '\0';
	assert_int_equal(holds_pause(&holds, more), HOLDS_TOO_LONG);
	assert_false(holds.is_paused);
	assert_int_equal(holds_inhibit(&holds, 0, more, "", &id), HOLDS_TOO_LONG);
	assert_int_equal(holds_inhibit(&holds, 0, "a", more, &id), HOLDS_TOO_LONG);
	assert_int_equal(holds_inhibit(&holds, 0, "", "why", &id), HOLDS_NO_NAME);
	assert_int_equal(holds.n_items, 0);
	assert_int_equal(holds_pause(&holds, longest), 0);
	assert_string_equal(holds.reason, longest);
}

/* Each size, over a text of letters of two bytes: a cut is between two of them. */
static void a_text_without_room_is_cut_between_letters(void **state)
{
	struct holds holds = {0};
	char text[64];
	unsigned id;

	(void)state;
	assert_int_equal(holds_pause(&holds, "\xC3\xA4\xC3\xB6\xC3\xBC\xC3\xA4\xC3\xB6"), 0);
	assert_int_equal(holds_inhibit(&holds, 0, "\xC3\xA4\xC3\xB6", "\xC3\xBC", &id), 0);
	for (size_t size = 1; size < sizeof(text); size++) {
		size_t n;

		memset(text, '#', sizeof(text));
		holds_reason(&holds, 0, text, size);
		n = strnlen(text, size);
		assert_true(n < size);
		assert_int_equal(text[size], '#');
		/* The first byte of a letter is followed by its second. */
		for (size_t i = 0; i < n; i++)
			if (text[i] == '\xC3')
				assert_int_equal((unsigned char)text[++i] & 0xC0, 0x80);
			else
				assert_int_equal((unsigned char)text[i] & 0x80, 0);
	}
	holds_reason(&holds, 0, text, 12);
	assert_string_equal(text, "\xC3\xA4\xC3\xB6\xC3\xBC\xC3\xA4...");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(owners_are_down_as_long_as_who_wants_them_down_holds),
		cmocka_unit_test(nothing_holds_at_first),
		cmocka_unit_test(a_pause_is_about_all_bridges_until_it_ends),
		cmocka_unit_test(an_inhibitor_is_about_one_bridge_or_all),
		cmocka_unit_test(an_id_is_never_used_again),
		cmocka_unit_test(so_many_inhibit_and_no_more),
		cmocka_unit_test(pause_and_inhibitors_end_each_by_itself),
		cmocka_unit_test(the_reason_names_those_that_are_about_the_bridge),
		cmocka_unit_test(texts_are_refused_where_they_have_no_room),
		cmocka_unit_test(a_text_without_room_is_cut_between_letters),
	};

	return cmocka_run_group_tests_name("holds", tests, NULL, NULL);
}
