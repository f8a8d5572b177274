/* SPDX-License-Identifier: MIT */
/*
 * report-dict.c - a report as named values for the bus, and back.
 *
 * A dict of the bus has no order and may lack names, so a member that only says whether others are
 * known (`has_address` and its like) does not travel: it follows from the others being there. What
 * comes in may be from anybody's program, and is checked as lines on the worker's pipe are.
 */
#include "api/dict.h"

#include <errno.h>
#include <string.h>

#include "api/fields.h"
#include "base/util.h"

/* Linux knows no error number above it. */
#define MAX_ERRNO 4095

static int set_phases(struct dict *dict, const char *name, const struct report *report)
{
	struct dict phases = {0};
	int r = 0;

	for (enum phase phase = PHASE_NONE + 1; r == 0 && phase < PHASE_MAX; phase++)
		if (report->phase_ms[phase] > 0)
			r = dict_set_long(&phases, phase_to_string(phase), report->phase_ms[phase]);
	if (r == 0)
		r = dict_set_counts(dict, name, &phases);
	dict_done(&phases);
	return r;
}

static int set_field(struct dict *dict, const struct field *field, const struct report *report)
{
	char shown[FIELD_SHOWN_MAX];
	const char *text;

	switch (field->kind) {
	case KIND_NUMBER:
	case KIND_HEX:
		if (field->size > sizeof(uint32_t))
			return dict_set_long(dict, field->name, field_number(field, report));
		return dict_set_number(dict, field->name, (uint32_t)field_number(field, report));
	case KIND_BOOL:
		return dict_set_flag(dict, field->name, *(const bool *)field_of(field, report));
	case KIND_PHASES:
		return set_phases(dict, field->name, report);
	case KIND_TEXT:
	case KIND_DIGITS:
	case KIND_OUTCOME:
	case KIND_PHASE:
	case KIND_PROOF:
	case KIND_ERROR:
	case KIND_VERSION:
		/* A number that Linux does not use for an error has no name. */
		text = field_format(field, report, shown);
		return text ? dict_set_text(dict, field->name, text) : 0;
	}
	return 0;
}

int report_to_dict(const struct report *report, struct dict *dict)
{
	for (size_t i = 0; i < n_report_fields; i++) {
		const struct field *field = &report_fields[i];
		int r = 0;

		if (field->readers && field_is_known(field, report))
			r = set_field(dict, field, report);
		if (r < 0)
			return r;
	}
	return 0;
}

/* ------------------------------------------------------------------------------ reading */

static bool take_number(const struct dict_entry *entry, void *to, size_t size)
{
	if (entry->kind != DICT_NUMBER && entry->kind != DICT_LONG)
		return false;
	return field_set_number(
		to, size, entry->kind == DICT_NUMBER ? entry->number : entry->number64);
}

/* `found` is the value of one of our enums, which are unsigned, or -EINVAL. */
static bool take_enum(int found, void *to)
{
	if (found < 0)
		return false;
	*(unsigned *)to = (unsigned)found;
	return true;
}

static bool take_text(const char *text, char *to, size_t size)
{
	size_t n = strlen(text);

	if (n >= size)
		return false;
	memcpy(to, text, n + 1);
	return true;
}

/* By what field_format() writes, of which there are few enough to try each. */
static bool take_shown(
	const struct field *field, const char *text, unsigned max, struct report *report)
{
	char shown[FIELD_SHOWN_MAX];
	struct report try = {0};
	const char *name;

	for (unsigned value = 1; value <= max; value++) {
		if (field->kind == KIND_ERROR)
			try.error = (int)value;
		else
			try.bootloader_version = (uint8_t)value;
		name = field_format(field, &try, shown);
		if (!name || strcmp(name, text) != 0)
			continue;
		memcpy((char *)report + field->offset, field_of(field, &try), field->size);
		return true;
	}
	return false;
}

static bool take_phases(const struct dict *phases, struct report *report)
{
	for (size_t i = 0; i < phases->n_entries; i++) {
		const struct dict_entry *entry = &phases->entries[i];
		int phase = phase_from_string(entry->name);

		if (phase < 0 || !take_number(entry, &report->phase_ms[phase], sizeof(uint64_t)))
			return false;
	}
	return true;
}

static bool take_word(struct report *report, const struct field *field, const char *text)
{
	void *to = (char *)report + field->offset;

	switch (field->kind) {
	case KIND_TEXT:
		return take_text(text, to, field->size);
	case KIND_DIGITS:
		return text[strspn(text, "0123456789abcdef")] == '\0' &&
		       take_text(text, to, field->size);
	case KIND_OUTCOME:
		return take_enum(outcome_from_string(text), to);
	case KIND_PHASE:
		return take_enum(phase_from_string(text), to);
	case KIND_PROOF:
		return take_enum(proof_from_string(text), to);
	case KIND_ERROR:
		return take_shown(field, text, MAX_ERRNO, report);
	case KIND_VERSION:
		return take_shown(field, text, UINT8_MAX, report);
	case KIND_NUMBER:
	case KIND_HEX:
	case KIND_BOOL:
	case KIND_PHASES:
		break;
	}
	return false;
}

static bool take_field(
	struct report *report, const struct field *field, const struct dict_entry *entry)
{
	void *to = (char *)report + field->offset;

	switch (field->kind) {
	case KIND_NUMBER:
	case KIND_HEX:
		return take_number(entry, to, field->size);
	case KIND_BOOL:
		if (entry->kind != DICT_FLAG)
			return false;
		*(bool *)to = entry->flag;
		return true;
	case KIND_PHASES:
		return entry->kind == DICT_COUNTS && take_phases(entry->counts, report);
	case KIND_TEXT:
	case KIND_DIGITS:
	case KIND_OUTCOME:
	case KIND_PHASE:
	case KIND_PROOF:
	case KIND_ERROR:
	case KIND_VERSION:
		break;
	}
	return entry->kind == DICT_TEXT && take_word(report, field, entry->text);
}

int report_from_dict(const struct dict *dict, struct report *ret)
{
	struct report report = {.outcome = OUTCOME_FAILED};

	for (size_t i = 0; i < n_report_fields; i++) {
		const struct field *field = &report_fields[i];
		const struct dict_entry *entry = dict_find(dict, field->name);

		if (field->readers && entry && !take_field(&report, field, entry))
			return -EBADMSG;
	}
	report.has_product_id = dict_find(dict, "product_id");
	report.has_address = dict_find(dict, "address");
	report.has_got = dict_find(dict, "got");
	report.has_other = dict_find(dict, "other_product_id");
	*ret = report;
	return 0;
}
