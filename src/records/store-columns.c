/* SPDX-License-Identifier: MIT */
/* store-columns.c - units and attempts as columns, and the words in them. */
#include <inttypes.h>
#include <string.h>

#include "base/util.h"
#include "records/store-private.h"

static const char *const states[UNIT_STATE_MAX] = {
	[UNIT_WHOLE] = "whole",
	[UNIT_IN_PROGRESS] = "in-progress",
	[UNIT_FAILED] = "failed",
};

const char *unit_state_to_string(enum unit_state state)
{
	return states[state];
}

static const char *const rollbacks[] = {
	[ROLLBACK_NONE] = "",
	[ROLLBACK_DONE] = "done",
	[ROLLBACK_FAILED] = "failed",
};

const char *rollback_state_to_string(uint32_t state)
{
	return state < ARRAY_SIZE(rollbacks) ? rollbacks[state] : "";
}

const char *rollback_fault(enum outcome failed_as)
{
	if (failed_as == OUTCOME_BAD_IMAGE)
		return "pass the boot loader";
	return failed_as == OUTCOME_NOT_STARTED ? "start" : "confirm";
}

/* Words of a later version read as what they are nearest to: a failure, the first phase, no proof.
 */

static void write_state(const void *field, char to[static COLUMN_TEXT_MAX])
{
	snprintf(to, COLUMN_TEXT_MAX, "%s", states[*(const enum unit_state *)field]);
}

static void read_state(const char *text, void *field)
{
	enum unit_state state = UNIT_FAILED;

	for (int i = 0; i < UNIT_STATE_MAX; i++)
		if (strcmp(states[i], text) == 0)
			state = (enum unit_state)i;
	*(enum unit_state *)field = state;
}

static void write_outcome(const void *field, char to[static COLUMN_TEXT_MAX])
{
	snprintf(to, COLUMN_TEXT_MAX, "%s", outcome_to_string(*(const enum outcome *)field));
}

static void read_outcome(const char *text, void *field)
{
	int outcome = outcome_from_string(text);

	*(enum outcome *)field = outcome < 0 ? OUTCOME_FAILED : (enum outcome)outcome;
}

static void write_phase(const void *field, char to[static COLUMN_TEXT_MAX])
{
	snprintf(to, COLUMN_TEXT_MAX, "%s", phase_to_string(*(const enum phase *)field));
}

static void read_phase(const char *text, void *field)
{
	int phase = phase_from_string(text);

	*(enum phase *)field = phase < 0 ? PHASE_NONE : (enum phase)phase;
}

static void write_proof(const void *field, char to[static COLUMN_TEXT_MAX])
{
	snprintf(to, COLUMN_TEXT_MAX, "%s", proof_to_string(*(const enum proof *)field));
}

static void read_proof(const char *text, void *field)
{
	int proof = proof_from_string(text);

	*(enum proof *)field = proof < 0 ? PROOF_NONE : (enum proof)proof;
}

/* {"erase":1500,"write":3000}: what json_extract() of SQLite reads too. */
static void write_durations(const void *field, char to[static COLUMN_TEXT_MAX])
{
	const uint64_t *milliseconds = field;
	size_t n = 1;

	snprintf(to, COLUMN_TEXT_MAX, "{");
	for (int phase = 0; phase < PHASE_MAX && n + 40 < COLUMN_TEXT_MAX; phase++)
		if (milliseconds[phase] > 0)
			n += (size_t)snprintf(to + n, COLUMN_TEXT_MAX - n, "%s\"%s\":%" PRIu64,
				n > 1 ? "," : "", phase_to_string((enum phase)phase),
				milliseconds[phase]);
	snprintf(to + n, COLUMN_TEXT_MAX - n, "}");
}

static void read_durations(const char *text, void *field)
{
	uint64_t *milliseconds = field;

	for (int phase = 0; phase < PHASE_MAX; phase++) {
		char name[32];
		const char *at;

		snprintf(name, sizeof(name), "\"%s\":", phase_to_string((enum phase)phase));
		at = strstr(text, name);
		milliseconds[phase] = at ? strtoull(at + strlen(name), NULL, 10) : 0;
	}
}

static const struct column unit_columns[] = {
	TEXT(struct store_unit, "key", key),
	ID(struct store_unit, "id", id),
	TEXT(struct store_unit, "chip", chip),
	TEXT(struct store_unit, "unit", unit),
	TEXT(struct store_unit, "serial", serial),
	TEXT(struct store_unit, "path", usb_path),
	TEXT(struct store_unit, "slot", slot),
	TEXT(struct store_unit, "board", board),
	AS_IF(struct store_unit, "state", state, state, has_state),
	NUMBER(struct store_unit, "protected", is_protected),
	TEXT(struct store_unit, "image", image),
	TEXT(struct store_unit, "version", version),
	TEXT(struct store_unit, "sha256", sha256),
	TEXT(struct store_unit, "previous_image", previous_image),
	TEXT(struct store_unit, "previous_version", previous_version),
	TEXT(struct store_unit, "previous_sha256", previous_sha256),
	NUMBER(struct store_unit, "failures", failures),
	TEXT(struct store_unit, "failed_sha256", failed_sha256),
	TEXT(struct store_unit, "failed_rule", failed_rule),
	AS_IF(struct store_unit, "failed_outcome", failed_outcome, outcome, failures),
	NUMBER(struct store_unit, "drops", drops),
	NUMBER(struct store_unit, "rollback", rollback),
	TEXT(struct store_unit, "kept", kept),
	NUMBER(struct store_unit, "not_before", not_before_ms),
	NUMBER(struct store_unit, "seen", seen_ms),
};

static const struct column attempt_columns[] = {
	TEXT(struct store_attempt, "job", job),
	ID(struct store_attempt, "id", id),
	TEXT(struct store_attempt, "key", key),
	TEXT(struct store_attempt, "board", board),
	TEXT(struct store_attempt, "port", port),
	TEXT(struct store_attempt, "serial", serial),
	TEXT(struct store_attempt, "path", usb_path),
	TEXT(struct store_attempt, "slot", slot),
	TEXT(struct store_attempt, "operation", operation),
	TEXT(struct store_attempt, "cause", cause),
	{"plug", COLUMN_NUMBER, PLACE(struct store_attempt, plug),
		PLACE(struct store_attempt, plug), NULL, NULL},
	NUMBER(struct store_attempt, "started", started_ms),
	{"ended", COLUMN_NUMBER, PLACE(struct store_attempt, ended_ms),
		PLACE(struct store_attempt, ended_ms), NULL, NULL},
	AS_IF(struct store_attempt, "outcome", report.outcome, outcome, ended_ms),
	AS(struct store_attempt, "phase", report.phase, phase),
	NUMBER(struct store_attempt, "error", report.error),
	TEXT(struct store_attempt, "chip", report.chip),
	TEXT(struct store_attempt, "revision", report.revision),
	TEXT(struct store_attempt, "security", report.security),
	TEXT(struct store_attempt, "unit", report.unit),
	TEXT(struct store_attempt, "unit_data", report.unit_data),
	TEXT(struct store_attempt, "kept", report.kept),
	TEXT(struct store_attempt, "image", report.image),
	TEXT(struct store_attempt, "version", report.version),
	TEXT(struct store_attempt, "sha256", report.sha256),
	TEXT(struct store_attempt, "signer", report.signer),
	NUMBER(struct store_attempt, "bytes", report.bytes),
	NUMBER(struct store_attempt, "pages_erased", report.pages_erased),
	NUMBER(struct store_attempt, "baud", report.baud),
	NUMBER(struct store_attempt, "entries", report.entries),
	AS(struct store_attempt, "proof", report.proof, proof),
	NUMBER(struct store_attempt, "duration_ms", report.duration_ms),
	AS(struct store_attempt, "phase_ms", report.phase_ms, durations),
	TEXT(struct store_attempt, "reason", report.reason.text),
};

/* What count.c reads. */
static const struct column counted_columns[] = {
	TEXT(struct store_attempt, "job", job),
	ID(struct store_attempt, "id", id),
	TEXT(struct store_attempt, "key", key),
	TEXT(struct store_attempt, "board", board),
	TEXT(struct store_attempt, "port", port),
	TEXT(struct store_attempt, "path", usb_path),
	TEXT(struct store_attempt, "slot", slot),
	TEXT(struct store_attempt, "operation", operation),
	TEXT(struct store_attempt, "cause", cause),
	NUMBER(struct store_attempt, "plug", plug),
	NUMBER(struct store_attempt, "ended", ended_ms),
	AS(struct store_attempt, "outcome", report.outcome, outcome),
	AS(struct store_attempt, "phase", report.phase, phase),
	NUMBER(struct store_attempt, "error", report.error),
	NUMBER(struct store_attempt, "pages_erased", report.pages_erased),
	TEXT(struct store_attempt, "sha256", report.sha256),
};

const struct database_table store_units = {"units", unit_columns, ARRAY_SIZE(unit_columns)};
const struct database_table store_attempts = {
	"attempts", attempt_columns, ARRAY_SIZE(attempt_columns)};
const struct database_table store_counted = {
	"attempts", counted_columns, ARRAY_SIZE(counted_columns)};
