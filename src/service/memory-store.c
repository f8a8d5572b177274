/* SPDX-License-Identifier: MIT */
#include "service/memory-store.h"

#include <errno.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/names.h"
#include "base/util.h"

/* A store that another program keeps locked is waited for, and the event loop must not wait often.
 */
#define RETRY_USEC (10 * USEC_PER_SEC)

/* Both, or one of them, for one transaction. */
struct memory_pending {
	struct store_unit unit;
	struct store_attempt attempt;
	bool has_unit;
	bool has_attempt;
};

static const char *consequence(const struct memory *memory)
{
	if (memory->is_required)
		return "nothing is erased until it can be kept (require-store)";
	return memory->store ? "it is saved once that is possible"
			     : "every chip is asked as if it were new";
}

void memory_tell_trouble(struct memory *memory, const struct reason *reason)
{
	if (memory->is_trouble_told)
		return;
	memory->is_trouble_told = true;
	log_event(LOG_ERR, MESSAGE_STORE_UNUSABLE, NULL,
		"what is known of units cannot be kept: %s; %s", reason->text, consequence(memory));
}

static void tell_recovery(struct memory *memory)
{
	if (!memory->is_trouble_told)
		return;
	memory->is_trouble_told = false;
	if (memory->n_lost > 0)
		log_event(LOG_WARNING, MESSAGE_STORE_USABLE, NULL,
			"what is known of units can be kept again; the history lacks %u attempts "
			"that ended meanwhile",
			memory->n_lost);
	else
		log_event(LOG_INFO, MESSAGE_STORE_USABLE, NULL,
			"what is known of units can be kept again");
	memory->n_lost = 0;
}

static int take_job(void *userdata, const struct store_attempt *attempt)
{
	snprintf(userdata, sizeof(attempt->job), "%s", attempt->job);
	return 1;
}

/*
 * A store that lacks what was saved last is an older copy, or an empty one: what it says to be
 * whole may have been erased since.
 */
static void check_continuity(struct memory *memory)
{
	struct reason reason;

	if (*memory->last_job && store_has_attempt(memory->store, memory->last_job, &reason))
		return;
	if (*memory->last_job) {
		memory->trusted_since_ms = wall_clock_msec();
		log_event(LOG_ERR, MESSAGE_STORE_REPLACED, NULL,
			"the store in %s was taken away or replaced while the service ran: what it says of units is checked against their chips, and no new values of `serialize` are given until the service is restarted",
			memory->directory);
	}
	(void)store_list_attempts(memory->store, &(struct store_filter){.limit = 1}, take_job,
		memory->last_job, &reason);
}

/* 0 once there is a store. STORE_HELD and the others as store_open() has them. */
static int open_store(struct memory *memory, struct reason *reason)
{
	int r = store_open(memory->directory, &memory->store, reason);

	if (r == 0)
		check_continuity(memory);
	if (r == STORE_RENEWED) {
		memory->last_job[0] = '\0';
		log_event(LOG_ERR, MESSAGE_STORE_DAMAGED, NULL,
			"%s; what was known of units is lost, and kept anew from here on",
			reason->text);
		return 0;
	}
	memory->is_newer = r == STORE_NEWER;
	return r;
}

int memory_open(struct memory *memory, const char *directory)
{
	struct reason reason = {0};
	int r;

	memory->last_job[0] = '\0';
	memory->trusted_since_ms = 0;
	memory->directory = strdup(directory);
	if (!memory->directory)
		return -ENOMEM;
	r = open_store(memory, &reason);
	if (r == STORE_HELD) {
		log_event(LOG_ERR, MESSAGE_STORE_HELD, NULL,
			"%s: two services would flash the same boards; this one ends", reason.text);
		return r;
	}
	if (r != 0)
		memory_tell_trouble(memory, &reason);
	return 0;
}

static bool save_pending(struct memory *memory);

void memory_close(struct memory *memory)
{
	if (memory->n_pending > 0)
		(void)save_pending(memory);
	free(memory->pending);
	memory->pending = NULL;
	memory->n_pending = 0;
	memory->store = store_close(memory->store);
	free(memory->directory);
	memory->directory = NULL;
}

/* A disk that was full may have room again; who made a later format will not take it back. */
bool memory_has_store(struct memory *memory)
{
	struct reason reason = {0};
	int r;

	if (memory->store && store_is_changed(memory->store))
		memory->store = store_abandon(memory->store);
	if (memory->store)
		return true;
	if (memory->is_newer || !memory->directory)
		return false;
	r = open_store(memory, &reason);
	if (r != 0)
		memory_tell_trouble(memory, &reason);
	return r == 0;
}

bool memory_is_intact(struct memory *memory)
{
	if (memory->store && !store_is_changed(memory->store))
		return true;
	(void)memory_has_store(memory);
	return false;
}

/* Closed, it is found damaged when it is opened, and set aside. */
static bool renew(struct memory *memory)
{
	memory->store = store_close(memory->store);
	return memory_has_store(memory);
}

/* ------------------------------------------------------------------------------- saving */

static int save(struct memory *memory, const struct store_unit *unit,
	const struct store_attempt *attempt, struct reason *reason)
{
	int r = store_save(memory->store, unit, attempt, reason);

	if ((r == -EBADMSG && renew(memory)) ||
		(r == 0 && !memory_is_intact(memory) && memory->store))
		r = store_save(memory->store, unit, attempt, reason);
	if (r == 0 && !memory->store)
		r = -ENOENT;
	if (r == 0 && attempt)
		snprintf(memory->last_job, sizeof(memory->last_job), "%s", attempt->job);
	return r;
}

static void forget_oldest(struct memory *memory)
{
	memory->n_lost += memory->pending[0].has_attempt;
	memory->n_pending--;
	memmove(memory->pending, memory->pending + 1, memory->n_pending * sizeof(*memory->pending));
}

/* A row takes the place of an older one of the same unit or attempt: the newest is what counts. */
static void drop_replaced(struct memory *memory, const struct memory_pending *by)
{
	size_t n = 0;

	for (size_t i = 0; i < memory->n_pending; i++) {
		struct memory_pending *item = &memory->pending[i];

		if (by->has_unit && strcmp(item->unit.key, by->unit.key) == 0)
			item->has_unit = false;
		if (by->has_attempt && strcmp(item->attempt.job, by->attempt.job) == 0)
			item->has_attempt = false;
		if (item->has_unit || item->has_attempt)
			memory->pending[n++] = *item;
	}
	memory->n_pending = n;
}

static void keep(
	struct memory *memory, const struct store_unit *unit, const struct store_attempt *attempt)
{
	CLEANUP(freep) struct memory_pending *item = calloc(1, sizeof(*item));
	struct memory_pending *longer;

	if (!item)
		return;
	item->has_unit = unit;
	item->has_attempt = attempt;
	if (unit)
		item->unit = *unit;
	if (attempt)
		item->attempt = *attempt;
	drop_replaced(memory, item);
	while (memory->n_pending >= MEMORY_PENDING_MOST)
		forget_oldest(memory);
	longer = reallocarray(memory->pending, memory->n_pending + 1, sizeof(*longer));
	if (!longer)
		return;
	memory->pending = longer;
	memory->pending[memory->n_pending++] = *item;
}

/* All that waits, the oldest first. Whether none is left. */
static bool save_pending(struct memory *memory)
{
	struct reason reason = {0};
	size_t n = 0;
	int r = 0;

	if (memory->n_pending > 0 && !memory_has_store(memory))
		return false;
	for (; n < memory->n_pending && r == 0; n += r == 0) {
		const struct memory_pending *item = &memory->pending[n];

		r = save(memory, item->has_unit ? &item->unit : NULL,
			item->has_attempt ? &item->attempt : NULL, &reason);
	}
	memory->n_pending -= n;
	if (memory->n_pending > 0)
		memmove(memory->pending, memory->pending + n,
			memory->n_pending * sizeof(*memory->pending));
	if (r < 0)
		memory_tell_trouble(memory, &reason);
	else
		tell_recovery(memory);
	if (memory->n_pending == 0) {
		free(memory->pending);
		memory->pending = NULL;
	}
	return r == 0;
}

bool memory_save_now(
	struct memory *memory, const struct store_unit *unit, const struct store_attempt *attempt)
{
	struct reason reason = {0};
	int r;

	if (!memory_has_store(memory) || !save_pending(memory))
		return false;
	r = save(memory, unit, attempt, &reason);
	if (r < 0)
		memory_tell_trouble(memory, &reason);
	else
		tell_recovery(memory);
	return r == 0;
}

bool memory_save(
	struct memory *memory, const struct store_unit *unit, const struct store_attempt *attempt)
{
	if (memory_save_now(memory, unit, attempt))
		return true;
	keep(memory, unit, attempt);
	return false;
}

void memory_save_begin(struct memory *memory, const struct store_attempt *attempt)
{
	struct reason reason = {0};

	if (memory->n_pending > 0 || !memory_has_store(memory) ||
		store_save_begin(memory->store, attempt, &reason) < 0 || !memory_is_intact(memory))
		(void)memory_save(memory, NULL, attempt);
}

void memory_retry(struct memory *memory)
{
	uint64_t now = monotonic_usec();

	if (memory->n_pending == 0 ||
		(memory->retried_usec > 0 && now - memory->retried_usec < RETRY_USEC))
		return;
	memory->retried_usec = save_pending(memory) ? 0 : now;
}

static const struct store_unit *find_pending(const struct memory *memory, const char *key)
{
	for (size_t i = 0; i < memory->n_pending; i++)
		if (memory->pending[i].has_unit && strcmp(memory->pending[i].unit.key, key) == 0)
			return &memory->pending[i].unit;
	return NULL;
}

bool memory_find(struct memory *memory, const char *key, struct store_unit *ret)
{
	const struct store_unit *pending = find_pending(memory, key);
	struct reason reason = {0};
	int r = -ENOENT;

	*ret = (struct store_unit){0};
	if (memory_has_store(memory))
		r = pending ? 0 : store_find_unit(memory->store, key, ret, &reason);
	if (r == 0 && pending)
		*ret = *pending;
	/* Its chip is asked, as that of a unit that nobody knows. */
	if (r == 0 && ret->seen_ms < memory->trusted_since_ms && ret->state == UNIT_WHOLE)
		ret->has_state = false;
	if (r == -EBADMSG && renew(memory))
		r = -ENOENT;
	if (r < 0 && r != -ENOENT)
		memory_tell_trouble(memory, &reason);
	snprintf(ret->key, sizeof(ret->key), "%s", key);
	return r == 0;
}
