/* SPDX-License-Identifier: MIT */
/* The end of an attempt, row by row: what was known of the unit, how the attempt ended, and what is
 * kept and done then. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "base/util.h"
#include "records/settle.h"

#define IMAGE "1111"
#define OLD   "2222"
#define RULE  "rule"
#define UNIT  "0123456789abcdef01234567"
#define OTHER "ffeeddccbbaa998877665544"

#define NOW   INT64_C(1000000000)

/* ------------------------------------------------------------------------------ single questions
 */

static const struct rollback_row {
	const char *name;
	enum outcome outcome;
	const char *previous;
	enum rollback_state rollback;
	bool goes_back;
} rollback_rows[] = {
	{"not confirmed", OUTCOME_NOT_CONFIRMED, "2222", ROLLBACK_NONE, true},
	{"nothing known of before", OUTCOME_NOT_CONFIRMED, "", ROLLBACK_NONE, false},
	{"the same before", OUTCOME_NOT_CONFIRMED, IMAGE, ROLLBACK_NONE, false},
	{"not started", OUTCOME_NOT_STARTED, "2222", ROLLBACK_NONE, true},
	{"not started, nothing known of before", OUTCOME_NOT_STARTED, "", ROLLBACK_NONE, false},
	{"not started, once only", OUTCOME_NOT_STARTED, "2222", ROLLBACK_FAILED, false},
	{"refused for good", OUTCOME_BAD_IMAGE, "2222", ROLLBACK_NONE, true},
	{"refused for good, nothing known of before", OUTCOME_BAD_IMAGE, "", ROLLBACK_NONE, false},
	{"once only", OUTCOME_NOT_CONFIRMED, "2222", ROLLBACK_FAILED, false},
	{"it did", OUTCOME_NOT_CONFIRMED, "2222", ROLLBACK_DONE, false},
	{"confirmed", OUTCOME_UPDATED, "2222", ROLLBACK_NONE, false},
	{"a bad flash", OUTCOME_VERIFY_DIFFERS, "2222", ROLLBACK_NONE, false},
	{"pulled", OUTCOME_PORT_GONE, "2222", ROLLBACK_NONE, false},
};

static void only_an_image_that_does_not_confirm_is_taken_back(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rollback_rows); i++) {
		const struct rollback_row *row = &rollback_rows[i];
		struct report report = {.outcome = row->outcome,
			.phase = PHASE_CONFIRM,
			.sha256 = IMAGE,
			.has_erased = true};
		struct store_unit unit = {.rollback = row->rollback};

		snprintf(unit.previous_sha256, sizeof(unit.previous_sha256), "%s", row->previous);
		if (settle_goes_back(&unit, &report) != row->goes_back)
			fail_msg("%s", row->name);
		/* Refused here, before the unit was touched. */
		report.has_erased = false;
		if (settle_goes_back(&unit, &report) !=
			(row->goes_back && row->outcome != OUTCOME_BAD_IMAGE))
			fail_msg("%s, without an erase", row->name);
	}
}

static void which_outcomes_are_failures_of_the_unit(void **state)
{
	static const bool is_failure[OUTCOME_MAX] = {
		[OUTCOME_FAILED] = true,
		[OUTCOME_NO_SYNC] = true,
		[OUTCOME_WRONG_CHIP] = true,
		[OUTCOME_PROTECTED] = true,
		[OUTCOME_ERASE_FAILED] = true,
		[OUTCOME_WRITE_FAILED] = true,
		[OUTCOME_VERIFY_DIFFERS] = true,
		[OUTCOME_VERIFY_IMPOSSIBLE] = true,
		[OUTCOME_NOT_CONFIRMED] = true,
		[OUTCOME_NOT_STARTED] = true,
	};

	(void)state;
	for (enum outcome outcome = 0; outcome < OUTCOME_MAX; outcome++) {
		const struct report late = {.outcome = outcome, .phase = PHASE_WRITE};
		const struct report early = {.outcome = outcome, .phase = PHASE_IMAGE};
		const struct report erased = {
			.outcome = outcome, .phase = PHASE_ERASE, .has_erased = true};

		assert_int_equal(settle_is_failure(&late), is_failure[outcome]);
		/* Its pages are not as the chip table has them; its loader refused the file. */
		assert_int_equal(settle_is_failure(&erased),
			is_failure[outcome] || outcome == OUTCOME_BAD_CONFIG ||
				outcome == OUTCOME_BAD_IMAGE);
		if (outcome == OUTCOME_FAILED)
			assert_false(settle_is_failure(&early));
	}
}

static const struct again_row {
	const char *name;
	enum outcome outcome;
	uint32_t failures, after;
	uint64_t seconds;
} again_rows[] = {
	{"well", OUTCOME_UPDATED, 0, 3, 0},
	{"first failure", OUTCOME_WRITE_FAILED, 1, 3, 60},
	{"second failure", OUTCOME_WRITE_FAILED, 2, 3, 120},
	{"now in quarantine", OUTCOME_WRITE_FAILED, 3, 3, 0},
	{"no quarantine", OUTCOME_WRITE_FAILED, 3, 0, 240},
	{"an hour at most", OUTCOME_WRITE_FAILED, 1000000, 0, 3600},
	{"no sync", OUTCOME_NO_SYNC, 1, 3, 60},
	{"a wrong chip stays wrong", OUTCOME_WRONG_CHIP, 1, 3, 0},
	{"a protected chip stays so", OUTCOME_PROTECTED, 1, 3, 0},
	{"no fault of the unit", OUTCOME_PORT_GONE, 1, 3, 0},
};

static void the_delay_grows(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(again_rows); i++) {
		const struct again_row *row = &again_rows[i];
		const struct report report = {.outcome = row->outcome, .phase = PHASE_WRITE};
		uint64_t usec =
			settle_again_usec(&report, row->failures, row->after, 60 * USEC_PER_SEC);

		if (usec != row->seconds * USEC_PER_SEC)
			fail_msg("%s: %llu", row->name, (unsigned long long)usec);
	}
}

/* --------------------------------------------------------------------------------- whole ends */

/* What was known of the unit, and what the attempt was. */
enum before {
	NEW = 0,
	KNOWN = 1,	  /* whole, with the old image */
	FAILED_ONCE = 2,  /* with this image and rule */
	FAILED_TWICE = 4, /* the next time it is left alone */
	DROPPED = 8,	  /* three times */
	GOING_BACK = 16,  /* to the old image */
	ERASED = 32,	  /* it was marked, under its chip's id */
	BRIDGE_TORN = 64, /* the bridge has a row of its own, that is torn */
	MAY_GO_BACK = 128,
	FAILED_THRICE = 256,
	BRIDGE_FAILED = 512, /* and of this, that nobody answered behind it */
};

/* How it ends. The chip says UNIT where `answers` is 0. */
struct ending {
	enum outcome outcome;
	enum phase phase;
	enum proof proof;
	enum cause cause;
	int error;
	enum { ITSELF, NOBODY, ANOTHER } answers;
};

#define UPDATED                                                                             \
	{                                                                                   \
		OUTCOME_UPDATED, PHASE_CONFIRM, PROOF_READ_BACK, CAUSE_DIFFERENT, 0, ITSELF \
	}
#define CURRENT                                                                       \
	{                                                                             \
		OUTCOME_CURRENT, PHASE_VERIFY, PROOF_READ_BACK, CAUSE_SAME, 0, ITSELF \
	}
#define NOT_NEWER                                                                       \
	{                                                                               \
		OUTCOME_CURRENT, PHASE_IDENTIFY, PROOF_NONE, CAUSE_NOT_NEWER, 0, ITSELF \
	}
#define BAD_WRITE                                                                         \
	{                                                                                 \
		OUTCOME_WRITE_FAILED, PHASE_WRITE, PROOF_NONE, CAUSE_DIFFERENT, 0, ITSELF \
	}
#define GONE                                                                           \
	{                                                                              \
		OUTCOME_PORT_GONE, PHASE_WRITE, PROOF_NONE, CAUSE_DIFFERENT, 0, ITSELF \
	}
#define GONE_LATE                                                                           \
	{                                                                                   \
		OUTCOME_PORT_GONE, PHASE_LEAVE, PROOF_READ_BACK, CAUSE_DIFFERENT, 0, ITSELF \
	}
#define SILENT                                                                 \
	{                                                                      \
		OUTCOME_NO_SYNC, PHASE_SYNC, PROOF_NONE, CAUSE_NONE, 0, NOBODY \
	}
#define STOPPED                                                                  \
	{                                                                        \
		OUTCOME_CANCELLED, PHASE_SYNC, PROOF_NONE, CAUSE_NONE, 0, NOBODY \
	}
#define BUSY                                                                     \
	{                                                                        \
		OUTCOME_PORT_BUSY, PHASE_OPEN, PROOF_NONE, CAUSE_NONE, 0, NOBODY \
	}
#define NO_IMAGE                                                                 \
	{                                                                        \
		OUTCOME_NO_IMAGE, PHASE_IMAGE, PROOF_NONE, CAUSE_NONE, 0, NOBODY \
	}
#define UNREADABLE                                                               \
	{                                                                        \
		OUTCOME_FAILED, PHASE_IMAGE, PROOF_NONE, CAUSE_NONE, EIO, NOBODY \
	}
#define SHORT                                                                            \
	{                                                                                \
		OUTCOME_FAILED, PHASE_WRITE, PROOF_NONE, CAUSE_DIFFERENT, ENOMEM, ITSELF \
	}
#define UNHEARD                                                                                   \
	{                                                                                         \
		OUTCOME_NOT_CONFIRMED, PHASE_CONFIRM, PROOF_READ_BACK, CAUSE_DIFFERENT, 0, ITSELF \
	}
#define NO_START                                                                           \
	{                                                                                  \
		OUTCOME_NOT_STARTED, PHASE_LEAVE, PROOF_DIGEST, CAUSE_DIFFERENT, 0, ITSELF \
	}
#define TWIN                                                                      \
	{                                                                         \
		OUTCOME_FAILED, PHASE_IDENTIFY, PROOF_NONE, CAUSE_TWIN, 0, ITSELF \
	}
#define TOO_MANY                                                                      \
	{                                                                             \
		OUTCOME_FAILED, PHASE_IDENTIFY, PROOF_NONE, CAUSE_TOO_MANY, 0, ITSELF \
	}
#define SWAPPED                                                                        \
	{                                                                              \
		OUTCOME_FAILED, PHASE_IDENTIFY, PROOF_NONE, CAUSE_ROLLBACK, 0, ANOTHER \
	}
#define OTHER_ONE                                                                           \
	{                                                                                   \
		OUTCOME_WRONG_CHIP, PHASE_IDENTIFY, PROOF_NONE, CAUSE_DIFFERENT, 0, ANOTHER \
	}

/* The row of the unit afterwards. */
enum after {
	NO_ROW,	     /* the end is not about the unit */
	NO_STATE,    /* it is, and says nothing of what the unit holds */
	WHOLE,	     /* with this image */
	IN_PROGRESS, /* cut off */
	TORN,	     /* ended badly */
	UNTOUCHED,   /* whole, with the old image */
};

static const struct row {
	const char *name;
	unsigned before;
	struct ending ending;
	enum after after;
	uint32_t failures, drops;
	unsigned again_s;
	enum rollback_state rollback; /* of the attempt */
	unsigned quarantined_after, told_drops;
	unsigned n_units; /* rows of units in the commit */
} rows[] = {
	{"a new unit is updated", ERASED, UPDATED, WHOLE, .n_units = 1},
	{"a known unit is updated", KNOWN | ERASED, UPDATED, WHOLE, .n_units = 1},
	{"a unit that failed is updated", FAILED_TWICE | ERASED, UPDATED, WHOLE, .n_units = 1},
	{"a unit that dropped is updated", DROPPED | ERASED, UPDATED, WHOLE, .n_units = 1},
	{"a new unit is current", NEW, CURRENT, WHOLE, .n_units = 1},
	{"a unit holds something newer", KNOWN, NOT_NEWER, UNTOUCHED, .n_units = 1},
	{"its bridge was torn before it said its id", BRIDGE_TORN | ERASED, UPDATED, WHOLE,
		.n_units = 2},
	{"another chip answers well where a bridge was torn", BRIDGE_TORN, CURRENT, WHOLE,
		.n_units = 2},
	{"a chip answers well where nobody did", BRIDGE_FAILED, CURRENT, WHOLE, .n_units = 2},
	{"a bad end says nothing of the bridge", BRIDGE_TORN | ERASED, BAD_WRITE, TORN, 1, 0, 60,
		.n_units = 1},

	{"a first failure", KNOWN | ERASED, BAD_WRITE, TORN, 1, 0, 60, .n_units = 1},
	{"a second failure", FAILED_ONCE | ERASED, BAD_WRITE, TORN, 2, 0, 120, .n_units = 1},
	{"a third failure", FAILED_TWICE | ERASED, BAD_WRITE, TORN, 3, 0, 0, .quarantined_after = 3,
		.n_units = 1},
	{"a silent chip", NEW, SILENT, NO_STATE, 1, 0, 60, .n_units = 1},
	{"a silent chip, once it was erased", KNOWN | ERASED, SILENT, TORN, 1, 0, 60, .n_units = 1},
	{"the host is short of memory", KNOWN | ERASED, SHORT, TORN, 0, 0, 60, .n_units = 1},
	{"a port that is held", KNOWN, BUSY, NO_ROW, .n_units = 0},
	{"no image", KNOWN, NO_IMAGE, NO_ROW, .n_units = 0},
	{"stopped before the erase", KNOWN, STOPPED, NO_ROW, .n_units = 0},
	{"stopped after it", KNOWN | ERASED, STOPPED, IN_PROGRESS, .n_units = 1},
	{"a port that is held once it was erased", KNOWN | ERASED, BUSY, IN_PROGRESS, .n_units = 1},
	{"a twin", KNOWN, TWIN, NO_ROW, .n_units = 0},
	{"too many of them", NEW, TOO_MANY, NO_STATE, 0, 0, 600, .n_units = 1},

	{"pulled once", KNOWN | ERASED, GONE, IN_PROGRESS, 0, 1, 0, .n_units = 1},
	{"pulled a fourth time", DROPPED | ERASED, GONE, IN_PROGRESS, 0, 4, 60, .told_drops = 4,
		.n_units = 1},
	{"pulled, and it had failed", FAILED_ONCE | ERASED, GONE, IN_PROGRESS, 1, 1, 0,
		.n_units = 1},
	{"a failure ends the drops", DROPPED | ERASED, BAD_WRITE, TORN, 1, 0, 60, .n_units = 1},
	{"pulled once it was verified", DROPPED | ERASED, GONE_LATE, WHOLE, .n_units = 1},
	{"pulled before the erase", KNOWN, GONE, UNTOUCHED, .n_units = 1},

	{"not confirmed", KNOWN | ERASED | MAY_GO_BACK, UNHEARD, TORN, 1, 0, 60, ROLLBACK_WANTED,
		.n_units = 1},
	{"not confirmed, by a rule without rollback", KNOWN | ERASED, UNHEARD, TORN, 1, 0, 60,
		.n_units = 1},
	{"not confirmed, and nothing known of before", ERASED | MAY_GO_BACK, UNHEARD, TORN, 1, 0,
		60, .n_units = 1},
	{"not started", KNOWN | ERASED | MAY_GO_BACK, NO_START, TORN, 1, 0, 60, ROLLBACK_WANTED,
		.n_units = 1},
	{"not started, by a rule without rollback", KNOWN | ERASED, NO_START, TORN, 1, 0, 60,
		.n_units = 1},
	{"not started, and had failed too often", FAILED_TWICE | ERASED, NO_START, TORN, 3, 0, 0,
		.quarantined_after = 3, .n_units = 1},
	{"a bad write is no reason to go back", KNOWN | ERASED | MAY_GO_BACK, BAD_WRITE, TORN, 1, 0,
		60, .n_units = 1},
	{"it goes back", FAILED_ONCE | GOING_BACK | ERASED, UPDATED, WHOLE, 1, 0, 0, ROLLBACK_DONE,
		.n_units = 1},
	{"it does not, and is tried with its image again", FAILED_ONCE | GOING_BACK | ERASED,
		BAD_WRITE, TORN, 1, 0, 60, ROLLBACK_FAILED, .n_units = 1},
	{"it does not, and had failed too often", FAILED_TWICE | GOING_BACK | ERASED, BAD_WRITE,
		TORN, 2, 0, 120, ROLLBACK_FAILED, .n_units = 1},
	{"it does not, and is left alone", FAILED_THRICE | GOING_BACK | ERASED, BAD_WRITE, TORN, 3,
		0, 0, ROLLBACK_FAILED, .quarantined_after = 3, .n_units = 1},
	{"no file is the image to go back to", FAILED_ONCE | GOING_BACK, NO_IMAGE, UNTOUCHED, 1, 0,
		60, ROLLBACK_FAILED, .n_units = 1},
	{"the image to go back to cannot be looked up", FAILED_ONCE | GOING_BACK, UNREADABLE,
		UNTOUCHED, 1, 0, 0, .n_units = 1},
	{"pulled on the way back", FAILED_ONCE | GOING_BACK | ERASED, GONE, IN_PROGRESS, 1, 0, 0,
		.n_units = 1},
	{"another unit answers on the way back", KNOWN | GOING_BACK, SWAPPED, NO_ROW, .n_units = 0},
};

static struct attempt make_attempt(const struct row *row)
{
	struct attempt attempt = {.id = "a1", .board = "gate"};

	attempt.policy = (struct attempt_policy){.quarantine_after = 3,
		.again_after_usec = 60 * USEC_PER_SEC,
		.rollback = row->before & MAY_GO_BACK,
		.rule_mark = RULE};
	attempt.note.cause = row->ending.cause;
	attempt.note.wait_usec = 600 * USEC_PER_SEC;
	return attempt;
}

static struct store_unit make_unit(unsigned before)
{
	struct store_unit unit = {.chip = "F103xC", .unit = UNIT, .seen_ms = 1};

	if (before & (KNOWN | FAILED_ONCE | FAILED_TWICE | FAILED_THRICE | DROPPED)) {
		unit.has_state = true;
		text_copy(unit.image, sizeof(unit.image), "old.hex");
		text_copy(unit.sha256, sizeof(unit.sha256), OLD);
	}
	if (before & (FAILED_ONCE | FAILED_TWICE | FAILED_THRICE | DROPPED)) {
		text_copy(unit.failed_sha256, sizeof(unit.failed_sha256), IMAGE);
		text_copy(unit.failed_rule, sizeof(unit.failed_rule), RULE);
		unit.failed_outcome = OUTCOME_WRITE_FAILED;
	}
	unit.failures = before & FAILED_ONCE	 ? 1
			: before & FAILED_TWICE	 ? 2
			: before & FAILED_THRICE ? 3
						 : 0;
	unit.drops = before & DROPPED ? 3 : 0;
	return unit;
}

static struct report make_report(const struct ending *ending, bool was_erased)
{
	struct report report = {.outcome = ending->outcome,
		.phase = ending->phase,
		.proof = ending->proof,
		.error = ending->error,
		.has_product_id = ending->answers != NOBODY,
		.product_id = 0x414,
		.family = "stm32",
		.has_erased = was_erased,
		.image = "new.hex",
		.version = "2.0",
		.sha256 = IMAGE};

	if (ending->answers != NOBODY) {
		text_copy(report.chip, sizeof(report.chip), "F103xC");
		text_copy(
			report.unit, sizeof(report.unit), ending->answers == ITSELF ? UNIT : OTHER);
	}
	return report;
}

static const struct facts facts = {
	.port = (char *)"/dev/ttyUSB0",
	.vendor_id = 0x10c4,
	.product_id = 0xea60,
	.serial = (char *)"0001",
	.usb_path = (char *)"pci-1",
};

/* What a worker's questions leave before its end: the mark, or the rollback. */
static void ask(struct attempt *attempt, const struct row *row, struct store_unit *unit)
{
	const struct ending answers = {.answers = ITSELF};
	const struct report so_far = make_report(&answers, false);
	struct store_rows marks = {0};

	attempt_unit_key(&facts, &so_far, unit->key);
	if (row->before & GOING_BACK) {
		rollback_enter(&attempt->rollback, ROLLBACK_WANTED);
		rollback_enter(&attempt->rollback, ROLLBACK_BEGUN);
		text_copy(attempt->rollback.key, sizeof(attempt->rollback.key), unit->key);
		text_copy(attempt->rollback.failed, sizeof(attempt->rollback.failed), "new.hex");
	}
	if (!(row->before & ERASED))
		return;
	settle_erase(attempt, &facts, &so_far, unit, NOW, &marks);
	assert_int_equal(marks.n_units, 1);
	assert_int_equal(marks.units[0].state, UNIT_IN_PROGRESS);
	attempt->note.marked = *unit;
	attempt->note.is_marked = true;
	text_copy(attempt->note.erased_unit, sizeof(attempt->note.erased_unit), UNIT);
	text_copy(attempt->note.erased_chip, sizeof(attempt->note.erased_chip), "F103xC");
	*unit = marks.units[0];
}

static void check_unit(const struct row *row, const struct store_rows *written)
{
	static const struct {
		bool has_state;
		enum unit_state state;
		const char *sha256;
	} states[] = {
		[NO_STATE] = {false, UNIT_WHOLE, ""},
		[WHOLE] = {true, UNIT_WHOLE, IMAGE},
		[IN_PROGRESS] = {true, UNIT_IN_PROGRESS, IMAGE},
		[TORN] = {true, UNIT_FAILED, IMAGE},
		[UNTOUCHED] = {true, UNIT_WHOLE, OLD},
	};
	const struct store_unit *unit = &written->units[0];

	if (written->n_units != row->n_units)
		fail_msg("%s: %u rows of units", row->name, written->n_units);
	if (row->after == NO_ROW)
		return;
	if (unit->has_state != states[row->after].has_state ||
		unit->state != states[row->after].state ||
		strcmp(unit->sha256, states[row->after].sha256) != 0)
		fail_msg("%s: state %d %d '%s'", row->name, unit->has_state, unit->state,
			unit->sha256);
	if (unit->failures != row->failures || unit->drops != row->drops)
		fail_msg("%s: %u failures, %u drops", row->name, unit->failures, unit->drops);
	if (row->again_s > 0 && unit->not_before_ms != NOW + row->again_s * INT64_C(1000))
		fail_msg("%s: not before %lld", row->name, (long long)unit->not_before_ms);
	/* The row keeps only how a rollback ended, and goes back once. */
	if (row->rollback == ROLLBACK_DONE)
		assert_string_equal(unit->previous_sha256, "");
	assert_int_equal(
		unit->rollback, row->rollback == ROLLBACK_WANTED ? ROLLBACK_NONE : row->rollback);
}

static void every_end(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		const struct row *row = &rows[i];
		struct attempt attempt = make_attempt(row);
		struct store_unit unit = make_unit(row->before);
		struct report report;
		struct settle_input input = {.attempt = &attempt,
			.facts = &facts,
			.report = &report,
			.has_store = true,
			.now_ms = NOW};
		struct settled settled;

		ask(&attempt, row, &unit);
		report = make_report(&row->ending, row->before & ERASED);
		settle_report(&attempt, &report);
		settle_key(&attempt, &facts, &report, input.unit.key);
		if (row->ending.answers == NOBODY && !(row->before & (ERASED | GOING_BACK)))
			unit = (struct store_unit){0};
		text_copy(unit.key, sizeof(unit.key), input.unit.key);
		input.unit = unit;
		attempt_bridge_key(&facts, input.bridge.key);
		if (row->before & BRIDGE_TORN) {
			input.bridge.has_state = true;
			input.bridge.state = UNIT_IN_PROGRESS;
		}
		input.bridge.failures = row->before & BRIDGE_FAILED ? 1 : 0;
		settle(&input, &settled);
		check_unit(row, &settled.rows);
		if (settled.rows.n_units == 2)
			assert_true(!settled.rows.units[1].has_state &&
				    settled.rows.units[1].failures == 0);
		assert_true(settled.rows.has_attempt);
		assert_int_equal(settled.rows.attempt.ended_ms, NOW);
		assert_string_equal(settled.rows.attempt.job, "a1");
		if (settled.again_usec != row->again_s * USEC_PER_SEC ||
			settled.quarantined_after != row->quarantined_after ||
			settled.drops != row->told_drops || settled.rollback.state != row->rollback)
			fail_msg("%s: again in %llu s, quarantined after %u, %u drops, rollback %d",
				row->name, (unsigned long long)(settled.again_usec / USEC_PER_SEC),
				settled.quarantined_after, settled.drops, settled.rollback.state);
	}
	print_message("# figure: ends: %zu rows\n", ARRAY_SIZE(rows));
}

/* However a check ends, and whatever is known of the unit. */
static void a_check_leaves_a_row_of_its_own_and_nothing_of_the_unit(void **state)
{
	static const unsigned befores[] = {
		NEW, KNOWN, FAILED_ONCE, FAILED_TWICE, FAILED_THRICE, DROPPED};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(befores); i++)
		for (enum outcome outcome = 0; outcome < OUTCOME_MAX; outcome++)
			for (enum attempt_operation operation = OPERATION_VERIFY;
				operation <= OPERATION_IDENTIFY; operation++) {
				const struct row row = {.before = befores[i],
					.ending = {.outcome = outcome, .phase = PHASE_COMPARE}};
				struct attempt attempt = make_attempt(&row);
				struct report report = make_report(&row.ending, false);
				struct settle_input input = {.attempt = &attempt,
					.facts = &facts,
					.report = &report,
					.unit = make_unit(row.before),
					.has_store = true,
					.now_ms = NOW};
				struct settled settled;

				attempt.operation = operation;
				attempt.policy.rollback = true;
				input.bridge.failures = 1;
				settle(&input, &settled);
				assert_int_equal(settled.rows.n_units, 0);
				assert_false(settled.rows.has_serial);
				assert_true(settled.rows.has_attempt);
				assert_string_equal(settled.rows.attempt.operation,
					attempt_operation_to_string(operation));
				assert_int_equal(settled.again_usec, 0);
				assert_int_equal(settled.quarantined_after, 0);
				assert_int_equal(settled.drops, 0);
				assert_int_equal(settled.rollback.state, ROLLBACK_NONE);
			}
}

static const struct disproof_row {
	const char *name;
	enum attempt_operation operation;
	enum outcome outcome;
	const char *holds;
	enum unit_state state;
	bool is_named, is_disproved;
} disproofs[] = {
	{"differs", OPERATION_VERIFY, OUTCOME_VERIFY_DIFFERS, IMAGE, UNIT_WHOLE, true, true},
	{"holds it", OPERATION_VERIFY, OUTCOME_CURRENT, IMAGE, UNIT_WHOLE, true, false},
	{"cannot be read", OPERATION_VERIFY, OUTCOME_VERIFY_IMPOSSIBLE, IMAGE, UNIT_WHOLE, true,
		false},
	{"from another image", OPERATION_VERIFY, OUTCOME_VERIFY_DIFFERS, OLD, UNIT_WHOLE, true,
		false},
	{"and is torn", OPERATION_VERIFY, OUTCOME_VERIFY_DIFFERS, IMAGE, UNIT_FAILED, true, false},
	{"of nobody knows whom", OPERATION_VERIFY, OUTCOME_VERIFY_DIFFERS, IMAGE, UNIT_WHOLE, false,
		false},
};

static void a_record_is_disproved_by_the_bytes_alone(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(disproofs); i++) {
		const struct disproof_row *disproof = &disproofs[i];
		const struct row row = {.before = KNOWN,
			.ending = {.outcome = disproof->outcome,
				.phase = PHASE_COMPARE,
				.answers = disproof->is_named ? ITSELF : NOBODY}};
		struct attempt attempt = make_attempt(&row);
		struct report report = make_report(&row.ending, false);
		struct settle_input input = {.attempt = &attempt,
			.facts = &facts,
			.report = &report,
			.unit = make_unit(FAILED_ONCE),
			.has_store = true,
			.now_ms = NOW};
		struct settled settled;

		attempt.operation = disproof->operation;
		text_copy(input.unit.sha256, sizeof(input.unit.sha256), disproof->holds);
		input.unit.state = disproof->state;
		settle(&input, &settled);
		if (settled.rows.n_units != disproof->is_disproved)
			fail_msg("%s", disproof->name);
		if (!disproof->is_disproved)
			continue;
		assert_false(settled.rows.units[0].has_state);
		assert_int_equal(settled.rows.units[0].failures, 1);
		assert_int_equal(settled.rows.units[0].seen_ms, input.unit.seen_ms);
	}
}

static void what_somebody_cancelled_is_not_tried_again(void **state)
{
	static const struct row row = {.ending = SILENT};
	struct attempt attempt = make_attempt(&row);
	struct report report = make_report(&row.ending, false);
	struct settle_input input = {.attempt = &attempt,
		.facts = &facts,
		.report = &report,
		.has_store = true,
		.now_ms = NOW};
	struct settled settled;

	(void)state;
	settle(&input, &settled);
	assert_int_equal(settled.again_usec, 60 * USEC_PER_SEC);
	attempt.is_cancelled = true;
	settle(&input, &settled);
	assert_int_equal(settled.again_usec, 0);
	assert_int_equal(settled.rows.units[0].not_before_ms, 0);
}

/* What a unit that was erased is told to have ended as, whoever answers later. */
static void an_end_is_about_the_unit_that_was_erased(void **state)
{
	static const struct row row = {"", KNOWN | ERASED, OTHER_ONE, TORN, .n_units = 1};
	struct attempt attempt = make_attempt(&row);
	struct store_unit unit = make_unit(row.before);
	struct report report;
	char key[STORE_KEY_MAX];

	(void)state;
	ask(&attempt, &row, &unit);
	report = make_report(&row.ending, true);
	settle_report(&attempt, &report);
	assert_int_equal(report.outcome, OUTCOME_FAILED);
	assert_string_equal(report.unit, UNIT);
	assert_non_null(strstr(report.reason.text, OTHER " answers now"));
	settle_key(&attempt, &facts, &report, key);
	assert_string_equal(key, unit.key);
}

/* What the application did not do stands in the entry of the attempt that went back from it. */
static void a_unit_that_is_back_says_what_was_wrong_with_the_other_image(void **state)
{
	static const struct {
		struct ending ending;
		const char *said;
	} faults[] = {{UNHEARD, "did not confirm"}, {NO_START, "did not start"}};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(faults); i++) {
		const struct row row = {
			"", KNOWN | ERASED | MAY_GO_BACK, faults[i].ending, TORN, .n_units = 1};
		struct attempt attempt = make_attempt(&row);
		struct store_unit unit = make_unit(row.before);
		struct report report, back = {.outcome = OUTCOME_UPDATED};
		struct settle_input input = {.attempt = &attempt,
			.facts = &facts,
			.report = &report,
			.has_store = true,
			.now_ms = NOW};
		struct settled settled;

		ask(&attempt, &row, &unit);
		report = make_report(&row.ending, true);
		settle_key(&attempt, &facts, &report, unit.key);
		input.unit = unit;
		settle(&input, &settled);
		assert_int_equal(settled.rollback.failed_as, faults[i].ending.outcome);
		attempt.rollback = settled.rollback;
		rollback_enter(&attempt.rollback, ROLLBACK_BEGUN);
		attempt.note.is_marked = false;
		settle_report(&attempt, &back);
		if (!strstr(back.reason.text, faults[i].said))
			fail_msg("'%s' is not in '%s'", faults[i].said, back.reason.text);
	}
}

static void a_unit_that_has_no_image_to_go_back_to_counts_as_tried(void **state)
{
	static const struct row row = {"", 0, UNHEARD, TORN, .n_units = 1};

	(void)state;
	for (uint32_t failures = 1; failures < 5; failures++) {
		struct attempt attempt = make_attempt(&row);
		struct store_unit unit = {.failures = failures};

		rollback_enter(&attempt.rollback, ROLLBACK_WANTED);
		assert_int_equal(settle_no_rollback(&attempt, &unit), failures >= 3);
		assert_int_equal(unit.rollback, ROLLBACK_FAILED);
		assert_false(attempt_goes_back(&attempt));
	}
}

/* What is whole at the erase is what it can go back to; the same written once more is nothing. */
static void an_erase_keeps_what_was_whole(void **state)
{
	static const struct row row = {"", KNOWN, UPDATED, WHOLE, .n_units = 1};
	const struct attempt attempt = make_attempt(&row);
	struct store_unit unit = make_unit(KNOWN);
	struct report report = make_report(&row.ending, false);
	struct store_rows marks = {0};

	(void)state;
	settle_erase(&attempt, &facts, &report, &unit, NOW, &marks);
	assert_string_equal(marks.units[0].previous_sha256, OLD);
	assert_string_equal(marks.units[0].previous_image, "old.hex");
	text_copy(unit.sha256, sizeof(unit.sha256), IMAGE);
	marks = (struct store_rows){0};
	settle_erase(&attempt, &facts, &report, &unit, NOW, &marks);
	assert_string_equal(marks.units[0].previous_sha256, "");
}

/* It stays on record until the unit is whole again, and was erased once more. */
static void what_a_unit_had_before_its_erase_is_kept_with_it(void **state)
{
	static const struct row row = {.before = KNOWN | ERASED};
	struct attempt attempt = make_attempt(&row);
	struct store_unit unit = make_unit(KNOWN);
	struct report report = make_report(&row.ending, false);
	struct store_rows marks = {0};

	(void)state;
	text_copy(report.kept, sizeof(report.kept), "0011");
	settle_erase(&attempt, &facts, &report, &unit, NOW, &marks);
	assert_string_equal(marks.units[0].kept, "0011");
	assert_string_equal(marks.attempt.report.kept, "0011");
	/* Torn, it has nothing any more. */
	unit = marks.units[0];
	report.kept[0] = '\0';
	marks = (struct store_rows){0};
	settle_erase(&attempt, &facts, &report, &unit, NOW, &marks);
	assert_string_equal(marks.units[0].kept, "0011");
	unit.state = UNIT_FAILED;
	marks = (struct store_rows){0};
	settle_erase(&attempt, &facts, &report, &unit, NOW, &marks);
	assert_string_equal(marks.units[0].kept, "0011");
	/* Whole in between: what it has not any more is somebody else's doing. */
	unit.state = UNIT_WHOLE;
	marks = (struct store_rows){0};
	settle_erase(&attempt, &facts, &report, &unit, NOW, &marks);
	assert_string_equal(marks.units[0].kept, "");
}

/* At the next plug-in it does not say its id. */
static void a_chip_that_is_protected_is_known_by_its_bridge_too(void **state)
{
	static const struct {
		enum outcome outcome;
		enum phase phase;
		unsigned n_units;
	} ends[] = {
		{OUTCOME_UPDATED, PHASE_PROTECT, 2},
		{OUTCOME_FAILED, PHASE_PROTECT, 2},
		{OUTCOME_FAILED, PHASE_WRITE, 1},
	};
	static const struct row row = {"", KNOWN | ERASED, UPDATED, WHOLE, .n_units = 2};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(ends); i++) {
		struct attempt attempt = make_attempt(&row);
		struct store_unit unit = make_unit(row.before);
		struct report report = make_report(&row.ending, true);
		struct settle_input input = {
			.attempt = &attempt, .facts = &facts, .report = &report, .has_store = true};
		struct settled settled;

		ask(&attempt, &row, &unit);
		report.is_protected = true;
		report.outcome = ends[i].outcome;
		report.phase = ends[i].phase;
		input.unit = unit;
		attempt_bridge_key(&facts, input.bridge.key);
		settle(&input, &settled);
		assert_int_equal(settled.rows.n_units, ends[i].n_units);
		assert_int_equal(settled.rows.units[0].is_protected, ends[i].n_units == 2);
		if (ends[i].n_units == 1)
			continue;
		assert_string_equal(settled.rows.units[1].key, input.bridge.key);
		assert_string_equal(settled.rows.units[1].unit, UNIT);
		assert_true(settled.rows.units[1].is_protected);
	}
}

static void a_value_is_in_the_flash_from_its_first_good_end_on(void **state)
{
	static const struct ending ends[] = {UPDATED, BAD_WRITE};
	struct store_serial serial = {.value = "1000", .given_ms = 1};

	(void)state;
	for (size_t i = 0; i < 2 * ARRAY_SIZE(ends); i++) {
		const struct row row = {"", ERASED, ends[i / 2], WHOLE, .n_units = 1};
		struct attempt attempt = make_attempt(&row);
		struct store_unit unit = make_unit(row.before);
		struct report report = make_report(&row.ending, true);
		struct settle_input input = {.attempt = &attempt,
			.facts = &facts,
			.report = &report,
			.serial = &serial,
			.now_ms = NOW};
		struct settled settled;

		ask(&attempt, &row, &unit);
		text_copy(report.unit_data, sizeof(report.unit_data), "1000");
		input.unit = unit;
		serial.written_ms = i % 2 == 0 ? 0 : 5;
		settle(&input, &settled);
		assert_int_equal(settled.rows.has_serial, i == 0);
		if (i == 0)
			assert_int_equal(settled.rows.serial.written_ms, NOW);
	}
}

static void without_a_store_the_row_that_is_away_is_not_replaced(void **state)
{
	static const struct row row = {"", NEW, SILENT, NO_ROW, .n_units = 0};
	const struct attempt attempt = make_attempt(&row);
	struct report report = make_report(&row.ending, false);
	struct settle_input input = {
		.attempt = &attempt, .facts = &facts, .report = &report, .now_ms = NOW};
	struct settled settled;

	(void)state;
	settle(&input, &settled);
	assert_int_equal(settled.rows.n_units, 0);
	assert_true(settled.rows.has_attempt);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(only_an_image_that_does_not_confirm_is_taken_back),
	cmocka_unit_test(which_outcomes_are_failures_of_the_unit),
	cmocka_unit_test(the_delay_grows),
	cmocka_unit_test(a_check_leaves_a_row_of_its_own_and_nothing_of_the_unit),
	cmocka_unit_test(a_record_is_disproved_by_the_bytes_alone),
	cmocka_unit_test(what_somebody_cancelled_is_not_tried_again),
	cmocka_unit_test(every_end),
	cmocka_unit_test(an_end_is_about_the_unit_that_was_erased),
	cmocka_unit_test(a_unit_that_is_back_says_what_was_wrong_with_the_other_image),
	cmocka_unit_test(a_unit_that_has_no_image_to_go_back_to_counts_as_tried),
	cmocka_unit_test(an_erase_keeps_what_was_whole),
	cmocka_unit_test(what_a_unit_had_before_its_erase_is_kept_with_it),
	cmocka_unit_test(a_chip_that_is_protected_is_known_by_its_bridge_too),
	cmocka_unit_test(a_value_is_in_the_flash_from_its_first_good_end_on),
	cmocka_unit_test(without_a_store_the_row_that_is_away_is_not_replaced),
};

int main(void)
{
	return cmocka_run_group_tests(tests, NULL, NULL);
}
