/* SPDX-License-Identifier: MIT */
/*
 * owners.c - a unit that owns a port, from the first job that needs it down:
 *
 *   STOPPING   its stop is ordered: kept in the store before
 *   DOWN       it has ended, and jobs go on
 *   STARTING   no board needs it down any more: its start is ordered
 *   (forgotten: its start was done; the row in the store goes with it)
 *
 *   AWAITED    somebody else has ordered its stop: it is waited for, and not started
 *   OWED       it was started on a board that is torn or gone, and may have failed for that: the
 *              next job at that board starts it again, where it has
 *
 * A job waits until none of its units is STOPPING or AWAITED. How many jobs need a unit is not
 * counted: each turn asks for every unit that is DOWN whether a board needs that, so that no way in
 * which a job may end can be missed.
 *
 * A start that is refused for now (polkit, no bus, a shutdown under way) is tried again, each time
 * after twice as long; what the store says of it stays. One that fails is tried again likewise, and
 * given up once that has lasted for the longest of these times.
 */

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/names.h"
#include "base/util.h"
#include "service/handover.h"
#include "service/owners-private.h"

#define RETRY_FIRST_USEC    (10 * USEC_PER_SEC)
#define RETRY_MOST_USEC	    (600 * USEC_PER_SEC)
#define TIMER_ACCURACY_USEC (100 * USEC_PER_MSEC)

void owners_wake(struct owners *owners)
{
	owners->parts.on_change(owners->parts.userdata);
}

bool owner_is_named(char *const *names, size_t n_names, const struct owner *owner)
{
	for (size_t i = 0; i < n_names; i++)
		if (strcmp(names[i], owner->row.id) == 0 || strcmp(names[i], owner->row.name) == 0)
			return true;
	return false;
}

/* ------------------------------------------------------------------------------- the store */

static void setting_name(const struct owner *owner, char to[static 32])
{
	snprintf(to, 32, "owner-%u", owner->place);
}

static unsigned free_place(const struct owners *owners)
{
	for (unsigned place = 1; place <= OWNERS_MOST_TRACKED; place++) {
		const struct owner *owner;

		TAILQ_FOREACH(owner, &owners->items, link)
		{
			if (owner->place == place)
				break;
		}
		if (!owner)
			return place;
	}
	return 0;
}

/* Before its stop: then a service that is killed in between knows of it when it begins. */
void owner_keep(struct owner *owner)
{
	char name[32], value[OWNER_ROW_MAX];

	if (owner->place == 0)
		owner->place = free_place(owner->owners);
	owner->row.is_owed = owner->state == OWNER_OWED;
	setting_name(owner, name);
	owner_row_write(&owner->row, value);
	if (records_keep_setting(owner->owners->parts.records, name, value) < 0)
		log_warning(
			"%s: that it is stopped for a board cannot be kept in the store: if this service is killed before it is started again, it stays down",
			owner->row.id);
}

void owner_forget(struct owner *owner)
{
	char name[32];

	setting_name(owner, name);
	if (owner->place > 0)
		(void)records_keep_setting(owner->owners->parts.records, name, NULL);
	if (owner->owners->systemd1)
		systemd1_forget(owner->owners->systemd1, owner);
	TAILQ_REMOVE(&owner->owners->items, owner, link);
	owner_row_done(&owner->row);
	free(owner);
}

struct owner *owner_add(struct owners *owners, enum owner_state state, const char *id,
	const char *name, int64_t stopped_ms)
{
	struct owner *owner = free_place(owners) > 0 ? calloc(1, sizeof(*owner)) : NULL;

	if (!owner)
		return NULL;
	owner->owners = owners;
	owner->state = state;
	owner->down_usec = monotonic_usec();
	owner->row.stopped_ms = stopped_ms;
	owner->row.id = strdup(id);
	owner->row.name = strdup(name);
	if (!owner->row.id || !owner->row.name) {
		owner_row_done(&owner->row);
		free(owner);
		return NULL;
	}
	TAILQ_INSERT_TAIL(&owners->items, owner, link);
	return owner;
}

/* --------------------------------------------------------------------- the end of a job */

/* Whether it is the board that is torn or gone: in the same place, or in another by its unique id.
 */
static bool is_of_board(const struct owner *owner, const char *path, const char *unit)
{
	return strcmp(owner->row.usb_path ? owner->row.usb_path : "", path) == 0 ||
	       (*unit && strcmp(owner->unit, unit) == 0);
}

static void note_end(
	struct owner *owner, enum owners_end end, const char *usb_path, const char *unit)
{
	const char *path = usb_path ? usb_path : "";

	if (end == OWNERS_WELL && !is_of_board(owner, path, unit))
		return;
	text_copy(owner->unit, sizeof(owner->unit), end == OWNERS_WELL ? "" : unit);
	free(owner->row.usb_path);
	owner->row.usb_path = end == OWNERS_WELL ? NULL : strdup(path);
	owner->lingers_usec = end == OWNERS_PULLED ? monotonic_usec() + HANDOVER_MOMENT_USEC : 0;
	owner->retry_usec = owner->retry_delay_usec = 0;
	if (end == OWNERS_WELL && owner->state == OWNER_OWED)
		owner_forget(owner);
	else if (owner->place > 0)
		owner_keep(owner);
}

void owners_note_end(struct owners *owners, char *const *names, size_t n_names, enum owners_end end,
	const char *usb_path, const char *unit)
{
	struct owner *owner = TAILQ_FIRST(&owners->items), *next;

	for (; owner; owner = next) {
		next = TAILQ_NEXT(owner, link);
		if (owner_is_named(names, n_names, owner))
			note_end(owner, end, usb_path, unit);
	}
}

void owners_review(struct owners *owners,
	bool (*is_named_by_rule)(void *userdata, const char *name), void *userdata)
{
	struct owner *owner = TAILQ_FIRST(&owners->items), *next;

	for (; owner; owner = next) {
		next = TAILQ_NEXT(owner, link);
		if (owner->state == OWNER_OWED && !is_named_by_rule(userdata, owner->row.name) &&
			!is_named_by_rule(userdata, owner->row.id))
			owner_forget(owner);
	}
}

/* ------------------------------------------------------------------------------- the start */

/* By the wall clock where another service has stopped it. */
static uint64_t seconds_down(const struct owner *owner)
{
	int64_t ms = wall_clock_msec() - owner->row.stopped_ms;

	if (owner->down_usec > 0)
		return (monotonic_usec() - owner->down_usec) / USEC_PER_SEC;
	return ms > 0 ? (uint64_t)ms / 1000 : 0;
}

/* It runs: nothing more is to be done, unless it fails for want of its board. */
static void end_start(struct owner *owner)
{
	log_event(LOG_INFO, MESSAGE_OWNER_STARTED, NULL,
		"%s is started again; it was stopped for a board, for %" PRIu64 " s", owner->row.id,
		seconds_down(owner));
	if (!owner->row.usb_path) {
		owner_forget(owner);
		return;
	}
	owner->state = OWNER_OWED;
	owner_keep(owner);
}

/* Whether it may run once its board is back: one with BindsTo= on the device cannot before. */
static bool waits_for_board(const struct owner *owner, const struct systemd1_answer *answer)
{
	return owner->row.usb_path && answer->fault == 0;
}

static void fail_start(struct owner *owner, const struct systemd1_answer *answer)
{
	uint64_t delay = owner->retry_delay_usec > 0 ? owner->retry_delay_usec : RETRY_FIRST_USEC;
	bool is_waiting = waits_for_board(owner, answer);
	int fault = answer->fault ? answer->fault : SYSTEMD1_IMPOSSIBLE;
	struct reason why = answer->reason;

	if (answer->fault == 0)
		reason_set(&why, "its job ended as '%s'", answer->result);
	/* systemd goes down, or somebody else has ordered otherwise just now. */
	if (!owner->has_failed)
		log_event(fault == SYSTEMD1_CONFLICT ? LOG_NOTICE : LOG_ERR, MESSAGE_OWNER_DOWN,
			NULL, "%s was stopped for a board and is not started again: %s; %s",
			owner->row.id, why.text,
			is_waiting
				? "its board is torn or gone: it is tried again, and once that is whole"
				: owner_words_remedy(fault));
	owner->has_failed = true;
	/* Its file may be back in a moment, as in the middle of an upgrade of its package. */
	if (fault == SYSTEMD1_MASKED ||
		(fault == SYSTEMD1_IMPOSSIBLE && !is_waiting && delay >= RETRY_MOST_USEC)) {
		owner_forget(owner);
		return;
	}
	owner->state = OWNER_DOWN;
	owner->is_given_up = owner->owners->is_stopping;
	owner->retry_usec = monotonic_usec() + delay;
	owner->retry_delay_usec = delay * 2 < RETRY_MOST_USEC ? delay * 2 : RETRY_MOST_USEC;
}

static void on_started(void *userdata, const struct systemd1_answer *answer)
{
	struct owner *owner = userdata;
	struct owners *owners = owner->owners;

	owner->is_forced = false;
	/* One that takes its time is on its way. */
	if (answer->fault == SYSTEMD1_SLOW ||
		(answer->fault == 0 && handover_is_done(answer->result)))
		end_start(owner);
	else
		fail_start(owner, answer);
	owners_wake(owners);
}

/* systemd has taken the order, and carries it out without us. */
static void on_queued(void *userdata)
{
	struct owner *owner = userdata;
	struct owners *owners = owner->owners;

	if (!owners->is_stopping)
		return;
	systemd1_forget(owners->systemd1, owner);
	end_start(owner);
	owners_wake(owners);
}

static void start(struct owner *owner)
{
	struct owners *owners = owner->owners;
	bool is_forced = owner->is_forced || owner->state == OWNER_STOPPING;
	const struct systemd1_answer no_memory = {
		.fault = SYSTEMD1_AWAY, .reason = {.text = "out of memory"}};
	int r = owners->systemd1 ? 0 : systemd1_new(owners->parts.event, &owners->systemd1);

	if (r == 0) {
		systemd1_forget(owners->systemd1, owner);
		owner->state = OWNER_STARTING;
		r = systemd1_start(
			owners->systemd1, owner->row.id, is_forced, on_queued, on_started, owner);
	}
	if (r < 0)
		fail_start(owner, &no_memory);
}

static uint64_t wait_of(const struct owner *owner, uint64_t now)
{
	const struct owners *owners = owner->owners;
	const struct owners_need need =
		owners->parts.need(owners->parts.userdata, owner->row.id, owner->row.name);
	const struct handover_case facts = {
		.is_used = need.is_used,
		.is_soon = need.is_soon,
		.is_stopping = owners->is_stopping,
		.lingers_usec = owner->lingers_usec,
		.retry_usec = owner->retry_usec,
	};

	return owner->is_given_up ? HANDOVER_NEVER : handover_wait(&facts, now);
}

static int on_timer(sd_event_source *source, uint64_t usec, void *userdata)
{
	(void)source;
	(void)usec;
	owners_wake(userdata);
	return 0;
}

static void set_timer(struct owners *owners, uint64_t usec)
{
	owners->timer = sd_event_source_disable_unref(owners->timer);
	if (usec != HANDOVER_NEVER)
		(void)sd_event_add_time_relative(owners->parts.event, &owners->timer,
			CLOCK_MONOTONIC, usec, TIMER_ACCURACY_USEC, on_timer, owners);
}

static bool is_busy(const struct owners *owners)
{
	const struct owner *owner;

	TAILQ_FOREACH(owner, &owners->items, link)
	{
		if (owner->state != OWNER_DOWN && owner->state != OWNER_OWED)
			return true;
	}
	return !TAILQ_EMPTY(&owners->takings);
}

void owners_turn(struct owners *owners, bool is_stopping)
{
	struct owner *owner = TAILQ_FIRST(&owners->items), *next;
	uint64_t now = monotonic_usec(), soonest = HANDOVER_NEVER;

	owners->is_stopping = is_stopping;
	if (!owner && !owners->timer && !owners->systemd1)
		return;
	for (; owner; owner = next) {
		uint64_t wait = 0;

		next = TAILQ_NEXT(owner, link);
		if (owner->state == OWNER_STARTING || owner->state == OWNER_OWED)
			continue;
		wait = wait_of(owner, now);
		if (wait == 0 && owner->state == OWNER_AWAITED)
			owner_forget(owner);
		else if (wait == 0)
			start(owner);
		else if (wait < soonest)
			soonest = wait;
	}
	set_timer(owners, soonest);
	if (owners->systemd1 && !is_busy(owners))
		systemd1_rest(owners->systemd1);
}

bool owners_are_settled(const struct owners *owners)
{
	const struct owner *owner;

	TAILQ_FOREACH(owner, &owners->items, link)
	{
		if (owner->state != OWNER_OWED && !owner->is_given_up)
			return false;
	}
	return true;
}

void owners_list_down(const struct owners *owners, char *to, size_t size)
{
	const struct owner *owner;
	size_t n = 0;

	to[0] = '\0';
	TAILQ_FOREACH(owner, &owners->items, link)
	{
		if (owner->state == OWNER_OWED || owner->state == OWNER_AWAITED || n + 1 >= size)
			continue;
		n += (size_t)snprintf(to + n, size - n, "%s%s", n > 0 ? " " : "", owner->row.id);
	}
}

/* --------------------------------------------------------------------------- start and end */

void owners_recall(struct owners *owners)
{
	char value[STORE_SETTING_MAX], name[32];

	for (unsigned place = 1; place <= OWNERS_MOST_TRACKED; place++) {
		struct owner_row row = {0};
		struct owner *owner;

		snprintf(name, sizeof(name), "owner-%u", place);
		if (records_get_setting(owners->parts.records, name, value) != 0 ||
			owner_row_read(value, &row) != 0)
			continue;
		owner = owner_add(owners, row.is_owed ? OWNER_OWED : OWNER_DOWN, row.id, row.name,
			row.stopped_ms);
		if (owner) {
			owner->place = place;
			owner->down_usec = 0;
			owner->row.usb_path = TAKE_PTR(row.usb_path);
			/* A store that comes later gets it, too. */
			(void)records_keep_setting(owners->parts.records, name, value);
			if (owner->state == OWNER_DOWN)
				log_warning(
					"%s was stopped for a board by a service that did not start it again: it is started when no board needs its port",
					owner->row.id);
		}
		owner_row_done(&row);
	}
}

int owners_new(const struct owners_parts *parts, struct owners **ret)
{
	struct owners *owners = calloc(1, sizeof(*owners));

	if (!owners)
		return -ENOMEM;
	owners->parts = *parts;
	TAILQ_INIT(&owners->items);
	TAILQ_INIT(&owners->takings);
	*ret = owners;
	return 0;
}

struct owners *owners_free(struct owners *owners)
{
	struct owner *owner;

	if (!owners)
		return NULL;
	owners_drop_takings(owners);
	systemd1_free(owners->systemd1);
	while ((owner = TAILQ_FIRST(&owners->items))) {
		TAILQ_REMOVE(&owners->items, owner, link);
		owner_row_done(&owner->row);
		free(owner);
	}
	sd_event_source_disable_unref(owners->timer);
	free(owners);
	return NULL;
}
