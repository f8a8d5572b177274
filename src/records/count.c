/* SPDX-License-Identifier: MIT */
/*
 * count.c - attempts become units that count.
 *
 * Attempts of one rule with one unit are looked at in the order in which they began:
 *
 *   good, another image than it was good with    counts, as retried where any failed since then
 *   good, the same image                         counts nothing; what failed since then is over
 *   failed                                       the unit is bad, until it is good
 *
 * At the end a unit that is bad counts as bad. Where it was good with that very image before, it is
 * one unit all the same, and no longer counts as good.
 *
 * A chip that does not answer says no id. Its attempts belong to the unit that answers next in the
 * same plug-in of the bridge; where none does, to the one that answered before in it; and else the
 * plug-in is a unit of its own, as all are whose boot loader has no ids to tell. Such a unit that
 * is current was counted when it was plugged in before, as far as anybody can tell.
 */
#include "records/count.h"

#include <errno.h>
#include <inttypes.h>
#include <search.h>
#include <string.h>

#include "base/util.h"
#include "records/attempt.h"
#include "records/settle.h"

struct end {
	enum count_kind kind;
	enum outcome outcome;
	int64_t attempt_id;
	int64_t ended_ms;
	const struct counted_place *place;
	char sha256[DIGEST_HEX_SIZE];
};

struct tally_past {
	SLIST_ENTRY(tally_past) link;
	const struct tally_unit *unit;
	struct end end;
};

struct tally_unit {
	SLIST_ENTRY(tally_unit) link;
	bool is_identified;
	bool is_in_batch; /* it is counted there */
	bool has_good;
	bool has_failed; /* since it was good last */
	struct end good;
	struct end failed;
	/* Of a plug-in: the unit that said its id last in it, and how that stood before what failed
	 * here since then was taken to be its own. */
	struct tally_unit *answered;
	bool is_lent;
	bool had_failed;
	struct end failed_before;
	const char *key; /* within `name`, "" of a plug-in */
	char name[];	 /* its rule, and what tells it from others */
};

/* ----------------------------------------------------------------------------- one attempt */

static bool has_erased(const struct store_attempt *attempt)
{
	return attempt->report.pages_erased > 0 ||
	       (attempt->report.phase >= PHASE_ERASE && attempt->report.phase < PHASE_READ);
}

/* That there was nothing to give it, or not now, or that it was a twin, is not the unit's. */
static bool is_by_cause(const struct store_attempt *attempt, enum cause cause)
{
	return strcmp(attempt->cause, cause_to_string(cause)) == 0;
}

enum count_verdict count_verdict(const struct store_attempt *attempt)
{
	const char *flash = attempt_operation_to_string(OPERATION_FLASH);
	struct report report = attempt->report;

	/* Until there was a word for the operation, the cause said what goes back. */
	if (attempt->ended_ms == 0 ||
		(*attempt->operation && strcmp(attempt->operation, flash) != 0) ||
		is_by_cause(attempt, CAUSE_ROLLBACK))
		return COUNTS_NOTHING;
	if (report.outcome == OUTCOME_UPDATED || report.outcome == OUTCOME_CURRENT)
		return COUNTS_GOOD;
	if (is_by_cause(attempt, CAUSE_NONE_LEFT) || is_by_cause(attempt, CAUSE_TOO_MANY) ||
		is_by_cause(attempt, CAUSE_TWIN))
		return COUNTS_NOTHING;
	report.has_erased = has_erased(attempt);
	if (report.outcome == OUTCOME_PORT_GONE || report.outcome == OUTCOME_PORT_BUSY)
		return report.has_erased ? COUNTS_FAILED : COUNTS_NOTHING;
	return report.outcome == OUTCOME_QUARANTINED || settle_is_failure(&report) ? COUNTS_FAILED
										   : COUNTS_NOTHING;
}

bool count_is_identified(const struct store_attempt *attempt)
{
	return *attempt->key && strncmp(attempt->key, "usb ", 4) != 0;
}

/* -------------------------------------------------------------------------- units and places */

static int compare_names(const void *a, const void *b)
{
	const struct tally_unit *one = a, *other = b;

	return strcmp(one->name, other->name);
}

static int compare_places(const void *a, const void *b)
{
	const struct counted_place *one = a, *other = b;
	int r = strcmp(one->board, other->board);

	if (r == 0)
		r = strcmp(one->slot, other->slot);
	if (r == 0)
		r = strcmp(one->usb_path, other->usb_path);
	return r == 0 ? strcmp(one->port, other->port) : r;
}

/* Of this name, made where it is not there; NULL: out of memory. A name is "BOARD\nWHAT". */
static struct tally_unit *find_unit(
	struct tally *tally, const char *board, const char *what, bool is_identified)
{
	size_t n_board = strlen(board), n = n_board + 1 + strlen(what) + 1;
	struct tally_unit *unit = calloc(1, sizeof(*unit) + n), **found;

	if (!unit)
		return NULL;
	snprintf(unit->name, n, "%s\n%s", board, what);
	found = tsearch(unit, &tally->units, compare_names);
	if (!found || *found != unit) {
		free(unit);
		return found ? *found : NULL;
	}
	unit->is_identified = is_identified;
	unit->key = is_identified ? unit->name + n_board + 1 : "";
	SLIST_INSERT_HEAD(&tally->list, unit, link);
	return unit;
}

static const struct counted_place *find_place(
	struct tally *tally, const struct store_attempt *attempt)
{
	struct counted_place wanted, **found, *made;

	text_copy(wanted.board, sizeof(wanted.board), attempt->board);
	text_copy(wanted.slot, sizeof(wanted.slot), attempt->slot);
	text_copy(wanted.usb_path, sizeof(wanted.usb_path), attempt->usb_path);
	text_copy(wanted.port, sizeof(wanted.port), attempt->port);
	found = tfind(&wanted, &tally->places, compare_places);
	if (found)
		return *found;
	made = malloc(sizeof(*made));
	if (!made)
		return NULL;
	*made = wanted;
	if (tsearch(made, &tally->places, compare_places))
		return made;
	free(made);
	return NULL;
}

/* The unit of the plug-in, which may be one that says its id. NULL: out of memory. */
static struct tally_unit *find_plug(struct tally *tally, const struct store_attempt *attempt)
{
	char what[64];

	if (attempt->plug != 0)
		snprintf(what, sizeof(what), "plug %" PRId64, attempt->plug);
	else
		snprintf(what, sizeof(what), "job %s", attempt->job);
	return find_unit(tally, attempt->board, what, false);
}

/* --------------------------------------------------------------------------------- counting */

/* What failed in this plug-in since a chip said its id last, or since it began, failed with this
 * unit, and not with the one before. */
static void take_failures(struct tally_unit *unit, struct tally_unit *plug)
{
	struct tally_unit *before = plug->answered;

	if (plug->is_lent && before != unit) {
		before->has_failed = plug->had_failed;
		before->failed = plug->failed_before;
	}
	if (plug->has_failed) {
		unit->failed = plug->failed;
		unit->has_failed = true;
	}
	plug->has_failed = plug->is_lent = false;
	plug->answered = unit;
}

/* An attempt that failed in this plug-in, and whose chip said nothing. */
static void add_failure_of_plug(struct tally_unit *plug, const struct end *end)
{
	struct tally_unit *answered = plug->answered;

	plug->failed = *end;
	plug->has_failed = true;
	if (!answered)
		return;
	if (!plug->is_lent) {
		plug->had_failed = answered->has_failed;
		plug->failed_before = answered->failed;
	}
	plug->is_lent = true;
	answered->failed = *end;
	answered->has_failed = true;
}

static int keep_past(struct tally *tally, const struct tally_unit *unit)
{
	struct tally_past *past = malloc(sizeof(*past));

	if (!past)
		return -ENOMEM;
	*past = (struct tally_past){.unit = unit, .end = unit->good};
	SLIST_INSERT_HEAD(&tally->past, past, link);
	return 0;
}

/* A unit that was good before the batch is not made good by being found so. */
static void count_in_batch(
	struct tally *tally, struct tally_unit *unit, const struct end *end, bool is_same)
{
	const struct batch *batch = tally->batch;

	if (!batch || unit->is_in_batch || end->attempt_id <= batch->after_id ||
		strcmp(end->place->board, batch->board) != 0)
		return;
	if (end->outcome != OUTCOME_UPDATED && (is_same || !unit->is_identified))
		return;
	unit->is_in_batch = true;
	tally->n_batch++;
}

static int add_good(struct tally *tally, struct tally_unit *unit, const struct end *end)
{
	bool is_same = unit->has_good && strcmp(unit->good.sha256, end->sha256) == 0;
	bool is_known = !unit->is_identified && end->outcome == OUTCOME_CURRENT;

	count_in_batch(tally, unit, end, is_same);
	if (!is_same && !is_known) {
		if (unit->has_good && keep_past(tally, unit) < 0)
			return -ENOMEM;
		unit->good = *end;
		unit->good.kind = unit->has_failed ? COUNT_RETRIED : COUNT_FIRST_PASS;
		unit->has_good = true;
	}
	unit->has_failed = false;
	return 0;
}

/* The unit of the attempt, and its plug-in where that is known. 0 or -ENOMEM. */
static int find_both(struct tally *tally, const struct store_attempt *attempt,
	struct tally_unit **ret_unit, struct tally_unit **ret_plug)
{
	bool is_identified = count_is_identified(attempt);
	struct tally_unit *plug = NULL, *unit;

	if (!is_identified || attempt->plug != 0) {
		plug = find_plug(tally, attempt);
		if (!plug)
			return -ENOMEM;
	}
	if (is_identified) {
		unit = find_unit(tally, attempt->board, attempt->key, true);
		if (!unit)
			return -ENOMEM;
		if (plug)
			take_failures(unit, plug);
	} else {
		unit = plug->answered ? plug->answered : plug;
	}
	*ret_unit = unit;
	*ret_plug = plug;
	return 0;
}

int tally_add(struct tally *tally, const struct store_attempt *attempt)
{
	enum count_verdict verdict = count_verdict(attempt);
	struct tally_unit *unit, *plug;
	struct end end = {
		.kind = COUNT_BAD,
		.outcome = attempt->report.outcome,
		.attempt_id = attempt->id,
		.ended_ms = attempt->ended_ms,
	};

	if (verdict == COUNTS_NOTHING)
		return 0;
	text_copy(end.sha256, sizeof(end.sha256), attempt->report.sha256);
	end.place = find_place(tally, attempt);
	if (!end.place || find_both(tally, attempt, &unit, &plug) < 0)
		return -ENOMEM;
	if (verdict == COUNTS_GOOD) {
		int r = add_good(tally, unit, &end);

		if (plug)
			plug->has_failed = plug->is_lent = false;
		return r;
	}
	if (plug && !count_is_identified(attempt)) {
		add_failure_of_plug(plug, &end);
		return 0;
	}
	unit->failed = end;
	unit->has_failed = true;
	return 0;
}

static int tell(const struct tally_unit *unit, const struct end *end,
	int (*callback)(void *userdata, const struct counted *counted), void *userdata)
{
	const struct counted counted = {
		.kind = end->kind,
		.outcome = end->outcome,
		.attempt_id = end->attempt_id,
		.ended_ms = end->ended_ms,
		.place = end->place,
		.key = unit->key,
	};

	return callback(userdata, &counted);
}

int tally_each(const struct tally *tally,
	int (*callback)(void *userdata, const struct counted *counted), void *userdata)
{
	const struct tally_past *past;
	const struct tally_unit *unit;
	int r = 0;

	SLIST_FOREACH(past, &tally->past, link)
	{
		r = tell(past->unit, &past->end, callback, userdata);
		if (r != 0)
			return r;
	}
	SLIST_FOREACH(unit, &tally->list, link)
	{
		/* What failed in a plug-in is that of the unit that answered in it. */
		bool has_failed = unit->has_failed && !unit->answered;
		bool is_lost = has_failed && strcmp(unit->good.sha256, unit->failed.sha256) == 0;

		if (unit->has_good && !is_lost)
			r = tell(unit, &unit->good, callback, userdata);
		if (r == 0 && has_failed)
			r = tell(unit, &unit->failed, callback, userdata);
		if (r != 0)
			return r;
	}
	return 0;
}

static void leave_alone(void *node)
{
	(void)node;
}

void tally_done(struct tally *tally)
{
	struct tally_past *past;
	struct tally_unit *unit;

	tdestroy(tally->units, leave_alone);
	tdestroy(tally->places, free);
	while ((past = SLIST_FIRST(&tally->past))) {
		SLIST_REMOVE_HEAD(&tally->past, link);
		free(past);
	}
	while ((unit = SLIST_FIRST(&tally->list))) {
		SLIST_REMOVE_HEAD(&tally->list, link);
		free(unit);
	}
	*tally = (struct tally){0};
}
