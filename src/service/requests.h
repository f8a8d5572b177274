/* SPDX-License-Identifier: MIT */
/*
 * requests.h - what the command asks of a running service: small files that are renamed into a
 * folder of the runtime directory, taken one by one, with a dot before their name while they are
 * seen to, and removed then.
 *
 * The folder belongs to the service's user, so that root and that user alone may ask. A file is a
 * word, then lines "KEY VALUE"; the end of the file is the end of the request.
 */
#pragma once

#include <systemd/sd-event.h>

#include "service/store.h"

/* Below the runtime directory. */
#define REQUESTS_NAME "requests"

/* Longer than any value may be, with its key. */
#define REQUEST_LINE_BYTES (TEXT_MAX + 16)

struct request {
	char unit[TEXT_MAX];
	char board[TEXT_MAX];
	char path[TEXT_MAX];
	char port[TEXT_MAX];
};

/* The request as text. 0 or -EINVAL: a value that is too long or has a line break. */
int request_write(const struct request *request, FILE *to);

/* 0, or -EBADMSG. */
int request_read(FILE *from, struct request *ret);

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
