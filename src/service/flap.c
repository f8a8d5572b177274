/* SPDX-License-Identifier: MIT */
/*
 * flap.c - a ring of the last comings of each slot.
 *
 * A slot flaps when the ring is full and its oldest coming lies within the window: the fast one of
 * a minute delays attempts and limits entries, the slow one of a quarter of an hour limits entries
 * alone. A proof that a person plugs different boards in ends the counting: a unit that was
 * written, another chip, in the slow window another serial number. That is taken as a proof no more
 * often than a person can do it, since a broken device may claim another identity at each coming.
 */
#include "service/flap.h"

#include <stdio.h>
#include <string.h>

#include "base/util.h"

/* The end of a long path tells more than its beginning. */
static void make_key(const struct facts *facts, char key[FLAP_KEY])
{
	const char *place = facts->usb_path ? facts->usb_path : facts->sysfs;
	size_t n = strlen(place), room = FLAP_KEY - sizeof("0000:0000 ");

	snprintf(key, FLAP_KEY, "%04x:%04x %s", facts->vendor_id, facts->product_id,
		n > room ? place + n - room : place);
}

static uint64_t last_coming(const struct flap_slot *slot)
{
	return slot->comings[(slot->next + FLAP_TOLERATED - 1) % FLAP_TOLERATED];
}

/*
 * Times are compared by their age alone: the clock's zero is the start of the host, and a gateway
 * that was just switched on is no other than one that runs for a year.
 */
static bool is_older(uint64_t a, uint64_t b, uint64_t now)
{
	return a == 0 || (b > 0 && now - a > now - b);
}

/* NULL where it is not in the table. */
static struct flap_slot *find_slot(struct flap_table *table, const struct facts *facts)
{
	char key[FLAP_KEY] = "";

	make_key(facts, key);
	for (size_t i = 0; i < ARRAY_SIZE(table->slots); i++)
		if (strcmp(table->slots[i].key, key) == 0)
			return &table->slots[i];
	return NULL;
}

static struct flap_slot *take_slot(
	struct flap_table *table, const struct facts *facts, uint64_t now)
{
	struct flap_slot *slot = find_slot(table, facts), *quietest = &table->slots[0];

	if (slot)
		return slot;
	for (size_t i = 0; i < ARRAY_SIZE(table->slots); i++)
		if (is_older(last_coming(&table->slots[i]), last_coming(quietest), now))
			quietest = &table->slots[i];
	*quietest = (struct flap_slot){0};
	make_key(facts, quietest->key);
	return quietest;
}

/* The window that has seen more comings than are tolerated; `oldest` is the first of them. */
static enum flap_window find_window(const struct flap_slot *slot, uint64_t oldest, uint64_t now)
{
	static const uint64_t windows[FLAP_WINDOW_MAX] = {
		[FLAP_FAST] = FLAP_FAST_USEC, [FLAP_SLOW] = FLAP_SLOW_USEC};
	int window = 0;

	while (window < FLAP_WINDOW_MAX &&
		(oldest == 0 || now - oldest >= windows[window] ||
			(slot->since[window] > 0 && is_older(oldest, slot->since[window], now))))
		window++;
	return (enum flap_window)window;
}

struct flap_verdict flap_count(struct flap_table *table, const struct facts *facts, uint64_t now)
{
	struct flap_verdict verdict = {0};
	struct flap_slot *slot = take_slot(table, facts, now);
	uint64_t oldest = slot->comings[slot->next], delay = 2 * slot->delay_usec, every;
	enum flap_window window;
	char serial[FLAP_KEY];

	/* Boards are not swapped by hand as often as to be more than tolerated in the fast window:
	 * a device that has another serial number at each coming does not get out of that. A bad
	 * contact may lose the text. */
	if (facts->serial && *facts->serial) {
		snprintf(serial, sizeof(serial), "%s", facts->serial);
		if (*slot->serial && strcmp(slot->serial, serial) != 0)
			slot->since[FLAP_SLOW] = now;
		memcpy(slot->serial, serial, sizeof(serial));
	}
	slot->comings[slot->next] = now;
	slot->next = (slot->next + 1) % FLAP_TOLERATED;
	window = find_window(slot, oldest, now);
	if (delay == 0)
		delay = FLAP_DELAY_USEC;
	else if (delay > FLAP_DELAY_MAX_USEC)
		delay = FLAP_DELAY_MAX_USEC;
	slot->delay_usec = window == FLAP_FAST ? delay : 0;
	if (window == FLAP_WINDOW_MAX) {
		slot->is_flapping = false;
		return verdict;
	}

	/* A slot that begins to flap, or does so faster, has its entry at once, and then as often
	 * as it is news. */
	every = window == FLAP_SLOW && slot->is_flapping ? FLAP_SLOW_USEC : FLAP_ENTRY_USEC;
	if (!slot->is_flapping)
		slot->n_unsaid = FLAP_TOLERATED;
	slot->is_flapping = true;
	verdict.is_flapping = true;
	verdict.delay_usec = slot->delay_usec;
	verdict.n_comings = ++slot->n_unsaid;
	verdict.is_entry_due = slot->entry_usec == 0 || now - slot->entry_usec >= every;
	if (verdict.is_entry_due) {
		slot->entry_usec = now;
		slot->n_unsaid = 0;
	}
	return verdict;
}

void flap_note_end(struct flap_table *table, const struct facts *facts, const char *unit,
	enum outcome outcome, uint64_t now)
{
	struct flap_slot *slot = find_slot(table, facts);
	bool is_other, is_written;
	uint64_t oldest;

	if (!slot)
		return;
	/* Two units are never the same by what is not known of them; nor is that a proof that
	 * would end more. */
	if (!*unit) {
		if (outcome != OUTCOME_UPDATED && outcome != OUTCOME_CURRENT)
			return;
		slot->since[FLAP_SLOW] = now;
		if (slot->delay_usec == 0)
			slot->is_flapping = false;
		return;
	}
	is_other = *slot->unit && strcmp(slot->unit, unit) != 0;
	/* One that is written at each coming ends it once. */
	is_written = outcome == OUTCOME_UPDATED && strcmp(slot->written, unit) != 0;
	snprintf(slot->unit, sizeof(slot->unit), "%s", unit);
	if (is_written)
		snprintf(slot->written, sizeof(slot->written), "%s", unit);
	if (!is_other && !is_written)
		return;
	/* A person puts so many boards there, and no more. */
	oldest = slot->swaps[slot->next_swap];
	slot->swaps[slot->next_swap] = now;
	slot->next_swap = (slot->next_swap + 1) % FLAP_SWAPS;
	if (oldest > 0 && now - oldest < FLAP_FAST_USEC)
		return;
	slot->since[FLAP_FAST] = slot->since[FLAP_SLOW] = now;
	slot->delay_usec = 0;
	slot->is_flapping = false;
}

bool flap_take_entry(
	struct flap_table *table, const struct facts *facts, unsigned entry, uint64_t now)
{
	struct flap_slot *slot = find_slot(table, facts);

	if (!slot)
		return true;
	if (slot->is_flapping && slot->made_usec[entry] > 0 &&
		now - slot->made_usec[entry] < FLAP_ENTRY_USEC)
		return false;
	slot->made_usec[entry] = now;
	return true;
}
