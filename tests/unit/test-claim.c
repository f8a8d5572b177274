/* SPDX-License-Identifier: MIT */
/*
 * What a worker may say, by what it asked before: every pair of questions and ends, and each field
 * that a worker which was taken over may bend.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/util.h"
#include "service/claim.h"

#define UNIT  "001122334455667788990011"
#define OTHER "001122334455667788990012"
#define SHA   "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"
#define SHA_B "60303ae22b998861bce3b28f33eec1be758a213c86c93c076dbe9f558c11c752"

static const struct claim_bounds bounds = {.image = "gate-1.1.0.hex", .version = "1.1.0"};

/* A sound report of the unit in this phase. */
static struct report report_of(enum outcome outcome, enum phase phase)
{
	return (struct report){
		.outcome = outcome,
		.phase = phase,
		.image = "gate-1.1.0.hex",
		.version = "1.1.0",
		.sha256 = SHA,
		.has_product_id = true,
		.family = "stm32",
		.product_id = 0x414,
		.unit = UNIT,
		.proof = PROOF_READ_BACK,
	};
}

/* Asks and is told to go on. */
static const char *ask(struct claim *claim, enum question question, const struct report *so_far)
{
	const struct answer go = {.word = ANSWER_GO};
	const char *lie = claim_check_question(claim, question, so_far);

	if (!lie)
		claim_note(claim, question, so_far, &go);
	return lie;
}

/* The questions of a letter each, as far as they may come: o(pen), t(rust), d(ecide), e(rase). */
static const char *ask_all(struct claim *claim, const char *questions)
{
	const struct report so_far = report_of(OUTCOME_FAILED, PHASE_IDENTIFY);
	const char *lie = NULL;

	for (; *questions && !lie; questions++)
		lie = ask(claim,
			*questions == 'o'   ? QUESTION_OPEN
			: *questions == 't' ? QUESTION_TRUST
			: *questions == 'd' ? QUESTION_DECIDE
					    : QUESTION_ERASE,
			&so_far);
	return lie;
}

static void questions_come_in_their_order_and_once(void **state)
{
	static const struct {
		const char *questions;
		bool is_lie;
	} rows[] = {{"o", false}, {"od", false}, {"ode", false}, {"d", true}, {"e", true},
		{"oe", true}, {"oo", true}, {"odd", true}, {"odee", true}, {"odeo", true},
		{"oded", true}, {"t", true}, {"otde", false}, {"ott", true}, {"odet", false}};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct claim claim = {0};
		bool is_lie = ask_all(&claim, rows[i].questions) != NULL;

		if (is_lie != rows[i].is_lie)
			fail_msg("%s", rows[i].questions);
	}
}

static void an_end_follows_from_the_questions(void **state)
{
	static const struct {
		const char *questions;
		enum outcome outcome;
		enum phase phase;
		bool is_lie;
	} rows[] = {
		{"", OUTCOME_UPDATED, PHASE_LEAVE, true},
		{"o", OUTCOME_UPDATED, PHASE_LEAVE, true},
		{"od", OUTCOME_UPDATED, PHASE_LEAVE, true},
		{"ode", OUTCOME_UPDATED, PHASE_LEAVE, false},
		{"ode", OUTCOME_UPDATED, PHASE_CONFIRM, false},
		{"", OUTCOME_CURRENT, PHASE_LEAVE, true},
		{"", OUTCOME_CURRENT, PHASE_IMAGE, true},
		{"o", OUTCOME_CURRENT, PHASE_LEAVE, true},
		{"od", OUTCOME_CURRENT, PHASE_LEAVE, false},
		{"ode", OUTCOME_CURRENT, PHASE_LEAVE, true},
		{"", OUTCOME_NO_SYNC, PHASE_SYNC, true},
		{"o", OUTCOME_NO_SYNC, PHASE_SYNC, false},
		{"", OUTCOME_BAD_IMAGE, PHASE_IMAGE, false},
		{"", OUTCOME_FAILED, PHASE_NONE, false},
		{"od", OUTCOME_FAILED, PHASE_COMPARE, false},
		{"od", OUTCOME_WRITE_FAILED, PHASE_WRITE, true},
		{"od", OUTCOME_ERASE_FAILED, PHASE_COMPARE, true},
		{"od", OUTCOME_VERIFY_DIFFERS, PHASE_VERIFY, true},
		{"ode", OUTCOME_VERIFY_DIFFERS, PHASE_VERIFY, false},
		{"ode", OUTCOME_WRONG_CHIP, PHASE_IDENTIFY, false},
		{"o", OUTCOME_PORT_BUSY, PHASE_OPEN, false},
		{"ode", OUTCOME_PORT_BUSY, PHASE_OPEN, true},
		{"ode", OUTCOME_PORT_GONE, PHASE_WRITE, false},
		{"od", OUTCOME_QUARANTINED, PHASE_IDENTIFY, true},
		{"", OUTCOME_NO_MATCH, PHASE_NONE, true},
		{"", OUTCOME_AMBIGUOUS, PHASE_NONE, true},
		{"od", OUTCOME_CANCELLED, PHASE_COMPARE, true},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		const struct report report = report_of(rows[i].outcome, rows[i].phase);
		struct claim claim = {0};
		const char *lie;

		assert_null(ask_all(&claim, rows[i].questions));
		lie = claim_check_report(&claim, &bounds, &report);
		if ((lie != NULL) != rows[i].is_lie)
			fail_msg("'%s', %s: %s", rows[i].questions,
				outcome_to_string(rows[i].outcome), lie ? lie : "believed");
	}
}

static void an_erase_without_leave_is_told(void **state)
{
	struct report report = report_of(OUTCOME_PORT_GONE, PHASE_COMPARE);
	struct claim claim = {0};

	(void)state;
	assert_null(ask_all(&claim, "od"));
	assert_null(claim_check_report(&claim, &bounds, &report));
	report.has_erased = true;
	assert_non_null(claim_check_report(&claim, &bounds, &report));
}

static void one_that_was_asked_to_stop_may_say_so(void **state)
{
	const struct report report = report_of(OUTCOME_CANCELLED, PHASE_COMPARE);
	struct claim_bounds stopped = bounds;
	struct claim claim = {0};

	(void)state;
	stopped.is_stopped = true;
	assert_null(ask_all(&claim, "od"));
	assert_null(claim_check_report(&claim, &stopped, &report));
}

/* Each field of a report that would become knowledge. */
static void a_bent_field_is_not_believed(void **state)
{
	static const struct {
		enum outcome outcome;
		const char *questions;
	} ends[] = {{OUTCOME_UPDATED, "ode"}, {OUTCOME_CURRENT, "od"}};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(ends); i++) {
		for (unsigned field = 0; field < 10; field++) {
			struct report bent = report_of(ends[i].outcome, PHASE_LEAVE);
			struct claim claim = {0};

			assert_null(ask_all(&claim, ends[i].questions));
			assert_null(claim_check_report(&claim, &bounds, &bent));
			switch (field) {
			case 0:
				snprintf(bent.unit, sizeof(bent.unit), OTHER);
				break;
			case 1:
				bent.unit[0] = '\0';
				break;
			case 2:
				bent.product_id = 0x410;
				break;
			case 3:
				snprintf(bent.sha256, sizeof(bent.sha256), SHA_B);
				break;
			case 4:
				bent.sha256[0] = '\0';
				break;
			case 5:
				snprintf(bent.image, sizeof(bent.image), "other-1.1.0.hex");
				break;
			case 6: /* for ever not newer */
				snprintf(bent.version, sizeof(bent.version), "99");
				break;
			case 7:
				bent.proof = PROOF_NONE;
				break;
			case 8:
				snprintf(bent.unit_data, sizeof(bent.unit_data), "0042");
				break;
			case 9:
				snprintf(bent.family, sizeof(bent.family), "stm");
				break;
			}
			if (!claim_check_report(&claim, &bounds, &bent))
				fail_msg("%s: field %u", outcome_to_string(bent.outcome), field);
		}
	}
}

static void a_unit_that_is_left_alone_stays_so(void **state)
{
	const struct report so_far = report_of(OUTCOME_FAILED, PHASE_IDENTIFY);
	struct answer leave = {.word = ANSWER_LEAVE, .outcome = OUTCOME_CURRENT};
	struct report report = report_of(OUTCOME_CURRENT, PHASE_LEAVE);
	struct claim claim = {0};

	(void)state;
	reason_set(&leave.reason, "the unit holds a newer one");
	assert_null(ask(&claim, QUESTION_OPEN, &so_far));
	claim_note(&claim, QUESTION_DECIDE, &so_far, &leave);
	assert_non_null(claim_check_question(&claim, QUESTION_ERASE, &so_far));
	/* In its own words it would be another sentence in the journal. */
	assert_non_null(claim_check_report(&claim, &bounds, &report));
	report.reason = leave.reason;
	assert_null(claim_check_report(&claim, &bounds, &report));
	report.outcome = OUTCOME_UPDATED;
	assert_non_null(claim_check_report(&claim, &bounds, &report));
	/* Nobody told this one to keep what it holds. */
	claim = (struct claim){0};
	assert_null(ask_all(&claim, "od"));
	report.outcome = OUTCOME_CURRENT;
	assert_non_null(claim_check_report(&claim, &bounds, &report));
}

static void only_a_file_that_the_unit_was_verified_to_hold_needs_no_port(void **state)
{
	const struct report report = report_of(OUTCOME_CURRENT, PHASE_IMAGE);
	struct claim_bounds held = bounds;
	const struct claim claim = {0};

	(void)state;
	held.held_sha256 = SHA;
	assert_null(claim_check_report(&claim, &held, &report));
	held.held_sha256 = SHA_B;
	assert_non_null(claim_check_report(&claim, &held, &report));
}

static void one_that_goes_back_does_so_to_the_bytes_before(void **state)
{
	const struct report report = report_of(OUTCOME_UPDATED, PHASE_LEAVE);
	struct claim_bounds back = {.sha256 = SHA};
	struct claim claim = {0};

	(void)state;
	assert_null(ask_all(&claim, "ode"));
	assert_null(claim_check_report(&claim, &back, &report));
	back.sha256 = SHA_B;
	assert_non_null(claim_check_report(&claim, &back, &report));
}

/* A protected chip is wiped before it says who it is. */
static void a_protected_chip_is_asked_about_twice(void **state)
{
	struct report hidden = report_of(OUTCOME_FAILED, PHASE_IDENTIFY);
	const struct report named = report_of(OUTCOME_FAILED, PHASE_IDENTIFY);
	const struct report updated = report_of(OUTCOME_UPDATED, PHASE_LEAVE);
	struct claim claim = {0};

	(void)state;
	hidden.unit[0] = '\0';
	hidden.is_protected = true;
	assert_null(ask(&claim, QUESTION_OPEN, &hidden));
	assert_null(ask(&claim, QUESTION_ERASE, &hidden));
	assert_null(ask(&claim, QUESTION_ERASE, &named));
	assert_non_null(claim_check_question(&claim, QUESTION_ERASE, &named));
	assert_null(claim_check_report(&claim, &bounds, &updated));
}

/* Who is asked about is who is erased: else one in quarantine is erased in another's name. */
static void the_unit_that_was_asked_about_is_the_one_that_is_erased(void **state)
{
	const struct report one = report_of(OUTCOME_FAILED, PHASE_IDENTIFY);
	struct report other = one;
	struct claim claim = {0};

	(void)state;
	snprintf(other.unit, sizeof(other.unit), OTHER);
	assert_null(ask_all(&claim, "od"));
	assert_non_null(claim_check_question(&claim, QUESTION_ERASE, &other));
	assert_null(claim_check_question(&claim, QUESTION_ERASE, &one));
}

/* ---------------------------------------------------------------------- verify and probe */

/* One that has asked for the port, and was given it. */
static struct claim check_of(enum attempt_operation operation)
{
	const struct report so_far = {0};
	struct claim claim = {.operation = operation};

	assert_null(ask(&claim, QUESTION_OPEN, &so_far));
	return claim;
}

/* And how fast it may read, once the port is open. */
static void a_check_asks_for_the_port_alone(void **state)
{
	static const enum attempt_operation checks[] = {
		OPERATION_VERIFY, OPERATION_PROBE, OPERATION_IDENTIFY};
	const struct report so_far = report_of(OUTCOME_FAILED, PHASE_IDENTIFY);

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(checks); i++)
		for (enum question question = 0; question < QUESTION_MAX; question++) {
			const struct claim before = {.operation = checks[i]};
			const struct claim after = check_of(checks[i]);
			bool is_lie = claim_check_question(&before, question, &so_far) != NULL;

			assert_int_equal(is_lie, question != QUESTION_OPEN);
			is_lie = claim_check_question(&after, question, &so_far) != NULL;
			assert_int_equal(is_lie, question != QUESTION_TRUST);
		}
}

/* What one board says of a trial counts for all of its kind: it must follow from what was asked. */
static void a_trial_follows_from_its_questions(void **state)
{
	static const struct {
		const char *name, *questions;
		uint8_t trial;
		bool is_lie;
	} rows[] = {
		{"nothing was learnt", "ode", TRIAL_NONE, false},
		{"used, and not proved twice", "ode", TRIAL_USED, false},
		{"passed", "otde", TRIAL_PASSED, false},
		{"passed without a question", "ode", TRIAL_PASSED, true},
		{"passed in a unit that was left alone", "otd", TRIAL_PASSED, true},
		{"failed behind the erase", "otde", TRIAL_FAILED, false},
		{"failed where the rule says yes", "ode", TRIAL_FAILED, false},
		{"its sums were not those of the flash", "otd", TRIAL_FAILED, false},
		{"failed before an erase, and nobody was asked", "od", TRIAL_FAILED, true},
		{"no result", "otde", TRIAL_MAX, true},
		{"no result at all", "otde", 255, true},
	};

	(void)state;
	for (size_t i = 0; i < 2 * ARRAY_SIZE(rows); i++) {
		const char *questions = rows[i / 2].questions;
		struct report report = report_of(
			strchr(questions, 'e') ? OUTCOME_UPDATED : OUTCOME_CURRENT, PHASE_LEAVE);
		struct claim claim = {0};
		const char *lie;

		print_message("# %s\n", rows[i / 2].name);
		assert_null(ask_all(&claim, questions));
		*(i % 2 ? &report.stub_trial : &report.bursts_trial) = rows[i / 2].trial;
		lie = claim_check_report(&claim, &bounds, &report);
		assert_int_equal(lie != NULL, rows[i / 2].is_lie);
	}
}

static void a_check_that_opens_a_port_has_asked(void **state)
{
	const struct claim claim = {.operation = OPERATION_VERIFY};
	struct report report = report_of(OUTCOME_NO_IMAGE, PHASE_IMAGE);

	(void)state;
	assert_null(claim_check_report(&claim, &bounds, &report));
	report = report_of(OUTCOME_CURRENT, PHASE_LEAVE);
	assert_non_null(claim_check_report(&claim, &bounds, &report));
	report = report_of(OUTCOME_NO_SYNC, PHASE_SYNC);
	assert_non_null(claim_check_report(&claim, &bounds, &report));
}

/* The units that own the port could not be stopped: that comes later than the question. */
static void a_job_may_be_ended_after_it_was_let_go_on(void **state)
{
	const struct answer leave = {.word = ANSWER_LEAVE, .outcome = OUTCOME_PORT_BUSY};
	struct report report = report_of(OUTCOME_PORT_BUSY, PHASE_IMAGE);
	struct claim claim = {0};

	(void)state;
	assert_null(ask_all(&claim, "o"));
	claim_note_leave(&claim, &leave);
	assert_non_null(claim_check_question(&claim, QUESTION_DECIDE, &report));
	assert_null(claim_check_report(&claim, &bounds, &report));
}

/* Ends that a check may have, of each outcome in each phase: v(erify) and p(robe). */
static const char *may_end(enum outcome outcome, enum phase phase)
{
	if (phase == PHASE_ERASE || phase == PHASE_WRITE || phase == PHASE_PROTECT)
		return "";
	switch (outcome) {
	case OUTCOME_UPDATED:
	case OUTCOME_NO_MATCH:
	case OUTCOME_AMBIGUOUS:
	case OUTCOME_QUARANTINED:
	case OUTCOME_ERASE_FAILED:
	case OUTCOME_WRITE_FAILED:
	case OUTCOME_CANCELLED: /* nobody had asked it to stop */
	case OUTCOME_MAX:
		return "";
	case OUTCOME_VERIFY_DIFFERS:
	case OUTCOME_VERIFY_IMPOSSIBLE:
		return "v";
	case OUTCOME_CURRENT:
	case OUTCOME_FAILED:
	case OUTCOME_BAD_CONFIG:
	case OUTCOME_NO_IMAGE:
	case OUTCOME_BAD_IMAGE:
	case OUTCOME_PORT_BUSY:
	case OUTCOME_PORT_GONE:
	case OUTCOME_NO_SYNC:
	case OUTCOME_WRONG_CHIP:
	case OUTCOME_PROTECTED:
	case OUTCOME_NOT_CONFIRMED:
	case OUTCOME_NOT_STARTED:
		break;
	}
	return phase == PHASE_COMPARE ? "v" : "vp";
}

static void a_check_ends_as_one(void **state)
{
	(void)state;
	for (enum outcome outcome = 0; outcome < OUTCOME_MAX; outcome++)
		for (enum phase phase = 0; phase < PHASE_MAX; phase++) {
			const struct claim verify = check_of(OPERATION_VERIFY);
			const struct claim probe = check_of(OPERATION_PROBE);
			const struct claim identify = check_of(OPERATION_IDENTIFY);
			struct report report = report_of(outcome, phase);
			bool is_lie = claim_check_report(&verify, &bounds, &report) != NULL;

			if (is_lie != !strchr(may_end(outcome, phase), 'v'))
				fail_msg("verify: %s in %s", outcome_to_string(outcome),
					phase_to_string(phase));
			report.sha256[0] = '\0';
			report.proof = PROOF_NONE;
			is_lie = claim_check_report(&probe, &bounds, &report) != NULL;
			if (is_lie != !strchr(may_end(outcome, phase), 'p'))
				fail_msg("probe: %s in %s", outcome_to_string(outcome),
					phase_to_string(phase));
			report.unit[0] = '\0';
			is_lie = claim_check_report(&identify, &bounds, &report) != NULL;
			if (is_lie != !strchr(may_end(outcome, phase), 'p'))
				fail_msg("identify: %s in %s", outcome_to_string(outcome),
					phase_to_string(phase));
		}
}

static void a_check_that_was_asked_to_stop_may_say_so(void **state)
{
	const struct report report = report_of(OUTCOME_CANCELLED, PHASE_SYNC);
	const struct claim claim = check_of(OPERATION_VERIFY);
	struct claim_bounds stopped = bounds;

	(void)state;
	stopped.is_stopped = true;
	assert_null(claim_check_report(&claim, &stopped, &report));
}

static void bend_erased(struct report *report)
{
	report->has_erased = true;
}

static void bend_pages(struct report *report)
{
	report->pages_erased = 1;
}

static void bend_mass(struct report *report)
{
	report->mass_erased = true;
}

static void bend_reason(struct report *report)
{
	reason_set(&report->reason, "because");
}

static void bend_data(struct report *report)
{
	snprintf(report->unit_data, sizeof(report->unit_data), "7");
}

static void bend_image(struct report *report)
{
	snprintf(report->image, sizeof(report->image), "other.hex");
}

static void bend_version(struct report *report)
{
	snprintf(report->version, sizeof(report->version), "9.9");
}

static void bend_bytes(struct report *report)
{
	report->sha256[0] = '\0';
}

static void bend_proof(struct report *report)
{
	report->proof = PROOF_NONE;
}

/* Each in a report that is sound without it. */
static void a_check_that_says_more_than_it_did_is_not_believed(void **state)
{
	static const struct {
		const char *name;
		void (*bend)(struct report *report);
	} bends[] = {
		{"sound", NULL},
		{"erased", bend_erased},
		{"pages", bend_pages},
		{"mass erase", bend_mass},
		{"reason", bend_reason},
		{"data", bend_data},
		{"other image", bend_image},
		{"other version", bend_version},
		{"no bytes", bend_bytes},
		{"no proof", bend_proof},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bends); i++) {
		const struct claim claim = check_of(OPERATION_VERIFY);
		struct report report = report_of(OUTCOME_CURRENT, PHASE_LEAVE);

		if (bends[i].bend)
			bends[i].bend(&report);
		if ((claim_check_report(&claim, &bounds, &report) != NULL) != (i > 0))
			fail_msg("%s", bends[i].name);
	}
}

/* It has no image, so it cannot know what the unit holds. */
static void a_probe_vouches_for_nothing(void **state)
{
	const struct claim claim = check_of(OPERATION_PROBE);
	struct report report = report_of(OUTCOME_CURRENT, PHASE_LEAVE);

	(void)state;
	assert_non_null(claim_check_report(&claim, &bounds, &report));
	report.proof = PROOF_NONE;
	assert_non_null(claim_check_report(&claim, &bounds, &report));
	report.sha256[0] = '\0';
	assert_null(claim_check_report(&claim, &bounds, &report));
	report.proof = PROOF_UPLOAD;
	assert_non_null(claim_check_report(&claim, &bounds, &report));
}

/* Nobody was asked, so that it cannot know which unit it is. */
static void a_board_that_shows_itself_names_no_unit(void **state)
{
	const struct claim claim = check_of(OPERATION_IDENTIFY);
	struct report report = {.outcome = OUTCOME_CURRENT, .phase = PHASE_IDENTIFY};

	(void)state;
	assert_null(claim_check_report(&claim, &bounds, &report));
	text_copy(report.unit, sizeof(report.unit), "0123456789abcdef01234567");
	assert_non_null(claim_check_report(&claim, &bounds, &report));
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(a_check_asks_for_the_port_alone),
	cmocka_unit_test(a_trial_follows_from_its_questions),
	cmocka_unit_test(a_check_that_opens_a_port_has_asked),
	cmocka_unit_test(a_job_may_be_ended_after_it_was_let_go_on),
	cmocka_unit_test(a_check_ends_as_one),
	cmocka_unit_test(a_board_that_shows_itself_names_no_unit),
	cmocka_unit_test(a_check_that_was_asked_to_stop_may_say_so),
	cmocka_unit_test(a_check_that_says_more_than_it_did_is_not_believed),
	cmocka_unit_test(a_probe_vouches_for_nothing),
	cmocka_unit_test(questions_come_in_their_order_and_once),
	cmocka_unit_test(an_end_follows_from_the_questions),
	cmocka_unit_test(an_erase_without_leave_is_told),
	cmocka_unit_test(one_that_was_asked_to_stop_may_say_so),
	cmocka_unit_test(a_bent_field_is_not_believed),
	cmocka_unit_test(a_unit_that_is_left_alone_stays_so),
	cmocka_unit_test(only_a_file_that_the_unit_was_verified_to_hold_needs_no_port),
	cmocka_unit_test(one_that_goes_back_does_so_to_the_bytes_before),
	cmocka_unit_test(a_protected_chip_is_asked_about_twice),
	cmocka_unit_test(the_unit_that_was_asked_about_is_the_one_that_is_erased),
};

int main(void)
{
	return cmocka_run_group_tests(tests, NULL, NULL);
}
