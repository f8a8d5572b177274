/* SPDX-License-Identifier: MIT */
/*
 * client-mirror.c - objects by kind, those with a number in their path in its order.
 *
 * The bus lists objects in any order. The service numbers slots by their place in the
 * configuration, and bridges as they appear, so the number at the end of the path is the order.
 */
#include "api/client-mirror.h"

#include <errno.h>
#include <string.h>

#include "base/parse.h"
#include "base/util.h"

struct client_object *client_object_free(struct client_object *object)
{
	if (!object)
		return NULL;
	free(object->path);
	dict_done(&object->properties);
	free(object);
	return NULL;
}

/* The number that the path ends with; UINT64_MAX: none, behind all others. */
static uint64_t number_of(const char *path)
{
	const char *slash = strrchr(path, '/');
	const char *digits = slash ? slash + 1 : path;
	uint64_t number;

	return parse_digits(&digits, 10, &number) == 0 && !*digits ? number : UINT64_MAX;
}

/* Ids of jobs are no numbers, even those without a letter in them. */
static size_t place_of(const struct mirror_list *list, enum client_kind kind, const char *path)
{
	size_t place = list->n_items;

	if (kind == CLIENT_JOB)
		return place;
	while (place > 0 && number_of(list->items[place - 1]->path) > number_of(path))
		place--;
	return place;
}

static struct client_object *find(const struct mirror_list *list, const char *path, size_t *ret)
{
	for (size_t i = 0; i < list->n_items; i++)
		if (strcmp(list->items[i]->path, path) == 0) {
			if (ret)
				*ret = i;
			return list->items[i];
		}
	return NULL;
}

struct client_object *mirror_find(const struct mirror *mirror, const char *path)
{
	struct client_object *object = NULL;

	for (size_t kind = 0; !object && kind < CLIENT_KIND_MAX; kind++)
		object = find(&mirror->lists[kind], path, NULL);
	return object;
}

static void freep_object(struct client_object **object)
{
	client_object_free(*object);
}

static int add(struct mirror_list *list, enum client_kind kind, const char *path,
	const struct dict *properties, struct client_object **ret)
{
	CLEANUP(freep_object) struct client_object *object = calloc(1, sizeof(*object));
	struct client_object **items;
	size_t place;

	if (list->n_items >= CLIENT_OBJECTS_MOST)
		return -E2BIG;
	if (!object)
		return -ENOMEM;
	object->kind = kind;
	object->path = strdup(path);
	if (!object->path || dict_copy(properties, &object->properties) < 0)
		return -ENOMEM;
	items = room_for_one(list->items, list->n_items, sizeof(*items));
	if (!items)
		return -ENOMEM;
	list->items = items;
	place = place_of(list, kind, path);
	memmove(items + place + 1, items + place, (list->n_items - place) * sizeof(*items));
	list->n_items++;
	items[place] = *ret = TAKE_PTR(object);
	return CLIENT_OBJECT_NEW;
}

/* Messages are bounded, but any number of them may come. */
static bool has_room(const struct dict *dict, const struct dict *more)
{
	size_t n = dict->n_entries;

	for (size_t i = 0; i < more->n_entries; i++)
		n += !dict_find(dict, more->entries[i].name);
	return n <= DICT_ENTRIES_MOST;
}

int mirror_take(struct mirror *mirror, enum client_kind kind, const char *path,
	const struct dict *properties, struct client_object **ret)
{
	struct mirror_list *list = &mirror->lists[kind];
	struct client_object *object = find(list, path, NULL);
	int r;

	if (!object)
		return add(list, kind, path, properties, ret);
	if (!has_room(&object->properties, properties))
		return -E2BIG;
	r = dict_merge(&object->properties, properties);
	if (r < 0)
		return r;
	*ret = object;
	return CLIENT_OBJECT_CHANGED;
}

struct client_object *mirror_remove(struct mirror *mirror, enum client_kind kind, const char *path)
{
	struct mirror_list *list = &mirror->lists[kind];
	size_t place;
	struct client_object *object = find(list, path, &place);

	if (!object)
		return NULL;
	list->n_items--;
	memmove(list->items + place, list->items + place + 1,
		(list->n_items - place) * sizeof(*list->items));
	return object;
}

void mirror_done(struct mirror *mirror)
{
	for (size_t kind = 0; kind < CLIENT_KIND_MAX; kind++) {
		struct mirror_list *list = &mirror->lists[kind];

		for (size_t i = 0; i < list->n_items; i++)
			client_object_free(list->items[i]);
		free(list->items);
	}
	*mirror = (struct mirror){0};
}
