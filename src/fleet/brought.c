/* SPDX-License-Identifier: MIT */
#include "fleet/brought.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "api/json.h"
#include "base/util.h"
#include "fleet/kept.h"

#define LIST_NAME "shelf.json"

void brought_done(struct brought *brought)
{
	free(brought->items);
	*brought = (struct brought){};
}

struct shelf_item *brought_find(const struct brought *brought, const char *image)
{
	for (size_t i = 0; i < brought->n_items; i++)
		if (strcmp(brought->items[i].image, image) == 0)
			return &brought->items[i];
	return NULL;
}

static struct shelf_item *append(struct brought *brought, const char *image)
{
	struct shelf_item *grown = room_for_one(brought->items, brought->n_items, sizeof(*grown));

	if (!grown)
		return NULL;
	brought->items = grown;
	grown = &grown[brought->n_items++];
	*grown = (struct shelf_item){.rollout = {.percent = 100}};
	text_copy(grown->image, sizeof(grown->image), image);
	return grown;
}

/* ------------------------------------------------------------------ on the disk */

/*
 * {"gate-1.2.hex": {"board": "gate", "group": "canary", "version": "1.2", "sha256": "...",
 *   "size": 3}}
 *
 * A group of null is the gateway's own topic.
 */
static int write_list(const struct brought *brought)
{
	struct json *list = json_new_object();

	for (size_t i = 0; i < brought->n_items; i++) {
		const struct shelf_item *item = &brought->items[i];
		struct json *row = json_new_object();

		json_add_text(row, "board", item->board);
		if (item->has_group)
			json_add_text(row, "group", item->group);
		json_add_text(row, "version", item->version);
		json_add_text(row, "sha256", item->sha256);
		json_add_number(row, "size", item->size);
		json_add(list, item->image, row);
	}
	return kept_write_list(brought->state, LIST_NAME, list);
}

static void take_text(struct shelf_item *item, const char *key, const char *text)
{
	if (strcmp(key, "board") == 0)
		text_copy(item->board, sizeof(item->board), text);
	else if (strcmp(key, "version") == 0)
		text_copy(item->version, sizeof(item->version), text);
	else if (strcmp(key, "sha256") == 0)
		text_copy(item->sha256, sizeof(item->sha256), text);
	else if (strcmp(key, "group") == 0)
		text_copy(item->group, sizeof(item->group), text);
}

/* A row that is not whole names a file that is looked for in vain, and so is harmless. */
static int take_value(void *userdata, const struct json_value *value)
{
	struct brought *brought = userdata;
	const char *image = value->keys[0];
	struct shelf_item *item;

	if (value->n_keys != 2 || !image || !value->keys[1] || strlen(image) >= WISH_IMAGE_MAX ||
		strchr(image, '/'))
		return 0;
	item = brought_find(brought, image);
	if (!item)
		item = append(brought, image);
	if (!item)
		return -ENOMEM;
	if (strcmp(value->keys[1], "group") == 0)
		item->has_group = true;
	if (value->kind == JSON_KIND_NUMBER && strcmp(value->keys[1], "size") == 0)
		item->size = value->number;
	else if (value->kind == JSON_KIND_TEXT)
		take_text(item, value->keys[1], value->text);
	return 0;
}

int brought_read(struct brought *brought, int state, struct reason *reason)
{
	int r = kept_read_list(state, LIST_NAME, take_value, brought);

	brought->state = state;
	if (r < 0)
		reason_set(reason, "%s in the state directory: %s", LIST_NAME, strerror(-r));
	return r;
}

/* ------------------------------------------------------------------ changes */

int brought_give(
	struct brought *brought, struct shelf_item *item, const char *board, const char *group)
{
	const struct shelf_item before = *item;
	int r;

	if (item->has_group && strcmp(item->board, board) == 0 && strcmp(item->group, group) == 0)
		return 0;
	text_copy(item->board, sizeof(item->board), board);
	text_copy(item->group, sizeof(item->group), group);
	item->has_group = true;
	r = write_list(brought);
	if (r < 0)
		*item = before;
	return r;
}

int brought_add(struct brought *brought, const struct wish *wish, struct shelf_item **ret)
{
	struct shelf_item *item = brought_find(brought, wish->image);
	bool is_new = !item;
	int r;

	if (is_new)
		item = append(brought, wish->image);
	if (!item)
		return -ENOMEM;
	text_copy(item->board, sizeof(item->board), wish->board);
	text_copy(item->version, sizeof(item->version), wish->version);
	text_copy(item->sha256, sizeof(item->sha256), wish->sha256);
	item->size = wish->size;
	r = write_list(brought);
	if (r == 0)
		*ret = item;
	else if (is_new)
		brought->n_items--;
	return r;
}

int brought_remove(struct brought *brought, struct shelf_item *item)
{
	*item = brought->items[--brought->n_items];
	return write_list(brought);
}
