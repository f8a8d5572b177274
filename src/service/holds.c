/* SPDX-License-Identifier: MIT */
#include "service/holds.h"

#include <string.h>

#define CUT "..."

static bool has_room(const char *text)
{
	return strnlen(text, HOLDS_TEXT) < HOLDS_TEXT;
}

int holds_pause(struct holds *holds, const char *reason)
{
	if (!has_room(reason))
		return HOLDS_TOO_LONG;
	holds->is_paused = true;
	text_copy(holds->reason, sizeof(holds->reason), reason);
	return 0;
}

bool holds_resume(struct holds *holds)
{
	bool was_paused = holds->is_paused;

	holds->is_paused = false;
	holds->reason[0] = '\0';
	return was_paused;
}

int holds_inhibit(
	struct holds *holds, uint64_t bridge, const char *who, const char *why, unsigned *ret_id)
{
	struct holder *holder = &holds->items[holds->n_items];

	if (!*who)
		return HOLDS_NO_NAME;
	if (!has_room(who) || !has_room(why))
		return HOLDS_TOO_LONG;
	if (holds->n_items == HOLDS_MOST)
		return HOLDS_FULL;
	*holder = (struct holder){.id = ++holds->last_id, .bridge = bridge};
	text_copy(holder->who, sizeof(holder->who), who);
	text_copy(holder->why, sizeof(holder->why), why);
	holds->n_items++;
	*ret_id = holder->id;
	return 0;
}

bool holds_release(struct holds *holds, unsigned id)
{
	for (size_t i = 0; i < holds->n_items; i++) {
		if (holds->items[i].id != id)
			continue;
		holds->n_items--;
		memmove(&holds->items[i], &holds->items[i + 1],
			(holds->n_items - i) * sizeof(holds->items[i]));
		return true;
	}
	return false;
}

void holds_note_owners(struct holds *holds, unsigned id)
{
	for (size_t i = 0; i < holds->n_items; i++)
		if (holds->items[i].id == id)
			holds->items[i].has_owners = true;
}

bool holds_have_owners(const struct holds *holds, uint64_t bridge)
{
	for (size_t i = 0; i < holds->n_items; i++)
		if (holds->items[i].has_owners && holds->items[i].bridge == bridge)
			return true;
	return false;
}

static bool is_about(const struct holder *holder, uint64_t bridge)
{
	return holder->bridge == 0 || holder->bridge == bridge;
}

enum hold holds_blocks(const struct holds *holds, uint64_t bridge)
{
	for (size_t i = 0; i < holds->n_items; i++)
		if (is_about(&holds->items[i], bridge))
			return HOLD_INHIBITOR;
	return holds->is_paused ? HOLD_PAUSE : HOLD_NONE;
}

/* ------------------------------------------------------------------------------ the text */

struct joined {
	char *to;
	size_t size;
	size_t n;
	bool is_cut;
};

/* A byte in the middle of a letter of UTF-8. */
static bool is_inner(char c)
{
	return ((unsigned char)c & 0xC0) == 0x80;
}

/* Appends all of it, or its beginning and the mark of a cut, for which there is always room. */
static void append(struct joined *joined, const char *text)
{
	size_t n = strlen(text), room = joined->size - joined->n - sizeof(CUT);

	if (joined->is_cut)
		return;
	if (n > room) {
		joined->is_cut = true;
		for (n = room; n > 0 && is_inner(text[n]); n--)
			;
	}
	memcpy(joined->to + joined->n, text, n);
	joined->n += n;
	if (!joined->is_cut)
		return;
	memcpy(joined->to + joined->n, CUT, sizeof(CUT) - 1);
	joined->n += sizeof(CUT) - 1;
}

void holds_reason(const struct holds *holds, uint64_t bridge, char *to, size_t size)
{
	struct joined joined = {to, size, 0, size <= sizeof(CUT)};

	if (holds->is_paused)
		append(&joined, *holds->reason ? holds->reason : "paused");
	for (size_t i = 0; i < holds->n_items; i++) {
		const struct holder *holder = &holds->items[i];

		if (!is_about(holder, bridge))
			continue;
		if (joined.n > 0)
			append(&joined, "; ");
		append(&joined, holder->who);
		append(&joined, ": ");
		append(&joined, holder->why);
	}
	if (size > 0)
		to[joined.n] = '\0';
}
