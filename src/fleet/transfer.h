/* SPDX-License-Identifier: MIT */
/*
 * transfer.h - one request of HTTP at a time, on the event loop; libcurl is seen here alone.
 *
 * It knows addresses, headers and bytes, and nothing of images. TLS 1.2 at least, the server's
 * certificate and name are always checked; http goes to a loopback address alone; redirects are
 * followed, to https and no further than five.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <systemd/sd-event.h>

#include "base/text.h"
#include "fleet/reply.h"
#include "fleet/settings.h"

struct transfer;

/* How it ended. */
struct transfer_end {
	bool is_whole;	     /* the server sent all that it said it would */
	struct reply reply;  /* the last one; status 0: none came */
	uint64_t retry_usec; /* the server asks for so long a rest (Retry-After); 0: it does not */
	struct reason
		reason; /* unless whole: the rest of a sentence that begins with the address */
};

struct transfer_callbacks {
	/*
	 * Before the first byte of the body, or at the end of an answer that has none; and bytes,
	 * some at a time. Other than 0: it ends, not whole. Neither may call transfer_stop().
	 */
	int (*begin)(void *userdata, const struct reply *reply);
	int (*take)(void *userdata, const void *bytes, size_t n);
	/* At the end, but not after transfer_stop(). It may begin the next one. */
	void (*end)(void *userdata, const struct transfer_end *end);
};

struct transfer_ask {
	const char *url;
	uint64_t from;	 /* the first byte that is wanted */
	const char *tag; /* only if it is still the file with this one; "": whatever it is */
};

/* `settings` and `callbacks` must stay; the first are read at each request. 0, -ENOMEM, -EIO. */
int transfer_new(sd_event *event, const struct fleet_download *settings,
	const struct transfer_callbacks *callbacks, void *userdata, struct transfer **ret);
struct transfer *transfer_free(struct transfer *transfer);

/* Begins one; none is under way. Failures of the network come by `end`. 0, -ENOMEM, -EIO. */
int transfer_begin(struct transfer *transfer, const struct transfer_ask *ask);

/* Whether it is the rate of the settings that lets nothing through now. */
bool transfer_is_paused(const struct transfer *transfer);

/* Ends the one that is under way, if any. */
void transfer_stop(struct transfer *transfer);
