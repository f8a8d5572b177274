/* SPDX-License-Identifier: MIT */
#include "records/store-dict.h"

#include <errno.h>
#include <string.h>

#include "base/util.h"

#define OF_ATTEMPT(name, kind, member)                                   \
	{                                                                \
		name, kind, offsetof(struct store_attempt, member), NULL \
	}
#define OF_UNIT(name, kind, member)                                   \
	{                                                             \
		name, kind, offsetof(struct store_unit, member), NULL \
	}
#define WORD(name, function)                  \
	{                                     \
		name, STORE_WORD, 0, function \
	}

static const char *state_word(const void *row)
{
	const struct store_unit *unit = row;

	return unit->has_state ? unit_state_to_string(unit->state) : "";
}

static const char *failed_word(const void *row)
{
	const struct store_unit *unit = row;

	return unit->failures > 0 ? outcome_to_string(unit->failed_outcome) : "";
}

static const char *rollback_word(const void *row)
{
	const struct store_unit *unit = row;

	return rollback_state_to_string(unit->rollback);
}

const struct store_field attempt_fields[] = {
	OF_ATTEMPT("id", STORE_ID, id),
	OF_ATTEMPT("started", STORE_TIME, started_ms),
	OF_ATTEMPT("ended", STORE_TIME, ended_ms),
	OF_ATTEMPT("job", STORE_TEXT, job),
	OF_ATTEMPT("board", STORE_TEXT, board),
	OF_ATTEMPT("port", STORE_PORT, port),
	OF_ATTEMPT("usb_serial", STORE_DESCRIPTOR, serial),
	OF_ATTEMPT("usb_path", STORE_TEXT, usb_path),
	OF_ATTEMPT("slot", STORE_TEXT, slot),
	OF_ATTEMPT("operation", STORE_TEXT, operation),
	OF_ATTEMPT("cause", STORE_TEXT, cause),
	{NULL},
};

const struct store_field unit_fields[] = {
	OF_UNIT("id", STORE_ID, id),
	OF_UNIT("seen", STORE_TIME, seen_ms),
	OF_UNIT("board", STORE_TEXT, board),
	OF_UNIT("usb_serial", STORE_DESCRIPTOR, serial),
	OF_UNIT("usb_path", STORE_TEXT, usb_path),
	OF_UNIT("slot", STORE_TEXT, slot),
	OF_UNIT("chip", STORE_TEXT, chip),
	OF_UNIT("unit", STORE_TEXT, unit),
	WORD("state", state_word),
	OF_UNIT("image", STORE_TEXT, image),
	OF_UNIT("version", STORE_TEXT, version),
	OF_UNIT("sha256", STORE_TEXT, sha256),
	OF_UNIT("previous_image", STORE_TEXT, previous_image),
	OF_UNIT("previous_version", STORE_TEXT, previous_version),
	OF_UNIT("previous_sha256", STORE_TEXT, previous_sha256),
	OF_UNIT("failures", STORE_NUMBER, failures),
	OF_UNIT("failed_sha256", STORE_TEXT, failed_sha256),
	WORD("failed_with", failed_word),
	WORD("rollback", rollback_word),
	OF_UNIT("again", STORE_TIME, not_before_ms),
	{NULL},
};

const char *store_field_text(
	const struct store_field *field, const void *row, char to[static STORE_SHOWN_MAX])
{
	const char *text = (const char *)row + field->offset, *slash;

	switch (field->kind) {
	case STORE_DESCRIPTOR:
		return text_identifier(text, to, STORE_SHOWN_MAX);
	case STORE_PORT:
		slash = strrchr(text, '/');
		return text_escape(slash ? slash + 1 : text, to, STORE_SHOWN_MAX);
	case STORE_WORD:
		return field->word(row);
	case STORE_TEXT:
	case STORE_NUMBER:
	case STORE_ID:
	case STORE_TIME:
		break;
	}
	return text;
}

uint64_t store_field_number(const struct store_field *field, const void *row)
{
	const char *at = (const char *)row + field->offset;
	uint32_t number;
	int64_t id;

	if (field->kind == STORE_NUMBER) {
		memcpy(&number, at, sizeof(number));
		return number;
	}
	memcpy(&id, at, sizeof(id));
	return id > 0 ? (uint64_t)id : 0;
}

static int set_field(struct dict *dict, const struct store_field *field, const void *row)
{
	char shown[STORE_SHOWN_MAX];
	const char *text;
	uint64_t number;

	switch (field->kind) {
	case STORE_NUMBER:
		return dict_set_number(dict, field->name, (uint32_t)store_field_number(field, row));
	case STORE_ID:
	case STORE_TIME:
		number = store_field_number(field, row);
		return number > 0 ? dict_set_long(dict, field->name, number) : 0;
	case STORE_TEXT:
	case STORE_DESCRIPTOR:
	case STORE_PORT:
	case STORE_WORD:
		break;
	}
	text = store_field_text(field, row, shown);
	return *text ? dict_set_text(dict, field->name, text) : 0;
}

static int set_fields(struct dict *dict, const struct store_field *fields, const void *row)
{
	int r = 0;

	for (; fields->name && r == 0; fields++)
		r = set_field(dict, fields, row);
	return r;
}

int attempt_to_dict(const struct store_attempt *attempt, struct dict *ret)
{
	int r = set_fields(ret, attempt_fields, attempt);

	if (r == 0)
		r = report_to_dict(&attempt->report, ret);
	if (r == 0 && attempt->ended_ms == 0)
		dict_remove(ret, "outcome");
	return r;
}

int unit_to_dict(const struct store_unit *unit, struct dict *ret)
{
	return set_fields(ret, unit_fields, unit);
}

static int set_outcomes(const struct day_counts *counts, struct dict *dict)
{
	struct dict outcomes = {0};
	int r = 0;

	for (enum outcome outcome = 0; outcome < OUTCOME_MAX && r == 0; outcome++)
		if (counts->outcomes[outcome] > 0)
			r = dict_set_long(
				&outcomes, outcome_to_string(outcome), counts->outcomes[outcome]);
	if (r == 0)
		r = dict_set_counts(dict, "outcomes", &outcomes);
	dict_done(&outcomes);
	return r;
}

int count_cell_to_dict(const struct count_cell *cell, struct dict *ret)
{
	const struct day_counts *counts = &cell->counts;
	int r = dict_set_text(ret, "day", counts->day);

	if (r == 0)
		r = dict_set_text(ret, "board", cell->board);
	if (r == 0 && *cell->slot)
		r = dict_set_text(ret, "slot", cell->slot);
	if (r == 0 && *cell->usb_path)
		r = dict_set_text(ret, "usb_path", cell->usb_path);
	if (r == 0)
		r = dict_set_number(ret, "first_pass", counts->first_pass);
	if (r == 0)
		r = dict_set_number(ret, "retried", counts->retried);
	if (r == 0)
		r = dict_set_number(ret, "bad", counts->bad);
	if (r == 0)
		r = dict_set_number(
			ret, "yield_percent", (uint32_t)(day_counts_yield(counts) / 10));
	if (r == 0)
		r = set_outcomes(counts, ret);
	return r == 0 ? dict_set_long(ret, "last", (uint64_t)cell->last_ms) : r;
}
