/* SPDX-License-Identifier: MIT */
/*
 * client-tree.c - what the service tells of itself, into the mirror.
 *
 * The manager's properties and all other objects are two questions, since an object manager lists
 * only what is below it. The service answers and signals over one connection in order: a signal
 * before the answer is of a state that the answer has, and is dropped; one behind it changes the
 * mirror. A message that cannot be read would leave the mirror wrong for good, so it is thrown away
 * then, and everything is asked anew.
 */
#include <errno.h>
#include <string.h>
#include <systemd/sd-bus.h>

#include "api/client-private.h"
#include "api/message.h"
#include "base/names.h"
#include "base/util.h"

#define PROPERTIES     "org.freedesktop.DBus.Properties"
#define OBJECT_MANAGER "org.freedesktop.DBus.ObjectManager"

static const char *const interfaces[CLIENT_KIND_MAX] = {
	[CLIENT_MANAGER] = BUS_MANAGER,
	[CLIENT_SLOT] = BUS_SLOT,
	[CLIENT_BRIDGE] = BUS_BRIDGE,
	[CLIENT_JOB] = BUS_JOB,
};

const char *client_interface(enum client_kind kind)
{
	return interfaces[kind];
}

enum client_kind client_kind_of(const char *interface)
{
	enum client_kind kind = CLIENT_MANAGER;

	while (kind < CLIENT_KIND_MAX && strcmp(interfaces[kind], interface) != 0)
		kind++;
	return kind;
}

/* ----------------------------------------------------------------------------- objects */

static void tell_change(
	struct client *client, const struct client_object *object, enum client_change change)
{
	if (client->presence == CLIENT_THERE && client->callbacks->on_change)
		client->callbacks->on_change(client->userdata, object, change);
}

/* Too many objects or names are no failure: those above are left out. */
static int take(struct client *client, enum client_kind kind, const char *path,
	const struct dict *properties)
{
	struct client_object *object;
	int r = mirror_take(&client->mirror, kind, path, properties, &object);

	if (r < 0)
		return r == -E2BIG ? 0 : r;
	tell_change(client, object, (enum client_change)r);
	return 0;
}

/* The a{sa{sv}} of one object; interfaces that are not ours are skipped. */
static int read_interfaces(struct client *client, sd_bus_message *message, const char *path)
{
	int r = sd_bus_message_enter_container(message, 'a', "{sa{sv}}");

	while (r >= 0 && (r = sd_bus_message_enter_container(message, 'e', "sa{sv}")) > 0) {
		CLEANUP(dict_done) struct dict properties = {0};
		const char *interface;
		enum client_kind kind;

		r = sd_bus_message_read_basic(message, 's', &interface);
		kind = r < 0 ? CLIENT_KIND_MAX : client_kind_of(interface);
		if (r >= 0 && kind == CLIENT_KIND_MAX)
			r = sd_bus_message_skip(message, "a{sv}");
		else if (r >= 0)
			r = message_read_dict(message, &properties);
		if (r >= 0 && kind < CLIENT_KIND_MAX)
			r = take(client, kind, path, &properties);
		if (r >= 0)
			r = sd_bus_message_exit_container(message);
	}
	return r < 0 ? r : sd_bus_message_exit_container(message);
}

static int read_tree(struct client *client, sd_bus_message *message)
{
	int r = sd_bus_message_enter_container(message, 'a', "{oa{sa{sv}}}");

	while (r >= 0 && (r = sd_bus_message_enter_container(message, 'e', "oa{sa{sv}}")) > 0) {
		const char *path;

		r = sd_bus_message_read_basic(message, 'o', &path);
		if (r >= 0)
			r = read_interfaces(client, message, path);
		if (r >= 0)
			r = sd_bus_message_exit_container(message);
	}
	return r < 0 ? r : sd_bus_message_exit_container(message);
}

/* Both answers have come. */
static void be_there(struct client *client)
{
	if (!client->has_manager || !client->has_tree)
		return;
	client->why = (struct reason){0};
	client_set_presence(client, CLIENT_THERE);
}

bool client_take_answer(struct client *client, sd_bus_message *message)
{
	const sd_bus_error *error = sd_bus_message_get_error(message);
	char shown[200];

	if (!error)
		return true;
	client_refuse(client,
		text_show(error->message ? error->message : error->name, shown, sizeof(shown)));
	return false;
}

static int on_manager(sd_bus_message *message, void *userdata, sd_bus_error *error)
{
	CLEANUP(dict_done) struct dict properties = {0};
	struct client *client = userdata;
	int r;

	(void)error;
	client->manager_question = sd_bus_slot_unref(client->manager_question);
	if (!client_take_answer(client, message))
		return 0;
	r = message_read_dict(message, &properties);
	if (r >= 0)
		r = take(client, CLIENT_MANAGER, BUS_PATH, &properties);
	if (r < 0) {
		client_refuse(client, strerror(-r));
		return 0;
	}
	client->has_manager = true;
	be_there(client);
	return 0;
}

static int on_tree(sd_bus_message *message, void *userdata, sd_bus_error *error)
{
	struct client *client = userdata;
	int r;

	(void)error;
	client->tree_question = sd_bus_slot_unref(client->tree_question);
	if (!client_take_answer(client, message))
		return 0;
	r = read_tree(client, message);
	if (r < 0) {
		client_refuse(client, strerror(-r));
		return 0;
	}
	client->has_tree = true;
	be_there(client);
	return 0;
}

int client_ask_for_all(struct client *client)
{
	int r;

	client->manager_question = sd_bus_slot_unref(client->manager_question);
	client->tree_question = sd_bus_slot_unref(client->tree_question);
	r = sd_bus_call_method_async(client->bus, &client->manager_question, client->owner,
		BUS_PATH, PROPERTIES, "GetAll", on_manager, client, "s", BUS_MANAGER);
	if (r >= 0)
		r = sd_bus_call_method_async(client->bus, &client->tree_question, client->owner,
			BUS_PATH, OBJECT_MANAGER, "GetManagedObjects", on_tree, client, NULL);
	return r;
}

/* ----------------------------------------------------------------------------- signals */

/* Whether signals about that path go beyond what the answers had. */
static bool is_known(const struct client *client, const char *path)
{
	return strcmp(path, BUS_PATH) == 0 ? client->has_manager : client->has_tree;
}

static int on_properties(struct client *client, sd_bus_message *message)
{
	CLEANUP(dict_done) struct dict properties = {0};
	const char *path = sd_bus_message_get_path(message), *interface;
	enum client_kind kind;
	int r = sd_bus_message_read_basic(message, 's', &interface);

	if (r < 0)
		return r;
	kind = client_kind_of(interface);
	/* An object that is not in the mirror would have been added before. */
	if (kind == CLIENT_KIND_MAX || !mirror_find(&client->mirror, path))
		return 0;
	r = message_read_dict(message, &properties);
	if (r >= 0 && properties.n_entries > 0)
		r = take(client, kind, path, &properties);
	if (r < 0)
		return r;
	/* Names without values: rare enough for reading everything anew. */
	r = sd_bus_message_enter_container(message, 'a', "s");
	if (r >= 0 && sd_bus_message_at_end(message, 0) == 0)
		r = client_ask_for_all(client);
	return r;
}

static int on_added(struct client *client, sd_bus_message *message)
{
	const char *path;
	int r = sd_bus_message_read_basic(message, 'o', &path);

	return r < 0 ? r : read_interfaces(client, message, path);
}

static int on_removed(struct client *client, sd_bus_message *message)
{
	const char *path, *interface;
	int r = sd_bus_message_read_basic(message, 'o', &path);

	if (r >= 0)
		r = sd_bus_message_enter_container(message, 'a', "s");
	while (r >= 0 && (r = sd_bus_message_read_basic(message, 's', &interface)) > 0) {
		enum client_kind kind = client_kind_of(interface);
		struct client_object *object =
			kind < CLIENT_KIND_MAX ? mirror_remove(&client->mirror, kind, path) : NULL;

		if (object)
			tell_change(client, object, CLIENT_OBJECT_GONE);
		client_object_free(object);
	}
	return r;
}

static int on_job_removed(struct client *client, sd_bus_message *message)
{
	CLEANUP(dict_done) struct dict report = {0};
	const char *path, *outcome;
	int r = sd_bus_message_read_basic(message, 'o', &path);

	if (r >= 0)
		r = sd_bus_message_read_basic(message, 's', &outcome);
	if (r >= 0)
		r = message_read_dict(message, &report);
	if (r >= 0 && client->presence == CLIENT_THERE && client->callbacks->on_job_removed)
		client->callbacks->on_job_removed(client->userdata, path, outcome, &report);
	return r;
}

int client_on_signal(sd_bus_message *message, void *userdata, sd_bus_error *error)
{
	struct client *client = userdata;
	const char *sender = sd_bus_message_get_sender(message);
	int r = 0;

	(void)error;
	if (!client->owner || !sender || strcmp(sender, client->owner) != 0)
		return 0;
	if (sd_bus_message_is_signal(message, PROPERTIES, "PropertiesChanged") > 0) {
		if (is_known(client, sd_bus_message_get_path(message)))
			r = on_properties(client, message);
	} else if (!client->has_tree) {
		return 0;
	} else if (sd_bus_message_is_signal(message, OBJECT_MANAGER, "InterfacesAdded") > 0) {
		r = on_added(client, message);
	} else if (sd_bus_message_is_signal(message, OBJECT_MANAGER, "InterfacesRemoved") > 0) {
		r = on_removed(client, message);
	} else if (sd_bus_message_is_signal(message, BUS_MANAGER, "JobRemoved") > 0) {
		r = on_job_removed(client, message);
	}
	/* A mirror that lacks a change is wrong for good: it is made anew. */
	if (r < 0)
		client_refuse(client, strerror(-r));
	return 0;
}
