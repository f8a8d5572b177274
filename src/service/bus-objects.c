/* SPDX-License-Identifier: MIT */
/*
 * bus-objects.c - views as objects of sd-bus.
 *
 * Each kind is one vtable, made from the table of its view when the service starts: entries point
 * to where the property is in the object, and sd-bus reads numbers there by itself. Bridges and
 * jobs share the vtable of their kind (a fallback of sd-bus: objects_find() says which of them are
 * there), so that an object costs its view and nothing else.
 */
#include "service/bus-objects.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "api/message.h"
#include "base/clock.h"
#include "base/names.h"
#include "base/util.h"

static const struct object_type {
	const char *interface;
	const char *prefix;
	const struct view_property *properties;
	size_t view_size;
} types[OBJECT_KIND_MAX] = {
	[OBJECT_MANAGER] = {BUS_MANAGER, BUS_PATH, view_manager_properties,
		sizeof(struct view_manager)},
	[OBJECT_SLOT] = {BUS_SLOT, BUS_PATH_SLOT, view_slot_properties, sizeof(struct view_slot)},
	[OBJECT_BRIDGE] = {BUS_BRIDGE, BUS_PATH_BRIDGE, view_bridge_properties,
		sizeof(struct view_bridge)},
	[OBJECT_JOB] = {BUS_JOB, BUS_PATH_JOB, view_job_properties, sizeof(struct view_job)},
};

/* -------------------------------------------------------------------------------- properties */

#define GETTER(name)                                                          \
	static int name(sd_bus *bus, const char *path, const char *interface, \
		const char *property, sd_bus_message *reply, void *userdata, sd_bus_error *error)
#define UNUSED() ((void)bus, (void)path, (void)interface, (void)property, (void)error)

GETTER(get_text)
{
	UNUSED();
	return message_append_text(reply, userdata);
}

GETTER(get_path)
{
	const char *object = userdata;

	UNUSED();
	return sd_bus_message_append(reply, "o", *object ? object : "/");
}

GETTER(get_flag)
{
	const bool *flag = userdata;

	UNUSED();
	return sd_bus_message_append(reply, "b", (int)*flag);
}

GETTER(get_counts)
{
	const struct view_counts *counts = userdata;
	int r = sd_bus_message_open_container(reply, 'a', "{st}");

	UNUSED();
	for (uint32_t i = 0; r >= 0 && i < counts->n_items; i++)
		r = sd_bus_message_append(
			reply, "{st}", counts->items[i].name, counts->items[i].value);
	return r < 0 ? r : sd_bus_message_close_container(reply);
}

/* Without a function sd-bus reads the number itself. */
static const struct property_type {
	const char *signature;
	sd_bus_property_get_t get;
} property_types[] = {
	[VIEW_TEXT] = {"s", get_text},
	[VIEW_PATH] = {"o", get_path},
	[VIEW_FLAG] = {"b", get_flag},
	[VIEW_NUMBER] = {"u", NULL},
	[VIEW_LONG] = {"t", NULL},
	[VIEW_SHARE] = {"d", NULL},
	[VIEW_COUNTS] = {"a{st}", get_counts},
};

static sd_bus_vtable entry_of(const struct view_property *property)
{
	const struct property_type *type = &property_types[property->kind];
	uint64_t flags = property->pace == VIEW_CONSTANT ? SD_BUS_VTABLE_PROPERTY_CONST
							 : SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE;

	return (sd_bus_vtable)SD_BUS_PROPERTY(property->name, type->signature, type->get,
		offsetof(struct object, told) + property->offset, flags);
}

static sd_bus_vtable *make_vtable(
	const struct view_property *properties, const sd_bus_vtable *methods)
{
	size_t n_properties = 0, n_methods = 0, n = 0;
	sd_bus_vtable *vtable;

	while (properties[n_properties].name)
		n_properties++;
	while (methods && methods[n_methods].type != _SD_BUS_VTABLE_END)
		n_methods++;
	vtable = calloc(n_properties + n_methods + 2, sizeof(*vtable));
	if (!vtable)
		return NULL;
	vtable[n++] = (sd_bus_vtable)SD_BUS_VTABLE_START(0);
	for (size_t i = 0; i < n_properties; i++)
		vtable[n++] = entry_of(&properties[i]);
	for (size_t i = 0; i < n_methods; i++)
		vtable[n++] = methods[i];
	vtable[n] = (sd_bus_vtable)SD_BUS_VTABLE_END;
	return vtable;
}

/* ----------------------------------------------------------------------------------- objects */

struct object *objects_find(const struct objects *objects, enum object_kind kind, const char *path)
{
	struct object *object;

	TAILQ_FOREACH(object, &objects->tables[kind].objects, link)
	{
		if (strcmp(object->path, path) == 0)
			break;
	}
	return object;
}

static int find(struct objects *objects, enum object_kind kind, const char *path, void **ret)
{
	struct object *object = objects_find(objects, kind, path);

	if (!object)
		return 0;
	*ret = object;
	return 1;
}

#define FINDER(name, kind)                                                                    \
	static int name(sd_bus *bus, const char *path, const char *interface, void *userdata, \
		void **ret, sd_bus_error *error)                                              \
	{                                                                                     \
		(void)bus;                                                                    \
		(void)interface;                                                              \
		(void)error;                                                                  \
		return find(userdata, kind, path, ret);                                       \
	}

FINDER(find_slot, OBJECT_SLOT)
FINDER(find_bridge, OBJECT_BRIDGE)
FINDER(find_job, OBJECT_JOB)

/* The paths of a kind, for those who look around. */
static int enumerate(const struct object_table *table, char ***ret)
{
	const struct object *object;
	char **paths = calloc(table->n_objects + 1, sizeof(*paths));
	size_t n = 0;

	if (!paths)
		return -ENOMEM;
	TAILQ_FOREACH(object, &table->objects, link)
	{
		paths[n] = strdup(object->path);
		if (!paths[n])
			break;
		n++;
	}
	*ret = paths;
	if (!object)
		return 0;
	while (n > 0)
		free(paths[--n]);
	free(paths);
	return -ENOMEM;
}

#define ENUMERATOR(name, kind)                                                                     \
	static int name(                                                                           \
		sd_bus *bus, const char *prefix, void *userdata, char ***ret, sd_bus_error *error) \
	{                                                                                          \
		const struct objects *objects = userdata;                                          \
                                                                                                   \
		(void)bus;                                                                         \
		(void)prefix;                                                                      \
		(void)error;                                                                       \
		return enumerate(&objects->tables[kind], ret);                                     \
	}

ENUMERATOR(enumerate_slots, OBJECT_SLOT)
ENUMERATOR(enumerate_bridges, OBJECT_BRIDGE)
ENUMERATOR(enumerate_jobs, OBJECT_JOB)

static struct object *add(
	struct object_table *table, const struct object_type *type, const char *path, void *owner)
{
	struct object *object = calloc(1, sizeof(*object) + type->view_size);

	if (!object)
		return NULL;
	text_copy(object->path, sizeof(object->path), path);
	object->owner = owner;
	TAILQ_INSERT_TAIL(&table->objects, object, link);
	table->n_objects++;
	return object;
}

static void discard(struct object_table *table, struct object *object)
{
	TAILQ_REMOVE(&table->objects, object, link);
	table->n_objects--;
	free(object);
}

static void discard_all(struct object_table *table)
{
	struct object *object = TAILQ_FIRST(&table->objects), *next;

	for (; object; object = next) {
		next = TAILQ_NEXT(object, link);
		discard(table, object);
	}
}

/* ------------------------------------------------------------------------------------ a pass */

static void note(struct objects *objects, int r)
{
	if (r < 0 && objects->error == 0)
		objects->error = r;
}

static void tell_difference(struct objects *objects, enum object_kind kind,
	const struct object *object, uint32_t differing)
{
	const struct view_property *properties = types[kind].properties;
	char *names[33] = {NULL};
	size_t n = 0;

	for (unsigned i = 0; properties[i].name; i++)
		if (differing & (UINT32_C(1) << i))
			names[n++] = (char *)properties[i].name;
	note(objects, sd_bus_emit_properties_changed_strv(
			      objects->bus, object->path, types[kind].interface, names));
}

/* Flow alone waits until its time, and is owed then; with other news it goes at once. */
static bool put_off(struct objects *objects, const struct object_table *table,
	const struct object *object, uint32_t differing, uint64_t now)
{
	uint64_t due = object->told_usec + OBJECTS_FLOW_USEC;

	if (objects->is_urgent || differing & ~table->flow || due <= now)
		return false;
	if (due < objects->owed_usec)
		objects->owed_usec = due;
	return true;
}

bool objects_tell(
	struct objects *objects, enum object_kind kind, const char *path, const void *view)
{
	struct object_table *table = &objects->tables[kind];
	struct object *object = objects_find(objects, kind, path);
	uint64_t now = monotonic_usec();
	bool is_new = !object;
	uint32_t differing;

	if (is_new) {
		object = add(table, &types[kind], path,
			TAILQ_FIRST(&objects->tables[OBJECT_MANAGER].objects)->owner);
		if (!object) {
			note(objects, -ENOMEM);
			return false;
		}
	}
	object->pass = objects->pass;
	differing = view_diff(types[kind].properties, object->told, view);
	if (!is_new && (differing == 0 || put_off(objects, table, object, differing, now)))
		return false;
	memcpy(object->told, view, types[kind].view_size);
	if (is_new || differing & table->flow)
		object->told_usec = now;
	if (is_new)
		note(objects, sd_bus_emit_object_added(objects->bus, object->path));
	else if (differing & ~table->constant)
		tell_difference(objects, kind, object, differing & ~table->constant);
	return is_new;
}

void objects_begin(struct objects *objects, bool is_urgent)
{
	objects->pass++;
	objects->is_urgent = is_urgent;
	objects->owed_usec = UINT64_MAX;
	objects->error = 0;
}

void objects_end(struct objects *objects)
{
	for (unsigned kind = OBJECT_MANAGER + 1; kind < OBJECT_KIND_MAX; kind++) {
		struct object_table *table = &objects->tables[kind];
		struct object *object = TAILQ_FIRST(&table->objects), *next;

		for (; object; object = next) {
			next = TAILQ_NEXT(object, link);
			if (object->pass == objects->pass)
				continue;
			/* Before it goes: sd-bus looks for its interfaces. */
			note(objects, sd_bus_emit_object_removed(objects->bus, object->path));
			discard(table, object);
		}
	}
}

/* ----------------------------------------------------------------------------- begin and end */

int objects_init(
	struct objects *objects, const sd_bus_vtable *const methods[OBJECT_KIND_MAX], void *owner)
{
	*objects = (struct objects){.owed_usec = UINT64_MAX};
	for (unsigned kind = 0; kind < OBJECT_KIND_MAX; kind++) {
		struct object_table *table = &objects->tables[kind];

		TAILQ_INIT(&table->objects);
		table->flow = view_mask(types[kind].properties, VIEW_FLOW);
		table->constant = view_mask(types[kind].properties, VIEW_CONSTANT);
		table->vtable = make_vtable(types[kind].properties, methods[kind]);
		if (!table->vtable)
			return -ENOMEM;
	}
	/* Sixteen boards at once change its counts all the time. */
	objects->tables[OBJECT_MANAGER].flow = UINT32_MAX;
	return add(&objects->tables[OBJECT_MANAGER], &types[OBJECT_MANAGER], BUS_PATH, owner)
		       ? 0
		       : -ENOMEM;
}

void objects_done(struct objects *objects)
{
	objects_drop(objects);
	for (unsigned kind = 0; kind < OBJECT_KIND_MAX; kind++) {
		struct object_table *table = &objects->tables[kind];

		discard_all(table);
		free(table->vtable);
		table->vtable = NULL;
	}
}

static int put_kind(struct objects *objects, enum object_kind kind, sd_bus_object_find_t finder,
	sd_bus_node_enumerator_t enumerator)
{
	struct object_table *table = &objects->tables[kind];
	int r = sd_bus_add_fallback_vtable(objects->bus, &table->slot, types[kind].prefix,
		types[kind].interface, table->vtable, finder, objects);

	if (r < 0)
		return r;
	return sd_bus_add_node_enumerator(
		objects->bus, &table->enumerator, types[kind].prefix, enumerator, objects);
}

int objects_put(struct objects *objects, sd_bus *bus)
{
	struct object_table *manager = &objects->tables[OBJECT_MANAGER];
	int r;

	objects->bus = bus;
	r = sd_bus_add_object_manager(bus, &objects->object_manager, BUS_PATH);
	if (r >= 0)
		r = sd_bus_add_object_vtable(bus, &manager->slot, BUS_PATH, BUS_MANAGER,
			manager->vtable, TAILQ_FIRST(&manager->objects));
	if (r >= 0)
		r = put_kind(objects, OBJECT_SLOT, find_slot, enumerate_slots);
	if (r >= 0)
		r = put_kind(objects, OBJECT_BRIDGE, find_bridge, enumerate_bridges);
	if (r >= 0)
		r = put_kind(objects, OBJECT_JOB, find_job, enumerate_jobs);
	return r;
}

void objects_drop(struct objects *objects)
{
	objects->object_manager = sd_bus_slot_unref(objects->object_manager);
	for (unsigned kind = 0; kind < OBJECT_KIND_MAX; kind++) {
		struct object_table *table = &objects->tables[kind];

		table->enumerator = sd_bus_slot_unref(table->enumerator);
		table->slot = sd_bus_slot_unref(table->slot);
		if (kind != OBJECT_MANAGER)
			discard_all(table);
	}
	objects->bus = NULL;
	objects->owed_usec = UINT64_MAX;
}
