/* SPDX-License-Identifier: MIT */
#include "service/flap.h"

#include <stdio.h>
#include <string.h>

#include "base/util.h"

/* The end of a long path tells more than its beginning. */
static void make_key(const struct facts *facts, char key[FLAP_KEY])
{
	const char *place = facts->path ? facts->path : facts->sysfs;
	size_t n = strlen(place), room = FLAP_KEY - sizeof("0000:0000 ");

	snprintf(key, FLAP_KEY, "%04x:%04x %s", facts->vendor_id, facts->product_id,
		n > room ? place + n - room : place);
}

static uint64_t last_coming(const struct flap_slot *slot)
{
	return slot->comings[(slot->next + FLAP_TOLERATED - 1) % FLAP_TOLERATED];
}

static struct flap_slot *find_slot(struct flap_table *table, const char *key)
{
	struct flap_slot *quietest = &table->slots[0];

	for (size_t i = 0; i < ARRAY_SIZE(table->slots); i++) {
		struct flap_slot *slot = &table->slots[i];

		if (strcmp(slot->key, key) == 0)
			return slot;
		if (last_coming(slot) < last_coming(quietest))
			quietest = slot;
	}
	*quietest = (struct flap_slot){0};
	memcpy(quietest->key, key, FLAP_KEY);
	return quietest;
}

struct flap_verdict flap_count(struct flap_table *table, const struct facts *facts, uint64_t now)
{
	struct flap_verdict verdict = {0};
	struct flap_slot *slot;
	char key[FLAP_KEY] = "";
	uint64_t oldest;

	make_key(facts, key);
	slot = find_slot(table, key);
	oldest = slot->comings[slot->next];
	slot->comings[slot->next] = now;
	slot->next = (slot->next + 1) % FLAP_TOLERATED;
	if (oldest == 0 || now - oldest >= FLAP_WINDOW_USEC) {
		slot->delay_usec = 0;
		slot->n_unsaid = 0;
		return verdict;
	}

	if (slot->delay_usec == 0)
		slot->n_unsaid = FLAP_TOLERATED;
	slot->delay_usec = slot->delay_usec == 0 ? FLAP_DELAY_USEC : 2 * slot->delay_usec;
	if (slot->delay_usec > FLAP_DELAY_MAX_USEC)
		slot->delay_usec = FLAP_DELAY_MAX_USEC;
	verdict.is_flapping = true;
	verdict.delay_usec = slot->delay_usec;
	verdict.n_comings = ++slot->n_unsaid;
	if (slot->entry_usec == 0 || now - slot->entry_usec >= FLAP_ENTRY_USEC) {
		verdict.is_entry_due = true;
		slot->entry_usec = now;
		slot->n_unsaid = 0;
	}
	return verdict;
}
