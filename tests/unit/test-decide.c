/* SPDX-License-Identifier: MIT */
/* The decision, cell by cell: what is remembered, the image beside it, the rule, and what is done.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "records/decide.h"

#define RULE  "rule"
#define IMAGE "1111"

/* What the store says of the unit, and how the image stands to it. */
enum memory {
	UNKNOWN,     /* no record */
	NO_STATE,    /* a record, but nothing of what it holds */
	SAME,	     /* whole, this image */
	NEWER,	     /* whole, and the image is newer */
	OLDER,	     /* whole, and the image is older */
	EQUAL,	     /* whole, another image of the same version */
	BARE,	     /* whole, with an image without a version */
	IN_PROGRESS, /* cut in mid-update */
	FAILED,	     /* ended in mid-update */
	N_MEMORIES,
};

static const char *const memories[N_MEMORIES] = {"unknown", "no state", "same", "newer", "older",
	"equal version", "bare", "in progress", "failed"};

static struct store_unit make(enum memory memory)
{
	static const struct {
		const char *version, *sha256;
		bool has_state;
		enum unit_state state;
	} made[N_MEMORIES] = {
		[UNKNOWN] = {"", "", false, UNIT_WHOLE},
		[NO_STATE] = {"", "", false, UNIT_WHOLE},
		[SAME] = {"1.10", IMAGE, true, UNIT_WHOLE},
		[NEWER] = {"1.9", "2222", true, UNIT_WHOLE},
		[OLDER] = {"1.11", "2222", true, UNIT_WHOLE},
		[EQUAL] = {"1.10", "2222", true, UNIT_WHOLE},
		[BARE] = {"", "2222", true, UNIT_WHOLE},
		[IN_PROGRESS] = {"1.10", IMAGE, true, UNIT_IN_PROGRESS},
		[FAILED] = {"1.11", "2222", true, UNIT_FAILED},
	};
	struct store_unit unit = {.has_state = made[memory].has_state, .state = made[memory].state};

	snprintf(unit.image, sizeof(unit.image), "gate-%s.hex", made[memory].version);
	snprintf(unit.version, sizeof(unit.version), "%s", made[memory].version);
	snprintf(unit.sha256, sizeof(unit.sha256), "%s", made[memory].sha256);
	return unit;
}

struct cell {
	enum answer_word word;
	enum cause cause;
	enum outcome outcome; /* of ANSWER_LEAVE */
};

#define WRITE(cause)                                     \
	{                                                \
		ANSWER_WRITE, CAUSE_##cause, OUTCOME_MAX \
	}
#define COMPARE(cause)                                     \
	{                                                  \
		ANSWER_COMPARE, CAUSE_##cause, OUTCOME_MAX \
	}
#define FINGERPRINT(cause)                                     \
	{                                                      \
		ANSWER_FINGERPRINT, CAUSE_##cause, OUTCOME_MAX \
	}
#define LEAVE(cause, end)                                  \
	{                                                  \
		ANSWER_LEAVE, CAUSE_##cause, OUTCOME_##end \
	}

/* By what is remembered and by policy, for a unit that is known by its chip. */
static const struct cell cells[N_MEMORIES][3] = {
	/* different, newer, always */
	[UNKNOWN] = {COMPARE(UNKNOWN), COMPARE(UNKNOWN), WRITE(ALWAYS)},
	[NO_STATE] = {COMPARE(UNKNOWN), COMPARE(UNKNOWN), WRITE(ALWAYS)},
	[SAME] = {FINGERPRINT(SAME), FINGERPRINT(SAME), WRITE(ALWAYS)},
	[NEWER] = {COMPARE(DIFFERENT), COMPARE(NEWER), WRITE(ALWAYS)},
	[OLDER] = {COMPARE(DIFFERENT), LEAVE(NOT_NEWER, CURRENT), WRITE(ALWAYS)},
	[EQUAL] = {COMPARE(DIFFERENT), LEAVE(NOT_NEWER, CURRENT), WRITE(ALWAYS)},
	[BARE] = {COMPARE(DIFFERENT), COMPARE(NEWER), WRITE(ALWAYS)},
	[IN_PROGRESS] = {WRITE(TORN), WRITE(TORN), WRITE(TORN)},
	[FAILED] = {WRITE(TORN), WRITE(TORN), WRITE(TORN)},
};

/* The same with an image that can be put on 1.10 and later only. */
static const struct cell cells_requiring[N_MEMORIES][3] = {
	[UNKNOWN] = {COMPARE(UNKNOWN), COMPARE(UNKNOWN), WRITE(ALWAYS)},
	[NO_STATE] = {COMPARE(UNKNOWN), COMPARE(UNKNOWN), WRITE(ALWAYS)},
	[SAME] = {FINGERPRINT(SAME), FINGERPRINT(SAME), WRITE(ALWAYS)},
	[NEWER] = {LEAVE(TOO_OLD, BAD_IMAGE), LEAVE(TOO_OLD, BAD_IMAGE), LEAVE(TOO_OLD, BAD_IMAGE)},
	[OLDER] = {COMPARE(DIFFERENT), LEAVE(NOT_NEWER, CURRENT), WRITE(ALWAYS)},
	[EQUAL] = {COMPARE(DIFFERENT), LEAVE(NOT_NEWER, CURRENT), WRITE(ALWAYS)},
	[BARE] = {LEAVE(TOO_OLD, BAD_IMAGE), LEAVE(TOO_OLD, BAD_IMAGE), LEAVE(TOO_OLD, BAD_IMAGE)},
	/* What was begun is finished. */
	[IN_PROGRESS] = {WRITE(TORN), WRITE(TORN), WRITE(TORN)},
	[FAILED] = {WRITE(TORN), WRITE(TORN), WRITE(TORN)},
};

/* Behind the bridge of a unit that was protected here, and cannot be read any more. */
static const struct cell cells_protected[N_MEMORIES][3] = {
	[UNKNOWN] = {WRITE(PROTECTED), WRITE(PROTECTED), WRITE(PROTECTED)},
	[NO_STATE] = {WRITE(PROTECTED), WRITE(PROTECTED), WRITE(PROTECTED)},
	[SAME] = {LEAVE(SAME, CURRENT), LEAVE(SAME, CURRENT), WRITE(ALWAYS)},
	[NEWER] = {COMPARE(DIFFERENT), COMPARE(NEWER), WRITE(ALWAYS)},
	[OLDER] = {COMPARE(DIFFERENT), LEAVE(NOT_NEWER, CURRENT), WRITE(ALWAYS)},
	[EQUAL] = {COMPARE(DIFFERENT), LEAVE(NOT_NEWER, CURRENT), WRITE(ALWAYS)},
	[BARE] = {COMPARE(DIFFERENT), COMPARE(NEWER), WRITE(ALWAYS)},
	[IN_PROGRESS] = {WRITE(TORN), WRITE(TORN), WRITE(TORN)},
	[FAILED] = {WRITE(TORN), WRITE(TORN), WRITE(TORN)},
};

/* Protected, and not by what is remembered: by somebody else, who may have written it before. */
static const struct cell cells_of_others[N_MEMORIES][3] = {
	[UNKNOWN] = {WRITE(PROTECTED), WRITE(PROTECTED), WRITE(PROTECTED)},
	[NO_STATE] = {WRITE(PROTECTED), WRITE(PROTECTED), WRITE(PROTECTED)},
	[SAME] = {WRITE(PROTECTED), WRITE(PROTECTED), WRITE(PROTECTED)},
	[NEWER] = {WRITE(PROTECTED), WRITE(PROTECTED), WRITE(PROTECTED)},
	[OLDER] = {WRITE(PROTECTED), WRITE(PROTECTED), WRITE(PROTECTED)},
	[EQUAL] = {WRITE(PROTECTED), WRITE(PROTECTED), WRITE(PROTECTED)},
	[BARE] = {WRITE(PROTECTED), WRITE(PROTECTED), WRITE(PROTECTED)},
	[IN_PROGRESS] = {WRITE(TORN), WRITE(TORN), WRITE(TORN)},
	[FAILED] = {WRITE(TORN), WRITE(TORN), WRITE(TORN)},
};

/* It was protected, and can be read: who took that away wiped it. */
static const struct cell cells_wiped[N_MEMORIES][3] = {
	[UNKNOWN] = {COMPARE(UNKNOWN), COMPARE(UNKNOWN), WRITE(ALWAYS)},
	[NO_STATE] = {COMPARE(UNKNOWN), COMPARE(UNKNOWN), WRITE(ALWAYS)},
	[SAME] = {COMPARE(UNKNOWN), COMPARE(UNKNOWN), WRITE(ALWAYS)},
	[NEWER] = {COMPARE(UNKNOWN), COMPARE(UNKNOWN), WRITE(ALWAYS)},
	[OLDER] = {COMPARE(UNKNOWN), COMPARE(UNKNOWN), WRITE(ALWAYS)},
	[EQUAL] = {COMPARE(UNKNOWN), COMPARE(UNKNOWN), WRITE(ALWAYS)},
	[BARE] = {COMPARE(UNKNOWN), COMPARE(UNKNOWN), WRITE(ALWAYS)},
	[IN_PROGRESS] = {WRITE(TORN), WRITE(TORN), WRITE(TORN)},
	[FAILED] = {WRITE(TORN), WRITE(TORN), WRITE(TORN)},
};

static const char *const policies[] = {"different", "newer", "always"};

static struct decide_input input_for(const struct store_unit *unit, enum board_update update)
{
	return (struct decide_input){
		.unit = unit,
		.is_identified = true,
		.image = "gate-1.10.hex",
		.version = "1.10",
		.sha256 = IMAGE,
		.rule = RULE,
		.update = update,
		.quarantine_after = 3,
	};
}

static void check_cell(const struct decide_input *input, const struct cell *cell, const char *name)
{
	struct answer answer = {.outcome = OUTCOME_MAX};
	enum cause cause = decide(input, &answer);

	if (answer.word != cell->word || cause != cell->cause || answer.outcome != cell->outcome)
		fail_msg("%s, %s: answer %d, cause %s, outcome %d", name, policies[input->update],
			(int)answer.word, cause_to_string(cause), (int)answer.outcome);
	assert_int_equal(*answer.reason.text != '\0', cell->word == ANSWER_LEAVE);
}

static void fault_46_and_47_every_cell(void **state)
{
	unsigned n_cells = 0;

	(void)state;
	for (enum memory memory = 0; memory < N_MEMORIES; memory++) {
		struct store_unit unit = make(memory);

		for (int update = 0; update < 3; update++) {
			struct decide_input input = input_for(
				memory == UNKNOWN ? NULL : &unit, (enum board_update)update);

			check_cell(&input, &cells[memory][update], memories[memory]);
			input.requires = "1.10";
			check_cell(&input, &cells_requiring[memory][update], memories[memory]);
			input.requires = "";
			check_cell(&input, &cells[memory][update], memories[memory]);
			n_cells += 2;
		}
	}
	print_message("# figure: decision table: %u cells\n", n_cells);
}

static const struct protection {
	const char *name;
	bool is_remembered, is_met;
	const struct cell (*cells)[3];
} protections[] = {
	{"protected as remembered", true, true, cells_protected},
	{"protected by somebody else", false, true, cells_of_others},
	{"no more protected", true, false, cells_wiped},
};

/* A protected chip does not say its id either: it is known by its bridge. */
static void a_unit_that_cannot_be_read(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(protections); i++)
		for (enum memory memory = 0; memory < N_MEMORIES; memory++) {
			const struct protection *row = &protections[i];
			struct store_unit unit = make(memory);

			unit.is_protected = row->is_remembered;
			for (int update = 0; update < 3; update++) {
				struct decide_input input =
					input_for(memory == UNKNOWN ? NULL : &unit,
						(enum board_update)update);

				input.is_protected = row->is_met;
				input.is_identified = !row->is_met;
				check_cell(&input, &row->cells[memory][update], row->name);
			}
		}
}

/* What it has for itself is put into the same pages: it is written, whatever it holds. */
static void a_unit_without_its_own_data_is_written(void **state)
{
	(void)state;
	for (enum memory memory = 0; memory < N_MEMORIES; memory++) {
		struct store_unit unit = make(memory);

		for (int update = 0; update < 3; update++) {
			struct decide_input input = input_for(
				memory == UNKNOWN ? NULL : &unit, (enum board_update)update);
			struct cell cell = cells[memory][update];

			input.lacks_data = true;
			if (cell.word != ANSWER_LEAVE)
				cell.word = ANSWER_WRITE;
			if (cell.cause == CAUSE_SAME)
				cell.cause = CAUSE_NO_DATA;
			check_cell(&input, &cell, memories[memory]);
			/* Protected and remembered, it is no better off. */
			unit.is_protected = input.is_protected = true;
			cell = cells_protected[memory][update];
			if (cell.cause == CAUSE_SAME)
				cell = (struct cell)WRITE(NO_DATA);
			if (cell.word != ANSWER_LEAVE)
				cell.word = ANSWER_WRITE;
			check_cell(&input, &cell, memories[memory]);
			unit.is_protected = false;
		}
	}
}

static void what_was_not_read_is_not_called_verified(void **state)
{
	struct store_unit unit = make(SAME);
	struct decide_input input = input_for(&unit, BOARD_UPDATE_DIFFERENT);
	struct answer answer = {0};

	(void)state;
	unit.is_protected = input.is_protected = true;
	assert_int_equal(decide(&input, &answer), CAUSE_SAME);
	assert_non_null(strstr(answer.reason.text, "nothing was read"));
	assert_non_null(strstr(answer.reason.text, "gate-1.10.hex"));
}

/* One that is known by its bridge only is never found current by a few blocks. */
static void a_unit_known_by_its_bridge_is_compared_in_full(void **state)
{
	(void)state;
	for (enum memory memory = 0; memory < N_MEMORIES; memory++) {
		struct store_unit unit = make(memory);

		for (int update = 0; update < 3; update++) {
			struct decide_input input = input_for(
				memory == UNKNOWN ? NULL : &unit, (enum board_update)update);
			struct cell cell = cells[memory][update];

			if (cell.word == ANSWER_FINGERPRINT)
				cell.word = ANSWER_COMPARE;
			input.is_identified = false;
			check_cell(&input, &cell, memories[memory]);
		}
	}
}

static const struct quarantine_row {
	const char *name;
	uint32_t failures;
	const char *sha256, *rule;
	uint32_t after;
	bool is_quarantined;
} quarantine_rows[] = {
	{"fault 23: never failed", 0, "", "", 3, false},
	{"fault 23: not often enough", 2, IMAGE, RULE, 3, false},
	{"fault 23: as often as the rule allows", 3, IMAGE, RULE, 3, true},
	{"fault 23: oftener, since the rule allows less now", 5, IMAGE, RULE, 3, true},
	{"fault 23: a new image", 3, "2222", RULE, 3, false},
	{"fault 23: a changed rule", 3, IMAGE, "other", 3, false},
	{"fault 23: once is enough", 1, IMAGE, RULE, 1, true},
	{"fault 23: never, by the rule", 99, IMAGE, RULE, 0, false},
};

static void a_unit_that_fails_too_often_is_left_alone(void **state)
{
	static const struct cell quarantined = LEAVE(QUARANTINED, QUARANTINED);

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(quarantine_rows); i++)
		for (enum memory memory = NO_STATE; memory < N_MEMORIES; memory++) {
			const struct quarantine_row *row = &quarantine_rows[i];
			struct store_unit unit = make(memory);
			struct answer ignored = {0};

			unit.failures = row->failures;
			unit.failed_outcome = OUTCOME_WRITE_FAILED;
			snprintf(unit.failed_sha256, sizeof(unit.failed_sha256), "%s", row->sha256);
			snprintf(unit.failed_rule, sizeof(unit.failed_rule), "%s", row->rule);
			for (int update = 0; update < 3; update++) {
				struct decide_input input =
					input_for(&unit, (enum board_update)update);

				input.quarantine_after = row->after;
				check_cell(&input,
					row->is_quarantined ? &quarantined : &cells[memory][update],
					row->name);
				assert_int_equal(
					decide_quarantine(&input, &ignored), row->is_quarantined);
			}
		}
}

/* `said` is in the reason why the unit is left alone, where its last failure was that. */
static void check_fault(const struct decide_input *given, enum outcome failed_as, const char *said)
{
	struct store_unit unit = *given->unit;
	struct decide_input input = *given;
	struct answer answer = {.outcome = OUTCOME_MAX};

	input.unit = &unit;
	unit.failed_outcome = failed_as;
	assert_true(decide_quarantine(&input, &answer));
	if (!strstr(answer.reason.text, said))
		fail_msg("'%s' is not in '%s'", said, answer.reason.text);
}

/* Whatever the rule allows of failures: it holds what it held before, and that runs. */
static void a_unit_that_went_back_is_left_alone(void **state)
{
	static const struct cell left = LEAVE(QUARANTINED, QUARANTINED);

	(void)state;
	for (int update = 0; update < 3; update++)
		for (uint32_t after = 0; after < 5; after++) {
			struct store_unit unit = make(NEWER);
			struct decide_input input = input_for(&unit, (enum board_update)update);

			unit.rollback = ROLLBACK_DONE;
			unit.failures = 1;
			snprintf(unit.failed_sha256, sizeof(unit.failed_sha256), IMAGE);
			snprintf(unit.failed_rule, sizeof(unit.failed_rule), RULE);
			input.quarantine_after = after;
			check_cell(&input, &left, "went back");
			check_fault(&input, OUTCOME_NOT_CONFIRMED, "did not confirm this image");
			check_fault(&input, OUTCOME_NOT_STARTED, "did not start this image");
			check_fault(&input, OUTCOME_BAD_IMAGE,
				"has refused this image for good, and the unit went back to");
			snprintf(unit.failed_rule, sizeof(unit.failed_rule), "other");
			check_cell(&input, &cells[NEWER][update], "a changed rule");
			snprintf(unit.failed_rule, sizeof(unit.failed_rule), RULE);
			snprintf(unit.failed_sha256, sizeof(unit.failed_sha256), "3333");
			check_cell(&input, &cells[NEWER][update], "another image");
		}
}

static const struct drops_row {
	const char *name;
	uint32_t drops;
	uint64_t first, seconds;
} drops_rows[] = {
	{"a hand at the cable", 3, 60, 0},
	{"one more than that", 4, 60, 60},
	{"again", 5, 60, 120},
	{"by the rule", 5, 10, 20},
	{"without a time in the rule", 4, 0, 60},
	{"an hour at most, and no end", 4000000000, 60, 3600},
};

static void the_delay_after_drops_grows(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(drops_rows); i++) {
		const struct drops_row *row = &drops_rows[i];
		uint64_t usec = decide_drops_usec(row->drops, row->first * USEC_PER_SEC);

		if (usec != row->seconds * USEC_PER_SEC)
			fail_msg("%s: %llu", row->name, (unsigned long long)usec);
	}
}

static void a_clock_that_was_set_makes_nobody_wait_for_long(void **state)
{
	struct store_unit unit = {.not_before_ms = 1000000};

	(void)state;
	assert_int_equal(decide_rest_usec(&unit, 990000, 60 * USEC_PER_SEC), 10 * USEC_PER_SEC);
	assert_int_equal(decide_rest_usec(&unit, 1000000, 60 * USEC_PER_SEC), 0);
	assert_int_equal(decide_rest_usec(&unit, 2000000, 60 * USEC_PER_SEC), 0);
	assert_int_equal(decide_rest_usec(&unit, 0, 60 * USEC_PER_SEC), 60 * USEC_PER_SEC);
	unit.not_before_ms = INT64_MAX;
	assert_int_equal(decide_rest_usec(&unit, 1000000, 60 * USEC_PER_SEC), 60 * USEC_PER_SEC);
}

/* Until its time has come, and only with this image and this rule. */
static void a_unit_whose_port_goes_each_time_waits(void **state)
{
	struct store_unit unit = make(IN_PROGRESS);
	struct decide_input input = input_for(&unit, BOARD_UPDATE_DIFFERENT);
	struct answer answer = {.outcome = OUTCOME_MAX};

	(void)state;
	unit.drops = 4;
	unit.not_before_ms = 60000;
	snprintf(unit.failed_sha256, sizeof(unit.failed_sha256), IMAGE);
	snprintf(unit.failed_rule, sizeof(unit.failed_rule), RULE);
	input.now_ms = 30000;
	assert_int_equal(decide(&input, &answer), CAUSE_DROPS);
	assert_int_equal(answer.word, ANSWER_LEAVE);
	assert_int_equal(answer.outcome, OUTCOME_QUARANTINED);
	assert_non_null(strstr(answer.reason.text, "tried again in 30 s"));
	input.now_ms = 59500;
	assert_int_equal(decide(&input, &answer), CAUSE_TORN);
	input.now_ms = 30000;
	input.sha256 = "2222";
	assert_int_equal(decide(&input, &answer), CAUSE_TORN);
	input.sha256 = IMAGE;
	input.rule = "another rule";
	assert_int_equal(decide(&input, &answer), CAUSE_TORN);
	input.rule = RULE;
	unit.drops = 3;
	assert_int_equal(decide(&input, &answer), CAUSE_TORN);
}

/* ------------------------------------------------------------------------ somebody asked for it */

static void what_somebody_asks_for_is_tried_all_the_same(void **state)
{
	static const struct {
		const char *name;
		uint32_t failures, drops;
		enum outcome outcome;
		enum rollback_state rollback;
		bool is_tried;
	} rows[] = {
		{"failed too often", 3, 0, OUTCOME_WRITE_FAILED, ROLLBACK_NONE, true},
		{"failed far too often", 30, 0, OUTCOME_NO_SYNC, ROLLBACK_NONE, true},
		{"went back from it", 1, 0, OUTCOME_NOT_CONFIRMED, ROLLBACK_DONE, true},
		{"went back from one that did not start", 1, 0, OUTCOME_NOT_STARTED, ROLLBACK_DONE,
			true},
		{"could not go back", 3, 0, OUTCOME_NOT_CONFIRMED, ROLLBACK_FAILED, true},
		{"its port goes each time", 0, 4, OUTCOME_UPDATED, ROLLBACK_NONE, true},
		{"refused for good", 1, 0, OUTCOME_BAD_IMAGE, ROLLBACK_NONE, true},
		/* The chip table is to be corrected first. */
		{"other pages", 1, 0, OUTCOME_BAD_CONFIG, ROLLBACK_NONE, false},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct store_unit unit = make(IN_PROGRESS);
		struct decide_input input = input_for(&unit, BOARD_UPDATE_DIFFERENT);
		struct answer answer = {.outcome = OUTCOME_MAX};

		unit.failures = rows[i].failures;
		unit.drops = rows[i].drops;
		unit.not_before_ms = 60000;
		unit.failed_outcome = rows[i].outcome;
		unit.rollback = rows[i].rollback;
		snprintf(unit.failed_sha256, sizeof(unit.failed_sha256), IMAGE);
		snprintf(unit.failed_rule, sizeof(unit.failed_rule), RULE);
		input.quarantine_after = 3;
		input.now_ms = 30000;
		(void)decide(&input, &answer);
		if (answer.word != ANSWER_LEAVE)
			fail_msg("%s: tried without being asked for", rows[i].name);
		input.is_asked = true;
		answer = (struct answer){.outcome = OUTCOME_MAX};
		(void)decide(&input, &answer);
		if ((answer.word != ANSWER_LEAVE) != rows[i].is_tried)
			fail_msg("%s", rows[i].name);
	}
}

/* The rule still says what is done with a unit that holds something. */
static void whoever_asks_does_not_change_the_rule(void **state)
{
	(void)state;
	for (unsigned memory = 0; memory < N_MEMORIES; memory++)
		for (unsigned update = 0; update < 3; update++) {
			struct store_unit unit = make(memory);
			struct decide_input input =
				input_for(memory == UNKNOWN ? NULL : &unit, update);

			input.is_asked = true;
			check_cell(&input, &cells[memory][update], "asked for");
		}
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(what_somebody_asks_for_is_tried_all_the_same),
	cmocka_unit_test(whoever_asks_does_not_change_the_rule),
	cmocka_unit_test(fault_46_and_47_every_cell),
	cmocka_unit_test(a_unit_that_cannot_be_read),
	cmocka_unit_test(a_unit_without_its_own_data_is_written),
	cmocka_unit_test(what_was_not_read_is_not_called_verified),
	cmocka_unit_test(a_unit_known_by_its_bridge_is_compared_in_full),
	cmocka_unit_test(a_unit_that_fails_too_often_is_left_alone),
	cmocka_unit_test(a_unit_that_went_back_is_left_alone),
	cmocka_unit_test(the_delay_after_drops_grows),
	cmocka_unit_test(a_clock_that_was_set_makes_nobody_wait_for_long),
	cmocka_unit_test(a_unit_whose_port_goes_each_time_waits),
};

int main(void)
{
	return cmocka_run_group_tests(tests, NULL, NULL);
}
