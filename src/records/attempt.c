/* SPDX-License-Identifier: MIT */
/*
 * attempt.c - the way of a rollback, which outlives the attempt that it follows:
 *
 *   none -> wanted     settle(): the application did not start or confirm, and the image before is
 * known wanted -> begun    the service has found a file to go back to: the next attempt goes back
 *   wanted -> failed   or there is none: settle_no_rollback()
 *   begun -> done      settle(), at the end of that attempt: it holds the image before
 *   begun -> failed    or it does not
 *   any -> none        the cable was pulled, the image could not be looked up, the rule or its
 *                      image is another one, or the next attempt begins
 *
 * How it ended is in the unit's row as well, until the unit is forgiven or gets another image.
 */
#include "records/attempt.h"

#include <assert.h>

#include "base/clock.h"

static const char *const operations[OPERATION_MAX] = {
	[OPERATION_FLASH] = "flash",
	[OPERATION_VERIFY] = "verify",
	[OPERATION_PROBE] = "probe",
	[OPERATION_IDENTIFY] = "identify",
	[OPERATION_ROLLBACK] = "rollback",
};

const char *attempt_operation_to_string(enum attempt_operation operation)
{
	return operations[operation];
}

bool attempt_operation_writes(enum attempt_operation operation)
{
	return operation == OPERATION_FLASH || operation == OPERATION_ROLLBACK;
}

void attempt_begin(struct attempt *attempt, const char *id)
{
	text_copy(attempt->id, sizeof(attempt->id), id);
	attempt->is_open = true;
	attempt->is_cancelled = false;
	attempt->started_usec = monotonic_usec();
	attempt->n_retries = 0;
	attempt->last = (struct report){0};
	attempt->has_begun_erase = false;
	attempt->note = (struct attempt_note){.started_ms = wall_clock_msec()};
	if (!attempt_goes_back(attempt))
		rollback_enter(&attempt->rollback, ROLLBACK_NONE);
	attempt->operation = attempt_goes_back(attempt) ? OPERATION_ROLLBACK : OPERATION_FLASH;
}

/* Whether an earlier try of this attempt found a faster way to fail on the same kind of chip. */
static bool has_failed_before(uint8_t before, const struct report *last, const struct report *now)
{
	return before == TRIAL_FAILED && last->product_id == now->product_id &&
	       last->bootloader_version == now->bootloader_version;
}

void attempt_carry_trials(const struct attempt *attempt, struct report *report)
{
	const struct report *last = &attempt->last;

	if (attempt->n_retries == 0)
		return;
	if (has_failed_before(last->bursts_trial, last, report))
		report->bursts_trial = last->bursts_trial;
	if (!has_failed_before(last->stub_trial, last, report))
		return;
	report->stub_trial = last->stub_trial;
	report->stub_version = last->stub_version;
	text_copy(report->stub, sizeof(report->stub), last->stub);
}

void attempt_note_try(struct attempt *attempt, const struct report *report)
{
	struct report last = *report;

	attempt_carry_trials(attempt, &last);
	attempt->last = last;
	attempt->n_retries++;
}

/* ------------------------------------------------------------------------------- the rollback */

#define STATE(s) (1u << (s))

void rollback_enter(struct rollback *rollback, enum rollback_state state)
{
	static const unsigned followers[] = {
		[ROLLBACK_NONE] = STATE(ROLLBACK_NONE) | STATE(ROLLBACK_WANTED),
		[ROLLBACK_WANTED] =
			STATE(ROLLBACK_NONE) | STATE(ROLLBACK_BEGUN) | STATE(ROLLBACK_FAILED),
		[ROLLBACK_BEGUN] =
			STATE(ROLLBACK_NONE) | STATE(ROLLBACK_DONE) | STATE(ROLLBACK_FAILED),
		[ROLLBACK_DONE] = STATE(ROLLBACK_NONE),
		[ROLLBACK_FAILED] = STATE(ROLLBACK_NONE),
	};

	assert(followers[rollback->state] & STATE(state));
	if (state == ROLLBACK_NONE)
		*rollback = (struct rollback){0};
	rollback->state = state;
}

bool attempt_goes_back(const struct attempt *attempt)
{
	return attempt->rollback.state == ROLLBACK_BEGUN;
}

/* ------------------------------------------------------------------------------------ the unit */

void attempt_chip_key(const struct report *report, const char *unit, char to[STORE_KEY_MAX])
{
	snprintf(to, STORE_KEY_MAX, "%s:0x%03x %s", report->family, report->product_id, unit);
}

void attempt_bridge_key(const struct facts *facts, char to[STORE_KEY_MAX])
{
	snprintf(to, STORE_KEY_MAX, "usb %04x:%04x '%.255s' at %.255s", facts->vendor_id,
		facts->product_id, facts->serial ? facts->serial : "",
		facts->usb_path ? facts->usb_path : "");
}

void attempt_unit_key(
	const struct facts *facts, const struct report *report, char to[STORE_KEY_MAX])
{
	if (report_unit_is_told(report->unit))
		attempt_chip_key(report, report->unit, to);
	else
		attempt_bridge_key(facts, to);
}

/* The numbers of a rule are its own; a file is one source, however many rules take of it. */
void attempt_serial_source(const struct attempt *attempt, char to[STORE_SOURCE_MAX])
{
	const struct provision *serialize = &attempt->policy.serialize;

	if (*serialize->file)
		snprintf(to, STORE_SOURCE_MAX, "file %s", serialize->file);
	else
		snprintf(to, STORE_SOURCE_MAX, "numbers of %s", attempt->board);
}

void attempt_note_unit(
	struct attempt *attempt, const struct facts *facts, const struct report *report)
{
	text_copy(attempt->unit, sizeof(attempt->unit), report->unit);
	if (attempt->note.cause == CAUSE_TWIN)
		return;
	if (attempt_goes_back(attempt))
		text_copy(attempt->key, sizeof(attempt->key), attempt->rollback.key);
	else
		attempt_unit_key(facts, report, attempt->key);
}
