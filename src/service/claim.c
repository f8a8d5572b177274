/* SPDX-License-Identifier: MIT */
/*
 * claim.c - the order in which a worker asks, and what it may report after that:
 *
 *   QUESTION_OPEN, QUESTION_TRUST, QUESTION_DECIDE, QUESTION_ERASE, each once; the last a second
 *   time for a chip that was protected, and said its id only when it was wiped; behind that one
 *   QUESTION_TRUST may come as well. After ANSWER_LEAVE nothing more.
 *
 *   `updated` needs the grant of an erase, `current` that there was none, and a failure is told of
 *   no phase that was not granted. Unit, image and data are those of the questions.
 *
 *   A faster way passes its trial in an update that was granted and asked about, and fails where it
 *   was asked about, or behind an erase that was granted.
 *
 *   A check has QUESTION_OPEN and QUESTION_TRUST, once: that it asks another is a lie, whatever it
 *   asks.
 */
#include "service/claim.h"

#include <string.h>

/* A unit may become known in the course of an attempt, but it does not become another. */
static bool is_same_unit(const struct claim *claim, const struct report *report)
{
	return !claim->has_unit || !report_unit_is_told(claim->unit) ||
	       (strcmp(claim->family, report->family) == 0 &&
		       claim->product_id == report->product_id &&
		       strcmp(claim->unit, report->unit) == 0);
}

static bool is_same_image(const struct claim *claim, const struct report *report)
{
	return !*claim->sha256 || strcmp(claim->sha256, report->sha256) == 0;
}

/* ------------------------------------------------------------------------------ questions */

/* A protected chip says its id once it is wiped: the worker asks a second time for that unit. */
static const char *check_erase(const struct claim *claim, const struct report *so_far)
{
	bool was_asked = claim->has_asked[QUESTION_ERASE];

	if (!claim->has_asked[QUESTION_DECIDE] && !so_far->is_protected && !was_asked)
		return "it asked to erase a unit before it asked what is to be done with it";
	if (was_asked && report_unit_is_told(claim->unit))
		return "it asked to erase a second time";
	if (!is_same_unit(claim, so_far))
		return "it asked to erase another unit than the one it asked about";
	return NULL;
}

const char *claim_check_question(
	const struct claim *claim, enum question question, const struct report *so_far)
{
	if (!attempt_operation_writes(claim->operation) && question != QUESTION_OPEN &&
		question != QUESTION_TRUST)
		return "it was to change nothing, and asked whether it may";
	if (claim->has_left)
		return "it went on after it was told to leave the unit alone";
	if (question != QUESTION_OPEN && !claim->has_asked[QUESTION_OPEN])
		return "it did not ask whether it may open the port";
	if (question != QUESTION_ERASE && claim->has_asked[question])
		return "it asked one question twice";
	if (!is_same_image(claim, so_far))
		return "it changed the image in the middle of the job";
	if (question == QUESTION_DECIDE && claim->may_erase)
		return "it asked what is to be done with a unit that it had erased";
	if (question == QUESTION_ERASE)
		return check_erase(claim, so_far);
	return NULL;
}

void claim_note_leave(struct claim *claim, const struct answer *answer)
{
	claim->has_left = true;
	claim->left_outcome = answer->outcome;
	claim->left_reason = answer->reason;
}

void claim_note(struct claim *claim, enum question question, const struct report *so_far,
	const struct answer *answer)
{
	claim->has_asked[question] = true;
	snprintf(claim->sha256, sizeof(claim->sha256), "%s", so_far->sha256);
	if (question == QUESTION_DECIDE || question == QUESTION_ERASE) {
		claim->has_unit = true;
		text_copy(claim->family, sizeof(claim->family), so_far->family);
		claim->product_id = so_far->product_id;
		snprintf(claim->unit, sizeof(claim->unit), "%s", so_far->unit);
	}
	if (answer->word == ANSWER_LEAVE) {
		claim_note_leave(claim, answer);
		return;
	}
	if (question == QUESTION_ERASE)
		claim->may_erase = true;
	if (answer->n_data > 0)
		provision_show(answer->data, answer->n_data, claim->unit_data);
}

/* -------------------------------------------------------------------------------- the end */

static bool differs(const char *bound, const char *said)
{
	return bound && *bound && strcmp(bound, said) != 0;
}

/* A report that a unit holds the image names the unit, the image, and what vouches for it. */
static const char *check_good(
	const struct claim *claim, const struct claim_bounds *bounds, const struct report *report)
{
	if (!*report->sha256)
		return "it did not say which bytes the unit holds";
	if (differs(bounds->image, report->image) || differs(bounds->version, report->version) ||
		differs(bounds->sha256, report->sha256))
		return "it names another image than the one it was given";
	if (!is_same_unit(claim, report))
		return "it names another unit than the one it asked about";
	if (report->proof == PROOF_NONE)
		return "nothing vouches for what the unit holds";
	if (strcmp(report->unit_data, claim->unit_data) != 0)
		return "it names other data for the unit than it was given";
	return NULL;
}

static const char *check_updated(
	const struct claim *claim, const struct claim_bounds *bounds, const struct report *report)
{
	if (!claim->may_erase)
		return "it did not ask whether it may erase the unit";
	if (claim->has_left)
		return "it was told to leave the unit alone";
	return check_good(claim, bounds, report);
}

/* Left alone, found to hold the image, or known to: then its port was not opened. */
static const char *check_current(
	const struct claim *claim, const struct claim_bounds *bounds, const struct report *report)
{
	if (claim->may_erase)
		return "it had erased the unit";
	if (claim->has_left && claim->left_outcome != OUTCOME_CURRENT)
		return "the unit was to be left alone";
	/* A unit that is current for a reason was left alone, and holds something else. */
	if (strcmp(report->reason.text, claim->left_reason.text) != 0)
		return "it gave another reason than it was told";
	if (claim->has_left)
		return is_same_unit(claim, report)
			       ? NULL
			       : "it names another unit than the one it asked about";
	if (report->phase == PHASE_IMAGE && bounds->held_sha256 && *bounds->held_sha256 &&
		strcmp(bounds->held_sha256, report->sha256) == 0)
		return NULL;
	if (!claim->has_asked[QUESTION_DECIDE])
		return "it did not ask what is to be done with the unit";
	return check_good(claim, bounds, report);
}

/* A failure counts against the unit, so it must be one of something that was granted. */
static const char *check_failure(const struct claim *claim, const struct report *report)
{
	bool is_after_erase = report->phase == PHASE_ERASE || report->phase == PHASE_WRITE ||
			      report->phase == PHASE_VERIFY ||
			      report->outcome == OUTCOME_ERASE_FAILED ||
			      report->outcome == OUTCOME_WRITE_FAILED;

	if (report->phase > PHASE_IMAGE && !claim->has_asked[QUESTION_OPEN])
		return "it did not ask whether it may open the port";
	if (*report->unit_data && strcmp(report->unit_data, claim->unit_data) != 0)
		return "it names other data for the unit than it was given";
	if (is_after_erase && !claim->may_erase)
		return "it did not ask whether it may erase the unit";
	if (claim->may_erase && report->phase <= PHASE_OPEN)
		return "it had erased the unit";
	return NULL;
}

/* One trial of the report: what it says of a faster way counts for all boards of its kind. */
static const char *check_trial(
	const struct claim *claim, const struct report *report, uint8_t trial)
{
	if (trial >= TRIAL_MAX)
		return "it is no result of a trial";
	if (trial == TRIAL_PASSED &&
		(!claim->has_asked[QUESTION_TRUST] || !claim->may_erase || !*report->sha256))
		return "it tells of a trial that it did not make";
	if (trial == TRIAL_FAILED && !claim->may_erase && !claim->has_asked[QUESTION_TRUST])
		return "it tells of a failure behind an erase that it did not ask for";
	return NULL;
}

/* A check that found what it was asked to find. */
static const char *check_found(
	const struct claim *claim, const struct claim_bounds *bounds, const struct report *report)
{
	if (*report->reason.text)
		return "it gave a reason where none is to be given";
	if (claim->operation == OPERATION_VERIFY)
		return check_good(claim, bounds, report);
	/* The others have no image. */
	return *report->sha256 || report->proof != PROOF_NONE
		       ? "it was not to compare anything, and says what the unit holds"
		       : NULL;
}

/* None of them writes, and verify alone compares. */
static const char *check_check(
	const struct claim *claim, const struct claim_bounds *bounds, const struct report *report)
{
	enum outcome outcome = report->outcome;
	bool compares = report->phase == PHASE_COMPARE || outcome == OUTCOME_VERIFY_DIFFERS ||
			outcome == OUTCOME_VERIFY_IMPOSSIBLE;

	if (report->pages_erased > 0 || report->mass_erased || report->phase == PHASE_ERASE ||
		report->phase == PHASE_WRITE || report->phase == PHASE_PROTECT ||
		outcome == OUTCOME_ERASE_FAILED || outcome == OUTCOME_WRITE_FAILED ||
		outcome == OUTCOME_UPDATED)
		return "it was to change nothing, and says that it did";
	if (report->phase > PHASE_IMAGE && !claim->has_asked[QUESTION_OPEN])
		return "it did not ask whether it may open the port";
	if (claim->operation != OPERATION_VERIFY && compares)
		return "it was not to compare anything, and says that it did";
	if (claim->operation == OPERATION_IDENTIFY && report_unit_is_told(report->unit))
		return "it was to ask nobody, and names a unit";
	if (*report->unit_data)
		return "it names data for the unit, which it was not given";
	if (outcome == OUTCOME_CURRENT)
		return check_found(claim, bounds, report);
	if (outcome == OUTCOME_CANCELLED && !bounds->is_stopped)
		return "nobody had asked it to stop";
	if (outcome == OUTCOME_QUARANTINED || outcome == OUTCOME_NO_MATCH ||
		outcome == OUTCOME_AMBIGUOUS || outcome >= OUTCOME_MAX)
		return "that is not a worker's to say";
	return NULL;
}

const char *claim_check_report(
	const struct claim *claim, const struct claim_bounds *bounds, const struct report *report)
{
	const char *wrong;

	if (!is_same_image(claim, report))
		return "it changed the image in the middle of the job";
	if (report->has_erased && !claim->may_erase)
		return "it erased a unit without having asked";
	wrong = check_trial(claim, report, report->stub_trial);
	if (!wrong)
		wrong = check_trial(claim, report, report->bursts_trial);
	if (wrong)
		return wrong;
	if (!attempt_operation_writes(claim->operation))
		return check_check(claim, bounds, report);
	switch (report->outcome) {
	case OUTCOME_UPDATED:
		return check_updated(claim, bounds, report);
	case OUTCOME_CURRENT:
		return check_current(claim, bounds, report);
	case OUTCOME_NO_MATCH:
	case OUTCOME_AMBIGUOUS:
		return "that is not a worker's to say";
	case OUTCOME_QUARANTINED:
		return claim->has_left && claim->left_outcome == OUTCOME_QUARANTINED
			       ? NULL
			       : "that is not a worker's to say";
	case OUTCOME_CANCELLED:
		if (!bounds->is_stopped &&
			!(claim->has_left && claim->left_outcome == OUTCOME_CANCELLED))
			return "nobody had asked it to stop";
		return check_failure(claim, report);
	case OUTCOME_PORT_BUSY:
	case OUTCOME_PORT_GONE:
	case OUTCOME_BAD_CONFIG:
	case OUTCOME_NO_IMAGE:
	case OUTCOME_BAD_IMAGE:
	case OUTCOME_NO_SYNC:
	case OUTCOME_WRONG_CHIP:
	case OUTCOME_PROTECTED:
	case OUTCOME_ERASE_FAILED:
	case OUTCOME_WRITE_FAILED:
	case OUTCOME_VERIFY_DIFFERS:
	case OUTCOME_VERIFY_IMPOSSIBLE:
	case OUTCOME_NOT_CONFIRMED:
	case OUTCOME_NOT_STARTED:
	case OUTCOME_FAILED:
		return check_failure(claim, report);
	case OUTCOME_MAX:
		break;
	}
	return "it is no outcome";
}
