/* SPDX-License-Identifier: MIT */
/*
 * events.c - from rows of the store to messages, and the cursor behind them.
 *
 * Each time the service appears, the attempt at the cursor is asked for first, on a first start the
 * newest. Where it is another one, or none comes at all, the store is another, or an older copy
 * that was put back: it has given ids again, or will. It is read from its first attempt then, since
 * nobody knows from where on it differs.
 *
 * Then events are read ahead, a few at a time: memory is bounded, and the store has the rest.
 */
#include "fleet/events.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/parse.h"
#include "base/text.h"
#include "base/util.h"
#include "fleet/payload.h"

void events_init(struct events *events, const char *gateway, const struct event_cursor *cursor)
{
	*events = (struct events){.gateway = gateway};
	if (cursor)
		events->cursor = events->read = *cursor;
}

void events_done(struct events *events)
{
	for (size_t i = 0; i < events->n_items; i++)
		free(events->items[i].payload);
	events->n_items = 0;
}

/* ------------------------------------------------------------------------- from the store */

void events_service(struct events *events, bool is_there, const char *store)
{
	events->is_there = is_there;
	events->is_checked = events->is_held = false;
	events->is_behind = is_there;
	text_copy(events->store, sizeof(events->store), store);
}

void events_wake(struct events *events)
{
	events->is_behind = events->is_there;
	events->is_held = false;
}

bool events_question(const struct events *events, struct events_question *ret)
{
	if (!events->is_there || events->is_asking || !events->is_behind || events->is_held)
		return false;
	/* Half of them at least, so that one event does not cost one question. */
	if (events->n_items > EVENTS_AHEAD / 2)
		return false;
	if (events->is_checked)
		*ret = (struct events_question){.after_id = events->read.id,
			.max = (uint32_t)(EVENTS_AHEAD - events->n_items)};
	else if (events->read.id > 0)
		*ret = (struct events_question){.after_id = events->read.id - 1, .max = 1};
	else
		*ret = (struct events_question){.max = 1, .newest = true};
	return true;
}

void events_asked(struct events *events)
{
	/* What ends from now on may not be in the answer. */
	events->is_behind = false;
	events->is_asking = true;
	events->is_asking_first = !events->is_checked;
}

void events_failed(struct events *events)
{
	events->is_asking = false;
}

/* Takes the payload; `job` "" where there is none of that id. */
static void push(struct events *events, uint64_t id, const char *job, char *payload)
{
	struct event_cursor *read = &events->read;

	*read = (struct event_cursor){.id = id, .is_known = true};
	text_copy(read->store, sizeof(read->store), events->store);
	text_copy(read->job, sizeof(read->job), job);
	events->items[events->n_items++] = (struct event){.after = *read, .payload = payload};
}

static int push_gap(
	struct events *events, const char *store, uint64_t last, uint64_t id, const char *job)
{
	char *payload;
	int r = payload_gap(events->gateway, store, events->read.id + 1, last, &payload);

	if (r == 0)
		push(events, id, job, payload);
	return r;
}

/* By its identity, and by the row at the cursor: the first one from there on, or none. */
static bool is_another_store(const struct events *events, const struct dict *row)
{
	const struct event_cursor *read = &events->read;

	if (read->store[0] && events->store[0] && strcmp(read->store, events->store) != 0)
		return true;
	if (!row)
		return read->id > 0;
	return read->job[0] && dict_long(row, "id") == read->id &&
	       strncmp(dict_text(row, "job"), read->job, sizeof(read->job) - 1) != 0;
}

/* Kept before anything is acknowledged: a process that ends now must not begin further on. */
static void begin_first(struct events *events, uint64_t newest)
{
	events->read.id = newest > EVENTS_FIRST ? newest - EVENTS_FIRST : 0;
	events->read.is_known = true;
	text_copy(events->read.store, sizeof(events->read.store), events->store);
	events->cursor = events->read;
	events->is_cursor_new = true;
}

/* The answer to the first question. */
static int check_store(struct events *events, const struct dict *row)
{
	int r = 0;

	if (!events->read.is_known)
		begin_first(events, row ? dict_long(row, "id") : 0);
	else if (is_another_store(events, row))
		r = push_gap(events, events->read.store, 0, 0, "");
	if (r < 0)
		return r;
	text_copy(events->read.store, sizeof(events->read.store), events->store);
	events->is_checked = events->is_behind = true;
	return 0;
}

/*
 * Whether an attempt without an end is no more under way: another one has begun at its port since.
 * Its end was lost, as many are where the disk takes nothing for long.
 */
static bool is_over(const struct dict *rows, size_t n_rows, size_t i)
{
	const char *port = dict_text(&rows[i], "port"), *place = dict_text(&rows[i], "usb_path");

	for (size_t k = i + 1; k < n_rows && *port; k++)
		if (strcmp(dict_text(&rows[k], "port"), port) == 0 &&
			strcmp(dict_text(&rows[k], "usb_path"), place) == 0)
			return true;
	return false;
}

/* The i-th row; whether those behind it may be taken, too, else -ENOMEM. */
static int take_row(struct events *events, const struct dict *rows, size_t n_rows, size_t i)
{
	bool has_ended = dict_long(&rows[i], "ended") != 0;
	uint64_t id = dict_long(&rows[i], "id");
	char *payload;
	int r;

	if (id <= events->read.id)
		return true;
	if (events->n_items == EVENTS_AHEAD)
		return false;
	if (id > events->read.id + 1) {
		r = push_gap(events, events->store, id - 1, id - 1, "");
		if (r < 0)
			return r;
	}
	if (!has_ended && !is_over(rows, n_rows, i)) {
		/* A full answer may end before the next attempt at its port: it is asked once more,
		 * from this one on. */
		events->is_held = i == 0 || n_rows < EVENTS_AHEAD / 2;
		return false;
	}
	if (events->n_items == EVENTS_AHEAD)
		return false;
	if (!has_ended) {
		r = push_gap(events, events->store, id, id, dict_text(&rows[i], "job"));
	} else {
		r = payload_attempt(events->gateway, events->store, &rows[i], &payload);
		if (r == 0)
			push(events, id, dict_text(&rows[i], "job"), payload);
	}
	return r < 0 ? r : events->n_items < EVENTS_AHEAD;
}

int events_take(struct events *events, const struct dict *rows, size_t n_rows)
{
	uint64_t before = events->read.id;
	int r = 1;

	events->is_asking = false;
	/* The service went meanwhile, or its store is another: it is asked first what it is. */
	if (!events->is_there || events->is_asking_first == events->is_checked)
		return 0;
	if (!events->is_checked)
		return check_store(events, n_rows > 0 ? rows : NULL);
	for (size_t i = 0; i < n_rows && r > 0; i++)
		r = take_row(events, rows, n_rows, i);
	events->is_behind |= events->read.id > before;
	return r < 0 ? r : 0;
}

/* --------------------------------------------------------------------------- to the broker */

const struct event *events_next(const struct events *events)
{
	size_t n_flying = 0;

	for (size_t i = 0; i < events->n_items; i++) {
		const struct event *event = &events->items[i];

		if (event->link_id == 0 && !event->is_acknowledged)
			return n_flying < EVENTS_FLIGHT_MOST ? event : NULL;
		n_flying += event->link_id != 0;
	}
	return NULL;
}

void events_sent(struct events *events, const struct event *event, unsigned link_id)
{
	events->items[event - events->items].link_id = link_id;
}

/* The cursor goes on over all that were acknowledged without one missing before them. */
static void move_cursor(struct events *events)
{
	size_t n = 0;

	while (n < events->n_items && events->items[n].is_acknowledged) {
		events->cursor = events->items[n].after;
		free(events->items[n++].payload);
	}
	events->is_cursor_new |= n > 0;
	events->n_items -= n;
	memmove(events->items, events->items + n, events->n_items * sizeof(events->items[0]));
}

void events_pass_over(struct events *events, const struct event *event)
{
	events->items[event - events->items].is_acknowledged = true;
	move_cursor(events);
}

bool events_acknowledged(struct events *events, unsigned link_id)
{
	for (size_t i = 0; i < events->n_items; i++) {
		struct event *event = &events->items[i];

		if (link_id == 0 || event->link_id != link_id)
			continue;
		event->link_id = 0;
		event->is_acknowledged = true;
		move_cursor(events);
		return true;
	}
	return false;
}

/* Acknowledged ones behind one that was not are sent again as well: what comes, comes in order. */
void events_disconnected(struct events *events)
{
	for (size_t i = 0; i < events->n_items; i++) {
		events->items[i].link_id = 0;
		events->items[i].is_acknowledged = false;
	}
}

/* ------------------------------------------------------------------------------- the file */

void event_cursor_write(const struct event_cursor *cursor, char to[static EVENTS_CURSOR_MAX])
{
	snprintf(to, EVENTS_CURSOR_MAX, "%s %" PRIu64 "%s%s\n",
		cursor->store[0] ? cursor->store : "-", cursor->id, cursor->job[0] ? " " : "",
		cursor->job);
}

/* What stands behind the id: " JOB" or nothing, and a newline. */
static bool read_job(const char *text, char to[static EVENTS_JOB_SIZE])
{
	size_t n = *text == ' ' ? strcspn(text + 1, "\n") : 0;

	if (strcmp(text, "\n") == 0)
		return true;
	if (n == 0 || n >= EVENTS_JOB_SIZE || strcmp(text + 1 + n, "\n") != 0)
		return false;
	memcpy(to, text + 1, n);
	return true;
}

bool event_cursor_read(const char *text, struct event_cursor *ret)
{
	size_t n = strcspn(text, " ");
	struct event_cursor cursor = {.is_known = true};
	const char *digits = text + n + 1;

	if (n == 0 || n >= sizeof(cursor.store) || !text[n])
		return false;
	if (parse_digits(&digits, 10, &cursor.id) < 0 || cursor.id > INT64_MAX ||
		!read_job(digits, cursor.job))
		return false;
	if (strncmp(text, "-", n) != 0)
		memcpy(cursor.store, text, n);
	*ret = cursor;
	return true;
}
