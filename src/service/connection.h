/* SPDX-License-Identifier: MIT */
/*
 * connection.h - the service's own connection to the system bus. It comes when the bus does, comes
 * back when the bus was restarted, and nobody waits for it.
 */
#pragma once

#include <stdbool.h>

#include <systemd/sd-bus.h>
#include <systemd/sd-event.h>

/* After all that boards need: the turn has the priority before this. */
#define CONNECTION_PRIORITY (SD_EVENT_PRIORITY_IDLE + 10)

struct connection;

struct connection_callbacks {
	/* The bus takes messages from now on. The name is asked for once this has returned: objects
	 * are put on the bus here. 0 or -errno, after which the connection is made anew, later. */
	int (*on_up)(void *userdata, sd_bus *bus);
	/* It goes: whoever has slots or messages of it gives them up. */
	void (*on_down)(void *userdata);
	/* Once: the bus has said whether the service has the name, or could not be asked. */
	void (*on_settled)(void *userdata);
	void *userdata;
};

/* Begins to connect. 0 or -ENOMEM; a bus that cannot be had is no failure of this. */
int connection_new(
	sd_event *event, const struct connection_callbacks *callbacks, struct connection **ret);

/* Without a last word to a bus that does not listen, and without on_down. NULL is fine. */
struct connection *connection_free(struct connection *connection);

/* Gives this connection up, with all that waits to be sent, and makes another, later: also from
 * within a callback of the bus. `why` is for the journal. */
void connection_renew(struct connection *connection, const char *why);

/* Whether there is a bus, and on_settled() is still to come. */
bool connection_is_coming(const struct connection *connection);

/* NULL: there is none at present. */
sd_bus *connection_bus(const struct connection *connection);
