/* SPDX-License-Identifier: MIT */
/*
 * up.h - from the service to the broker: what there is as retained messages, and each attempt as an
 * event. Its owner has the connections to both, and passes on what they tell.
 *
 * All that this gateway retains is in one place here, so that it is sent again over a new
 * connection and taken back when it is gone. An answer to a command alone is not: it stands in the
 * topic of the command.
 */
#pragma once

#include <systemd/sd-event.h>

#include "api/client.h"
#include "fleet/mqtt.h"
#include "fleet/settings.h"

struct up;

struct up_options {
	const struct fleet_settings *settings;
	int state;	    /* the state directory; -1: nothing is kept */
	const char *images; /* where images go, for the free space there */
};

/*
 * All are borrowed but the loop, which is referenced. What was kept is read here: what cannot be
 * read is logged, and begun anew. 0 or -errno.
 */
int up_new(sd_event *event, struct client *client, struct mqtt *mqtt,
	const struct up_options *options, struct up **ret);

/* What was acknowledged is kept at the end. NULL is fine. The client must be there still. */
struct up *up_free(struct up *up);

/* From the client's callbacks. */
void up_presence(struct up *up, enum client_presence presence);
void up_change(struct up *up, const struct client_object *object);
void up_job_removed(struct up *up);

/* From the callbacks of the connection: is it there, and what has arrived. */
void up_broker(struct up *up, bool is_there);
void up_acknowledged(struct up *up, unsigned id);

/* There may be room on the line: sends until there is not. */
void up_pump(struct up *up);

/* The process ends, and has said so to the broker: nothing is sent behind that. */
void up_stop(struct up *up);

/*
 * What the gateway makes of a wish for that board, retained; NULL: there is none any more. 0,
 * -ENOMEM, or -E2BIG: there are too many topics.
 */
int up_tell_wish(struct up *up, const char *board, const char *payload);

/* Every wish that there is was told: others, of a process before, are taken back. */
void up_wishes_are_told(struct up *up);

/* The version that units of that board are to have; "" nobody says. */
void up_set_latest(struct up *up, const char *board, const char *version);
