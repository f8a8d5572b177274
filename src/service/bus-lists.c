/* SPDX-License-Identifier: MIT */
#include "service/bus-lists.h"

#include <errno.h>
#include <string.h>

#include "api/message.h"
#include "base/names.h"
#include "base/util.h"
#include "service/bus-options.h"

/* Answers that may wait to be sent before a list is refused: each may have LISTS_MOST rows. */
#define QUEUE_MOST 4

static int set_text(struct dict *to, const char *name, const char *text)
{
	return *text ? dict_set_text(to, name, text) : 0;
}

static int set_time(struct dict *to, const char *name, int64_t msec)
{
	return msec > 0 ? dict_set_long(to, name, (uint64_t)msec) : 0;
}

int attempt_to_dict(const struct store_attempt *attempt, struct dict *ret)
{
	int r = dict_set_long(ret, "id", (uint64_t)attempt->id);

	if (r >= 0)
		r = set_time(ret, "started", attempt->started_ms);
	if (r >= 0)
		r = set_time(ret, "ended", attempt->ended_ms);
	if (r >= 0)
		r = dict_set_text(ret, "job", attempt->job);
	if (r >= 0)
		r = set_text(ret, "operation", attempt->operation);
	if (r >= 0)
		r = set_text(ret, "board", attempt->board);
	if (r >= 0)
		r = set_text(ret, "port", attempt->port);
	if (r >= 0)
		r = set_text(ret, "usb_serial", attempt->serial);
	if (r >= 0)
		r = set_text(ret, "usb_path", attempt->usb_path);
	if (r >= 0)
		r = set_text(ret, "slot", attempt->slot);
	if (r >= 0)
		r = set_text(ret, "cause", attempt->cause);
	if (r >= 0)
		r = report_to_dict(&attempt->report, ret);
	/* One that runs has no outcome yet. */
	if (r >= 0 && attempt->ended_ms == 0)
		dict_remove(ret, "outcome");
	return r;
}

int unit_to_dict(const struct store_unit *unit, struct dict *ret)
{
	int r = dict_set_long(ret, "id", (uint64_t)unit->id);

	if (r >= 0)
		r = set_time(ret, "seen", unit->seen_ms);
	if (r >= 0)
		r = set_text(ret, "board", unit->board);
	if (r >= 0)
		r = set_text(ret, "usb_serial", unit->serial);
	if (r >= 0)
		r = set_text(ret, "usb_path", unit->usb_path);
	if (r >= 0)
		r = set_text(ret, "slot", unit->slot);
	if (r >= 0)
		r = set_text(ret, "chip", unit->chip);
	if (r >= 0)
		r = set_text(ret, "unit", unit->unit);
	if (r >= 0 && unit->has_state)
		r = dict_set_text(ret, "state", unit_state_to_string(unit->state));
	if (r >= 0)
		r = set_text(ret, "image", unit->image);
	if (r >= 0)
		r = set_text(ret, "version", unit->version);
	if (r >= 0)
		r = set_text(ret, "sha256", unit->sha256);
	if (r >= 0)
		r = dict_set_number(ret, "failures", unit->failures);
	if (r >= 0 && unit->failures > 0)
		r = dict_set_text(ret, "failed_with", outcome_to_string(unit->failed_outcome));
	if (r >= 0)
		r = dict_set_text(ret, "rollback", rollback_state_to_string(unit->rollback));
	return r < 0 ? r : set_time(ret, "again", unit->not_before_ms);
}

/* ---------------------------------------------------------------------------------- the lists */

static int add_row(sd_bus_message *reply, struct dict *row, int r)
{
	if (r >= 0)
		r = message_append_dict(reply, row);
	dict_done(row);
	return r < 0 ? r : 0;
}

static int on_attempt(void *userdata, const struct store_attempt *attempt)
{
	struct dict row = {0};
	int r = attempt_to_dict(attempt, &row);

	return add_row(userdata, &row, r);
}

static int on_unit(void *userdata, const struct store_unit *unit)
{
	struct dict row = {0};
	int r = unit_to_dict(unit, &row);

	return add_row(userdata, &row, r);
}

static int read_filter(sd_bus_message *call, struct store_filter *ret, sd_bus_error *error)
{
	uint64_t after = 0, since = 0, until = 0;
	const struct option_row rows[] = {
		{"board", OPTION_TEXT, &ret->board},
		{"unit", OPTION_TEXT, &ret->unit},
		{"slot", OPTION_TEXT, &ret->slot},
		{"port", OPTION_TEXT, &ret->port},
		{"outcome", OPTION_TEXT, &ret->outcome},
		{"since", OPTION_NUMBER, &since},
		{"until", OPTION_NUMBER, &until},
		{NULL},
	};
	int r;

	*ret = (struct store_filter){.by_id = true};
	r = sd_bus_message_read(call, "tu", &after, &ret->limit);
	if (r >= 0)
		r = options_read(call, rows, error);
	if (r < 0)
		return r;
	if (after > INT64_MAX || since > INT64_MAX || until > INT64_MAX)
		return sd_bus_error_setf(error, BUS_ERROR_INVALID, "ids and times are below 2^63");
	if (ret->limit == 0 || ret->limit > LISTS_MOST)
		ret->limit = LISTS_MOST;
	ret->after_id = (int64_t)after;
	ret->since_ms = (int64_t)since;
	ret->until_ms = (int64_t)until;
	return 0;
}

/* Who asks without reading the answers gets no more of them. */
static int refuse_flood(sd_bus_message *call, sd_bus_error *error)
{
	uint64_t n = 0;

	(void)sd_bus_get_n_queued_write(sd_bus_message_get_bus(call), &n);
	if (n <= QUEUE_MOST)
		return 0;
	return sd_bus_error_setf(error, BUS_ERROR_BUSY,
		"answers of before still wait to be sent: read them, then call again");
}

static int begin(struct records *records, sd_bus_message *call, struct store_filter *filter,
	sd_bus_message **reply, sd_bus_error *error)
{
	int r = read_filter(call, filter, error);

	if (r >= 0)
		r = refuse_flood(call, error);
	if (r < 0)
		return r;
	if (!records->store)
		return sd_bus_error_setf(error, BUS_ERROR_NOT_POSSIBLE,
			"the store in %s cannot be read; the journal says why", records->directory);
	r = sd_bus_message_new_method_return(call, reply);
	return r < 0 ? r : sd_bus_message_open_container(*reply, 'a', "a{sv}");
}

static int end(sd_bus_message *reply, int r, const struct reason *reason, sd_bus_error *error)
{
	if (r < 0 && *reason->text)
		return sd_bus_error_setf(error, BUS_ERROR_NOT_POSSIBLE, "%s", reason->text);
	if (r >= 0)
		r = sd_bus_message_close_container(reply);
	if (r >= 0)
		r = sd_bus_send(NULL, reply, NULL);
	return r < 0 ? r : 1;
}

int lists_attempts(struct records *records, sd_bus_message *call, sd_bus_error *error)
{
	CLEANUP(sd_bus_message_unrefp) sd_bus_message *reply = NULL;
	struct store_filter filter;
	struct reason reason = {0};
	int r = begin(records, call, &filter, &reply, error);

	if (r < 0)
		return r;
	r = store_list_attempts(records->store, &filter, on_attempt, reply, &reason);
	return end(reply, r, &reason, error);
}

int lists_units(struct records *records, sd_bus_message *call, sd_bus_error *error)
{
	CLEANUP(sd_bus_message_unrefp) sd_bus_message *reply = NULL;
	struct store_filter filter;
	struct reason reason = {0};
	int r = begin(records, call, &filter, &reply, error);

	if (r < 0)
		return r;
	r = store_list_units(records->store, &filter, on_unit, reply, &reason);
	return end(reply, r, &reason, error);
}
