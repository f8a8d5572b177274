/* SPDX-License-Identifier: MIT */
/*
 * requests.h - what the command asks of a running service: small files that are renamed into a
 * folder of the runtime directory, taken one by one, with a dot before their name while they are
 * seen to, and removed then.
 *
 * The folder belongs to the service's user, so that root and that user alone may ask.
 */
#pragma once

#include <systemd/sd-event.h>

#include "api/request.h"

struct requests;

/*
 * Makes and watches the folder. Requests that lie there already are taken too. -errno with the
 * reason where it cannot be.
 */
int requests_new(sd_event *event, const char *runtime,
	void (*on_retry)(void *userdata, const struct request *request), void *userdata,
	struct requests **ret, struct reason *reason);

/* NULL is fine. */
struct requests *requests_free(struct requests *requests);
