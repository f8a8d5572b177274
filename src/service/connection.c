/* SPDX-License-Identifier: MIT */
/*
 * connection.c - one connection after the other, in these steps:
 *
 *   begin          sd_bus_start(): the socket is there, or sd-bus watches for it (inotify)
 *   connected      on_up(): objects are put on the bus, and the name is asked for
 *   disconnected   on_down(), and the next one begins
 *
 * Nothing polls: a bus that is not there is waited for by inotify, one that went by the end of its
 * socket. Only a bus that takes the connection and ends it again, or cannot be connected to for
 * another reason, is tried by time, each time after twice as long.
 *
 * The name is asked for with a place in its queue: where another process has it, this is told once,
 * and the name comes when the other lets go.
 *
 * inhibitor.c has a connection of its own. Boards wait for the answers to it, so it comes before
 * the turn, and a flood of calls that has this one made anew must not take the host's delay away.
 */
#include "service/connection.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/names.h"
#include "base/util.h"

#define DELAY_FIRST_USEC (100 * USEC_PER_MSEC)
#define DELAY_MOST_USEC	 (300 * USEC_PER_SEC)
/* A connection that lasted for so long was a good one: the next begins at once. */
#define GOOD_USEC	    (10 * USEC_PER_SEC)
#define TIMER_ACCURACY_USEC (50 * USEC_PER_MSEC)

struct connection {
	sd_event *event;
	struct connection_callbacks callbacks;
	sd_bus *bus;	  /* NULL: the next one is to begin */
	bool is_up;	  /* between on_up() and on_down() */
	bool is_given_up; /* it ends in the next round of the loop */
	sd_event_source *timer;
	uint64_t begun_usec;
	uint64_t delay_usec; /* before the one after this, 0: at once */
	bool is_trouble_told;
	bool is_settled; /* the first answer about the name has come, or will not */
};

static void begin(struct connection *connection);

static void settle(struct connection *connection)
{
	if (!connection->is_settled)
		connection->callbacks.on_settled(connection->callbacks.userdata);
	connection->is_settled = true;
}

/* Once, until a connection is good again. */
static void tell_trouble(struct connection *connection, const char *what, const char *why)
{
	settle(connection);
	if (connection->is_trouble_told)
		return;
	connection->is_trouble_told = true;
	log_warning(
		"the system bus: %s: %s; boards are flashed, but status, monitor and page do not see it",
		what, why);
}

static void end(struct connection *connection)
{
	if (connection->is_up)
		connection->callbacks.on_down(connection->callbacks.userdata);
	connection->is_up = connection->is_given_up = false;
	connection->bus = sd_bus_close_unref(connection->bus);
}

static int on_timer(sd_event_source *source, uint64_t usec, void *userdata)
{
	struct connection *connection = userdata;

	(void)source;
	(void)usec;
	connection->timer = sd_event_source_disable_unref(connection->timer);
	end(connection);
	begin(connection);
	return 0;
}

/* From the loop itself: this may be called from within a callback of the bus that ends. */
static void begin_later(struct connection *connection, uint64_t usec)
{
	if (connection->timer)
		return;
	if (sd_event_add_time_relative(connection->event, &connection->timer, CLOCK_MONOTONIC, usec,
		    TIMER_ACCURACY_USEC, on_timer, connection) >= 0)
		(void)sd_event_source_set_priority(connection->timer, CONNECTION_PRIORITY);
}

/* The next one; each that was short makes the wait before the one after it longer. */
static void begin_next(struct connection *connection)
{
	uint64_t delay = connection->delay_usec;

	if (monotonic_usec() - connection->begun_usec >= GOOD_USEC)
		delay = 0;
	connection->delay_usec = delay == 0		       ? DELAY_FIRST_USEC
				 : delay * 2 < DELAY_MOST_USEC ? delay * 2
							       : DELAY_MOST_USEC;
	begin_later(connection, delay);
}

/* ---------------------------------------------------------------------------------- the name */

static int on_name(sd_bus_message *message, void *userdata, sd_bus_error *error)
{
	struct connection *connection = userdata;
	const sd_bus_error *said = sd_bus_message_get_error(message);
	uint32_t answer = 0;

	(void)error;
	if (said)
		tell_trouble(connection, "it does not give the name " BUS_NAME,
			said->message ? said->message : said->name);
	/* org.freedesktop.DBus: 1 owner, 2 in the queue, 4 it was the owner already */
	else if (sd_bus_message_read(message, "u", &answer) >= 0 && answer == 2)
		tell_trouble(connection, "another process has the name " BUS_NAME,
			"it is taken when that process ends");
	else
		connection->is_trouble_told = false;
	settle(connection);
	return 0;
}

/* ---------------------------------------------------------------------------- begin and end */

static int on_connected(sd_bus_message *message, void *userdata, sd_bus_error *error)
{
	struct connection *connection = userdata;
	int r;

	(void)message;
	(void)error;
	if (connection->is_up || connection->is_given_up)
		return 0;
	connection->is_up = true;
	r = connection->callbacks.on_up(connection->callbacks.userdata, connection->bus);
	if (r >= 0)
		r = sd_bus_request_name_async(
			connection->bus, NULL, BUS_NAME, SD_BUS_NAME_QUEUE, on_name, connection);
	if (r < 0) {
		tell_trouble(connection, "nothing can be put on it", strerror(-r));
		connection->is_given_up = true;
		begin_next(connection);
	}
	return 0;
}

static int on_disconnected(sd_bus_message *message, void *userdata, sd_bus_error *error)
{
	struct connection *connection = userdata;

	(void)message;
	(void)error;
	log_debug("the connection to the bus was lost");
	settle(connection);
	connection->is_given_up = true;
	begin_next(connection);
	return 0;
}

static int match_local(
	struct connection *connection, const char *member, sd_bus_message_handler_t handler)
{
	return sd_bus_match_signal_async(connection->bus, NULL, NULL, "/org/freedesktop/DBus/Local",
		"org.freedesktop.DBus.Local", member, handler, NULL, connection);
}

static int start(struct connection *connection)
{
	const char *address = secure_getenv(ENV_BUS_ADDRESS);
	sd_bus *bus;
	int r = sd_bus_new(&connection->bus);

	if (r < 0)
		return r;
	bus = connection->bus;
	r = sd_bus_set_address(bus, address && *address ? address : BUS_ADDRESS);
	if (r >= 0)
		r = sd_bus_set_bus_client(bus, true);
	if (r >= 0)
		r = sd_bus_set_watch_bind(bus, true);
	if (r >= 0)
		r = sd_bus_set_connected_signal(bus, true);
	/* At the end of the loop sd-bus would wait for a bus that does not read. */
	if (r >= 0)
		r = sd_bus_set_close_on_exit(bus, false);
	/* Who may do what is asked of polkit, and never by a call that waits. */
	if (r >= 0)
		r = sd_bus_set_trusted(bus, true);
	if (r >= 0)
		r = match_local(connection, "Connected", on_connected);
	if (r >= 0)
		r = match_local(connection, "Disconnected", on_disconnected);
	if (r >= 0)
		r = sd_bus_start(bus);
	if (r >= 0)
		r = sd_bus_attach_event(bus, connection->event, CONNECTION_PRIORITY);
	return r;
}

static void begin(struct connection *connection)
{
	int r;

	connection->begun_usec = monotonic_usec();
	r = start(connection);
	if (r >= 0)
		return;
	tell_trouble(connection, "it cannot be connected to", strerror(-r));
	end(connection);
	begin_next(connection);
}

void connection_renew(struct connection *connection, const char *why)
{
	if (!connection->bus || connection->is_given_up)
		return;
	log_warning("the connection to the system bus is made anew: %s", why);
	connection->is_given_up = true;
	begin_next(connection);
}

/* Without a bus sd-bus watches for it: then its descriptor is one of inotify. */
bool connection_is_coming(const struct connection *connection)
{
	struct stat found;
	int fd;

	if (!connection || !connection->bus || connection->is_settled)
		return false;
	fd = sd_bus_get_fd(connection->bus);
	return fd >= 0 && fstat(fd, &found) == 0 && S_ISSOCK(found.st_mode);
}

sd_bus *connection_bus(const struct connection *connection)
{
	return connection && connection->is_up && !connection->is_given_up ? connection->bus : NULL;
}

int connection_new(
	sd_event *event, const struct connection_callbacks *callbacks, struct connection **ret)
{
	struct connection *connection = calloc(1, sizeof(*connection));

	if (!connection)
		return -ENOMEM;
	connection->event = sd_event_ref(event);
	connection->callbacks = *callbacks;
	begin(connection);
	*ret = connection;
	return 0;
}

struct connection *connection_free(struct connection *connection)
{
	if (!connection)
		return NULL;
	sd_event_source_disable_unref(connection->timer);
	sd_bus_close_unref(connection->bus);
	sd_event_unref(connection->event);
	free(connection);
	return NULL;
}
