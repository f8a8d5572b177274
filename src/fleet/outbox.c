/* SPDX-License-Identifier: MIT */
#include "fleet/outbox.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "base/util.h"
#include "fleet/topics.h"

/* The first letter of a line of the list. */
static const char owner_letters[OUTBOX_OWNER_MAX] = {
	[OUTBOX_STATUS] = 'g',
	[OUTBOX_SLOTS] = 's',
	[OUTBOX_UNITS] = 'u',
	[OUTBOX_WISHES] = 'w',
};

static struct outbox_item *item_free(struct outbox_item *item)
{
	if (!item)
		return NULL;
	free(item->topic);
	free(item->payload);
	free(item);
	return NULL;
}

static void item_freep(struct outbox_item **item)
{
	item_free(*item);
}

void outbox_done(struct outbox *outbox)
{
	for (size_t i = 0; i < outbox->n_items; i++)
		item_free(outbox->items[i]);
	free(outbox->items);
	*outbox = (struct outbox){0};
}

/* The first place whose topic is not below this one. */
static size_t place_of(const struct outbox *outbox, const char *topic)
{
	size_t low = 0, high = outbox->n_items;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (strcmp(outbox->items[middle]->topic, topic) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static struct outbox_item *find(const struct outbox *outbox, const char *topic)
{
	size_t place = place_of(outbox, topic);

	return place < outbox->n_items && strcmp(outbox->items[place]->topic, topic) == 0
		       ? outbox->items[place]
		       : NULL;
}

static int add(
	struct outbox *outbox, enum outbox_owner owner, const char *topic, struct outbox_item **ret)
{
	CLEANUP(item_freep) struct outbox_item *item = calloc(1, sizeof(*item));
	struct outbox_item **items;
	size_t place = place_of(outbox, topic);

	if (outbox->n_items >= OUTBOX_TOPICS_MOST)
		return -E2BIG;
	if (!item || text_duplicate(topic, &item->topic) < 0)
		return -ENOMEM;
	items = room_for_one(outbox->items, outbox->n_items, sizeof(*items));
	if (!items)
		return -ENOMEM;
	item->owner = owner;
	memmove(items + place + 1, items + place, (outbox->n_items - place) * sizeof(*items));
	items[place] = *ret = TAKE_PTR(item);
	outbox->items = items;
	outbox->n_items++;
	if (outbox->turn > place)
		outbox->turn++;
	return 0;
}

static void take_out(struct outbox *outbox, struct outbox_item *item)
{
	size_t place = place_of(outbox, item->topic);

	item_free(item);
	outbox->n_items--;
	memmove(outbox->items + place, outbox->items + place + 1,
		(outbox->n_items - place) * sizeof(*outbox->items));
	if (outbox->turn > place)
		outbox->turn--;
}

/* -------------------------------------------------------------------------- what is said */

static void take_back(struct outbox_item *item)
{
	item->is_due |= item->payload || item->is_from_before;
	item->is_from_before = false;
	free(TAKE_PTR(item->payload));
}

static int say(struct outbox_item *item, enum outbox_owner owner, const char *payload)
{
	char *copy;

	item->owner = owner;
	item->is_said = true;
	if (item->payload && strcmp(item->payload, payload) == 0)
		return 0;
	copy = strdup(payload);
	if (!copy)
		return -ENOMEM;
	free(item->payload);
	item->payload = copy;
	item->is_from_before = false;
	item->is_due = true;
	return 0;
}

int outbox_say(
	struct outbox *outbox, enum outbox_owner owner, const char *topic, const char *payload)
{
	struct outbox_item *item = find(outbox, topic);
	int r = 0;

	if (payload && !item)
		r = add(outbox, owner, topic, &item);
	if (payload && r == 0)
		r = say(item, owner, payload);
	if (!payload && item)
		take_back(item);
	return r;
}

void outbox_sweep(struct outbox *outbox, enum outbox_owner owner)
{
	for (size_t i = 0; i < outbox->n_items; i++) {
		struct outbox_item *item = outbox->items[i];

		if (item->owner == owner && !item->is_said)
			take_back(item);
		if (item->owner == owner)
			item->is_said = false;
	}
}

void outbox_end_before(struct outbox *outbox, enum outbox_owner owner)
{
	for (size_t i = 0; i < outbox->n_items; i++)
		if (outbox->items[i]->owner == owner && outbox->items[i]->is_from_before)
			take_back(outbox->items[i]);
}

/* -------------------------------------------------------------------------- what is sent */

void outbox_connected(struct outbox *outbox)
{
	outbox_disconnected(outbox);
	for (size_t i = 0; i < outbox->n_items; i++)
		outbox->items[i]->is_due |= !outbox->items[i]->is_from_before;
}

void outbox_disconnected(struct outbox *outbox)
{
	for (size_t i = 0; i < outbox->n_items; i++) {
		outbox->items[i]->is_due |= outbox->items[i]->link_id != 0;
		outbox->items[i]->link_id = 0;
	}
}

/* Where the list does not have it, a later process would not know of it. */
static bool may_go(const struct outbox_item *item)
{
	return item->is_due && item->link_id == 0 && item->is_kept;
}

const struct outbox_item *outbox_next(const struct outbox *outbox)
{
	const struct outbox_item *next = NULL;
	size_t n_flying = 0;

	for (size_t i = 0; i < outbox->n_items; i++) {
		const struct outbox_item *item =
			outbox->items[(outbox->turn + i) % outbox->n_items];
		bool is_first =
			item->owner == OUTBOX_STATUS && (!next || next->owner != OUTBOX_STATUS);

		n_flying += item->link_id != 0;
		if (may_go(item) && (!next || is_first))
			next = item;
	}
	return n_flying < OUTBOX_FLIGHT_MOST ? next : NULL;
}

/* The item of ours that the caller knows. */
static struct outbox_item *mine(const struct outbox *outbox, const struct outbox_item *item)
{
	return outbox->items[place_of(outbox, item->topic)];
}

void outbox_sent(struct outbox *outbox, const struct outbox_item *item, unsigned link_id)
{
	struct outbox_item *sent = mine(outbox, item);

	sent->link_id = link_id;
	sent->is_due = false;
	outbox->turn = (place_of(outbox, item->topic) + 1) % outbox->n_items;
}

/* An empty payload has arrived, or nobody waits for it. */
static void let_go(struct outbox *outbox, struct outbox_item *item)
{
	if (!item->payload && !item->is_due && !item->is_from_before)
		take_out(outbox, item);
}

void outbox_pass_over(struct outbox *outbox, const struct outbox_item *item)
{
	struct outbox_item *passed = mine(outbox, item);

	passed->is_due = false;
	let_go(outbox, passed);
}

bool outbox_acknowledged(struct outbox *outbox, unsigned link_id)
{
	for (size_t i = 0; i < outbox->n_items; i++) {
		struct outbox_item *item = outbox->items[i];

		if (link_id == 0 || item->link_id != link_id)
			continue;
		item->link_id = 0;
		let_go(outbox, item);
		return true;
	}
	return false;
}

/* ------------------------------------------------------------------------ list of topics */

bool outbox_waits_for_list(const struct outbox *outbox)
{
	for (size_t i = 0; i < outbox->n_items; i++)
		if (!outbox->items[i]->is_kept)
			return true;
	return false;
}

int outbox_write(const struct outbox *outbox, char **ret, size_t *ret_n)
{
	CLEANUP(freep) char *text = NULL;
	size_t n = 0;
	FILE *to = open_memstream(&text, &n);

	if (!to)
		return -ENOMEM;
	for (size_t i = 0; i < outbox->n_items; i++)
		fprintf(to, "%c %s\n", owner_letters[outbox->items[i]->owner],
			outbox->items[i]->topic);
	if (fclose(to) != 0)
		return -ENOMEM;
	*ret = TAKE_PTR(text);
	*ret_n = n;
	return 0;
}

void outbox_kept(struct outbox *outbox)
{
	for (size_t i = 0; i < outbox->n_items; i++)
		outbox->items[i]->is_kept = true;
}

/* The owner of a line, or OUTBOX_OWNER_MAX. */
static enum outbox_owner owner_of(const char *line)
{
	enum outbox_owner owner = 0;

	while (owner < OUTBOX_OWNER_MAX && owner_letters[owner] != line[0])
		owner++;
	return line[0] && line[1] == ' ' ? owner : OUTBOX_OWNER_MAX;
}

/* Whether it can be a topic: the broker ends the connection of whoever sends another. */
static bool is_topic(const char *text, size_t n)
{
	if (n == 0 || n >= TOPIC_SIZE || !text_is_utf8(text, n))
		return false;
	for (size_t i = 0; i < n; i++)
		if ((unsigned char)text[i] < ' ' || text[i] == '+' || text[i] == '#' ||
			text[i] == 0x7f)
			return false;
	return true;
}

static int read_line(struct outbox *outbox, const char *line, size_t n)
{
	enum outbox_owner owner = owner_of(line);
	char topic[TOPIC_SIZE];
	struct outbox_item *item;
	int r;

	if (owner == OUTBOX_OWNER_MAX || n < 3 || !is_topic(line + 2, n - 2))
		return 0;
	memcpy(topic, line + 2, n - 2);
	topic[n - 2] = '\0';
	if (find(outbox, topic))
		return 0;
	r = add(outbox, owner, topic, &item);
	if (r == 0)
		item->is_from_before = item->is_kept = true;
	return r == -E2BIG ? 0 : r;
}

int outbox_read(struct outbox *outbox, const char *text)
{
	int r = 0;

	while (*text && r == 0) {
		size_t n = strcspn(text, "\n");

		r = read_line(outbox, text, n);
		text += n + (text[n] == '\n');
	}
	return r;
}
