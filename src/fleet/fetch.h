/* SPDX-License-Identifier: MIT */
/*
 * fetch.h - one try to bring one image: part file, room on the disk, the request for what is
 * missing, and the digest over all. Whether and when another follows is not decided here.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include <systemd/sd-event.h>

#include "base/text.h"
#include "fleet/settings.h"

struct fetch;

enum fetch_result {
	FETCH_WHOLE, /* size and digest are right, and it is on the disk */
	FETCH_WRONG, /* all bytes are there, and their digest is another: they are gone */
	FETCH_FAILED,
};

struct fetch_end {
	enum fetch_result result;
	int fd;		      /* WHOLE: the bytes, for the taker to close; else -1 */
	uint64_t n_bytes;     /* that are there for the next try */
	bool goes_on;	      /* WRONG: bytes of before this try were among them */
	uint64_t rest_usec;   /* FAILED: the server asks for so long a rest; 0: it does not */
	struct reason reason; /* WRONG, FAILED: a whole sentence, fit to be shown */
};

struct fetch_callbacks {
	/* Bytes came; at most every five seconds. */
	void (*progress)(void *userdata);
	/* There is no room: part files that nobody wants should go. */
	void (*sweep)(void *userdata);
	/* At the end, but not after fetch_stop() or inside of fetch_begin(). It may begin the next.
	 */
	void (*end)(void *userdata, const struct fetch_end *end);
};

/* `folder` of part files, open. Pointers must stay. 0 or -errno. */
int fetch_new(sd_event *event, const struct fleet_download *settings, int folder,
	const struct fetch_callbacks *callbacks, void *userdata, struct fetch **ret);
struct fetch *fetch_free(struct fetch *fetch);

/* Begins one, none being under way. `url` must stay until its end. */
void fetch_begin(struct fetch *fetch, const char *url, const char *sha256, uint64_t size);

/* Ends the one that is under way, if any; the part file stays. */
void fetch_stop(struct fetch *fetch);

/* Bytes that are there. */
uint64_t fetch_bytes(const struct fetch *fetch);
