/* SPDX-License-Identifier: MIT */
/*
 * service.h - the running service as a verb sees it: whether it is there, the bridge that it keeps
 * its hands off, and its refusals in words.
 */
#pragma once

#include <stdbool.h>

#include "api/client.h"
#include "base/text.h"
#include "cli/interrupt.h"

/* Those who may ask the service for something, beside root. */
#define GROUP_OPERATORS "plugflash-operators"

struct service {
	struct client *client; /* NULL: no service is there to be asked */
	int hold;	       /* while it is open the service leaves the bridge alone; -1: none */
};

/*
 * Connects, and learns whether a service is there. The callbacks are borrowed and may be NULL, as
 * `why`, the sentence on a service that is not there. False: it is not, or does not answer, which
 * `ret_is_silent` tells from one that does not run. Free with service_close() either way.
 */
bool service_open(const struct client_callbacks *callbacks, void *userdata, struct service *ret,
	struct reason *why, bool *ret_is_silent);

/* Lets go of the bridge, too. */
void service_close(struct service *service);

/* The bridge at this device node, waited for where it was plugged in just now; NULL: none. */
const struct client_object *service_find_bridge(struct service *service, const char *port);

enum service_hold {
	SERVICE_HELD,		 /* the service leaves the bridge alone */
	SERVICE_HOLD_NOT_NEEDED, /* it does not know this bridge, or is gone */
	SERVICE_HOLD_NOT_PERMITTED,
	SERVICE_HOLD_REFUSED, /* see the reason */
	SERVICE_HOLD_BUSY,    /* a unit that owns the port does not give it up; see the reason */
	SERVICE_HOLD_INTERRUPTED, /* by Ctrl-C, while the service worked on the board */
};

/*
 * Takes the bridge at this device node from the service for the verb, until service_close(), and
 * has it stop the units that own the port (`port-owner`) for as long. A worker that has it is
 * waited for; `name` is whose lines on standard error say so. With `changes_flash` the service does
 * not believe any more what it has on record of the unit. -errno with the reason.
 */
int service_hold_bridge(struct service *service, const char *verb, const char *name,
	const char *port, bool changes_flash, struct reason *reason);

/* Why the call was refused, with what there is to do. */
void service_refusal(const struct client_answer *answer, struct reason *reason);

/*
 * For a verb that is nothing but a request: opens, or says why there is nobody to be asked. 0 or
 * the exit code.
 */
int service_open_for(const char *verb, struct service *ret);

/*
 * The end of its request: 0 where the answer is good, else the exit code after a sentence. `r` is
 * the result of client_call_wait().
 */
int service_check_answer(const char *verb, int r, const struct client_answer *answer);

/* Whether polkit may ask the user for a password: where he sits at a terminal. */
bool service_may_ask(void);
