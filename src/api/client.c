/* SPDX-License-Identifier: MIT */
/*
 * client.c - the bus and the service on it, which come and go.
 *
 * Each step subscribes first and asks then, so that nothing falls between the two. First to
 * NameOwnerChanged of the service's name, then the question who owns it. Once there is an owner, to
 * the signals of that one connection, then the questions of client-tree.c.
 *
 * Everything is bound to the unique name of the owner, so that what a former service still had on
 * its way, or what anybody else sends, never reaches the mirror. When the owner goes, the mirror is
 * emptied. When the connection goes, another is made at once where the former had worked. Where no
 * socket is there, sd-bus watches its folder by inotify. Only failures that nobody tells the end
 * of are tried again by a timer.
 */
#include <errno.h>
#include <string.h>
#include <systemd/sd-bus.h>

#include "api/client-private.h"
#include "base/names.h"
#include "base/util.h"

#define RECONNECT_USEC (1 * USEC_PER_SEC)
#define ASK_AGAIN_USEC (5 * USEC_PER_SEC)

#define DBUS	       "org.freedesktop.DBus"
#define DBUS_LOCAL     DBUS ".Local"

/* ---------------------------------------------------------------------------- presence */

void client_set_presence(struct client *client, enum client_presence presence)
{
	if (client->presence == presence)
		return;
	client->presence = presence;
	if (client->callbacks->on_presence)
		client->callbacks->on_presence(client->userdata, presence);
}

static int on_again(sd_event_source *source, uint64_t usec, void *userdata);

/* Connects, or asks, once more in so long. */
static void try_again(struct client *client, uint64_t usec)
{
	client->again = sd_event_source_disable_unref(client->again);
	/* Without memory for a timer nothing is left to try by. */
	(void)sd_event_add_time_relative(
		client->event, &client->again, CLOCK_MONOTONIC, usec, 0, on_again, client);
}

/* The service is gone, or another is there: what it told is no more. */
static void forget_owner(struct client *client)
{
	client->signals = sd_bus_slot_unref(client->signals);
	client->manager_question = sd_bus_slot_unref(client->manager_question);
	client->tree_question = sd_bus_slot_unref(client->tree_question);
	client->has_manager = client->has_tree = false;
	free(TAKE_PTR(client->owner));
	mirror_done(&client->mirror);
}

static void lose_service(struct client *client, enum client_presence presence)
{
	struct mirror gone = client->mirror;

	client->mirror = (struct mirror){0};
	forget_owner(client);
	client_end_calls(client);
	client_set_presence(client, presence);
	mirror_done(&gone);
}

void client_refuse(struct client *client, const char *why)
{
	reason_set(&client->why, "plugflashd does not tell its state: %s; journalctl -u plugflashd",
		why);
	lose_service(client, CLIENT_REFUSED);
	try_again(client, ASK_AGAIN_USEC);
}

/* ------------------------------------------------------------------------------- owner */

static void take_owner(struct client *client, const char *owner)
{
	char match[300];
	int r = -ENOMEM;

	forget_owner(client);
	client->owner = strdup(owner);
	snprintf(match, sizeof(match), "type='signal',sender='%s',path_namespace='%s'", owner,
		BUS_PATH);
	if (client->owner)
		r = sd_bus_add_match_async(
			client->bus, &client->signals, match, client_on_signal, NULL, client);
	if (r >= 0)
		r = client_ask_for_all(client);
	if (r < 0)
		client_refuse(client, strerror(-r));
}

static void be_without_service(struct client *client)
{
	reason_set(&client->why, "plugflashd does not run; systemctl start plugflashd");
	lose_service(client, CLIENT_NO_SERVICE);
}

static int on_owner_changed(sd_bus_message *message, void *userdata, sd_bus_error *error)
{
	struct client *client = userdata;
	const char *name, *before, *now;

	(void)error;
	if (sd_bus_message_read(message, "sss", &name, &before, &now) < 0 ||
		strcmp(name, BUS_NAME) != 0)
		return 0;
	if (client->owner && strcmp(now, client->owner) == 0)
		return 0;
	be_without_service(client);
	if (now[0])
		take_owner(client, now);
	return 0;
}

static int on_owner(sd_bus_message *message, void *userdata, sd_bus_error *ret_error)
{
	struct client *client = userdata;
	const sd_bus_error *error = sd_bus_message_get_error(message);
	const char *owner;

	(void)ret_error;
	client->owner_question = sd_bus_slot_unref(client->owner_question);
	if (sd_bus_error_has_name(error, SD_BUS_ERROR_NAME_HAS_NO_OWNER))
		be_without_service(client);
	else if (client_take_answer(client, message) &&
		 sd_bus_message_read_basic(message, 's', &owner) > 0 &&
		 (!client->owner || strcmp(owner, client->owner) != 0))
		take_owner(client, owner);
	return 0;
}

static int ask_for_owner(struct client *client)
{
	client->owner_question = sd_bus_slot_unref(client->owner_question);
	return sd_bus_call_method_async(client->bus, &client->owner_question, DBUS,
		"/org/freedesktop/DBus", DBUS, "GetNameOwner", on_owner, client, "s", BUS_NAME);
}

/* -------------------------------------------------------------------------- connection */

static void disconnect(struct client *client)
{
	client->owner_question = sd_bus_slot_unref(client->owner_question);
	client->owner_signal = sd_bus_slot_unref(client->owner_signal);
	forget_owner(client);
	if (client->bus)
		sd_bus_close(client->bus);
	client->bus = sd_bus_unref(client->bus);
	client->is_connected = false;
}

static void be_without_bus(struct client *client)
{
	reason_set(&client->why,
		"there is no system bus: apt install dbus where it is missing, else systemctl status dbus tells why");
	lose_service(client, CLIENT_NO_BUS);
}

static int on_connected(sd_bus_message *message, void *userdata, sd_bus_error *error)
{
	struct client *client = userdata;
	int r;

	(void)message;
	(void)error;
	client->is_connected = true;
	r = sd_bus_match_signal_async(client->bus, &client->owner_signal, DBUS,
		"/org/freedesktop/DBus", DBUS, "NameOwnerChanged", on_owner_changed, NULL, client);
	if (r >= 0)
		r = ask_for_owner(client);
	if (r < 0)
		client_refuse(client, strerror(-r));
	return 0;
}

/* A bus that took the connection and closed it before it told anything is left alone for a while.
 */
static int on_disconnected(sd_bus_message *message, void *userdata, sd_bus_error *error)
{
	struct client *client = userdata;
	bool has_worked = client->is_connected && !client->owner_question;

	(void)message;
	(void)error;
	client->is_connected = false;
	be_without_bus(client);
	try_again(client, has_worked ? 0 : RECONNECT_USEC);
	return 0;
}

static int start_bus(struct client *client, bool watches)
{
	const char *address = secure_getenv(ENV_BUS_ADDRESS);
	int r = sd_bus_new(&client->bus);

	if (r >= 0)
		r = sd_bus_set_address(client->bus, address && *address ? address : BUS_ADDRESS);
	if (r >= 0)
		r = sd_bus_set_bus_client(client->bus, 1);
	if (r >= 0)
		r = sd_bus_set_connected_signal(client->bus, 1);
	if (r >= 0)
		r = sd_bus_set_watch_bind(client->bus, watches);
	if (r >= 0)
		r = sd_bus_match_signal_async(client->bus, NULL, DBUS_LOCAL, NULL, DBUS_LOCAL,
			"Connected", on_connected, NULL, client);
	if (r >= 0)
		r = sd_bus_match_signal_async(client->bus, NULL, DBUS_LOCAL, NULL, DBUS_LOCAL,
			"Disconnected", on_disconnected, NULL, client);
	if (r >= 0)
		r = sd_bus_start(client->bus);
	if (r >= 0)
		r = sd_bus_attach_event(client->bus, client->event, SD_EVENT_PRIORITY_NORMAL);
	if (r < 0)
		disconnect(client);
	return r < 0 ? r : 0;
}

/* Without watching at first: so it is seen at once that nobody listens. */
static void connect_bus(struct client *client)
{
	disconnect(client);
	if (start_bus(client, false) == 0)
		return;
	be_without_bus(client);
	if (start_bus(client, true) < 0)
		try_again(client, ASK_AGAIN_USEC);
}

static int on_again(sd_event_source *source, uint64_t usec, void *userdata)
{
	struct client *client = userdata;

	(void)source;
	(void)usec;
	client->again = sd_event_source_disable_unref(client->again);
	if (!client->is_connected)
		connect_bus(client);
	else if (ask_for_owner(client) < 0)
		try_again(client, ASK_AGAIN_USEC);
	return 0;
}

/* ------------------------------------------------------------------------ begin and end */

int client_new(sd_event *event, const struct client_callbacks *callbacks, void *userdata,
	struct client **ret)
{
	static const struct client_callbacks none;
	struct client *client = calloc(1, sizeof(*client));

	if (!client)
		return -ENOMEM;
	*client = (struct client){
		.event = sd_event_ref(event),
		.callbacks = callbacks ? callbacks : &none,
		.userdata = userdata,
	};
	LIST_INIT(&client->calls);
	reason_set(&client->why, "the system bus does not answer; systemctl status dbus");
	/* The first round connects, so that no callback comes before this has returned. */
	try_again(client, 0);
	if (!client->again) {
		client_free(client);
		return -ENOMEM;
	}
	*ret = client;
	return 0;
}

struct client *client_free(struct client *client)
{
	if (!client)
		return NULL;
	client_drop_calls(client);
	client->again = sd_event_source_disable_unref(client->again);
	disconnect(client);
	sd_event_unref(client->event);
	free(client);
	return NULL;
}

void client_freep(struct client **client)
{
	client_free(*client);
}

/* ---------------------------------------------------------------------------- questions */

enum client_presence client_presence(const struct client *client)
{
	return client->presence;
}

const char *client_why(const struct client *client)
{
	return client->why.text;
}

const struct client_object *client_next(
	const struct client *client, enum client_kind kind, const struct client_object *before)
{
	const struct mirror_list *list = &client->mirror.lists[kind];
	size_t i = 0;

	if (client->presence != CLIENT_THERE)
		return NULL;
	if (before)
		while (i < list->n_items && list->items[i++] != before)
			;
	return i < list->n_items ? list->items[i] : NULL;
}

const struct client_object *client_find(const struct client *client, const char *path)
{
	return client->presence == CLIENT_THERE ? mirror_find(&client->mirror, path) : NULL;
}

const struct mirror *client_mirror(const struct client *client)
{
	static const struct mirror none;

	return client->presence == CLIENT_THERE ? &client->mirror : &none;
}

const struct dict *client_manager(const struct client *client)
{
	static const struct dict none;
	const struct client_object *manager = client_next(client, CLIENT_MANAGER, NULL);

	return manager ? &manager->properties : &none;
}
