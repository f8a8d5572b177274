/* SPDX-License-Identifier: MIT */
/*
 * fetch.c - the order of a try: the part file is opened, and digested, a slice each round of the
 * loop; the room on the disk is looked at; the rest is asked for; bytes are digested as they come;
 * at the end the digest over all decides.
 *
 * Where older bytes are in use and the digest is wrong these may be the wrong ones (the power
 * failed, or the file at that address was replaced): then nothing of it is kept, and the next try
 * begins at the first byte.
 */
#include "fleet/fetch.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <sys/statvfs.h>

#include "base/clock.h"
#include "base/util.h"
#include "fleet/part.h"
#include "fleet/transfer.h"
#include "fleet/url.h"

/* Fewer than these in all of `idle` are none: a byte now and then must not hold up the others. */
#define IDLE_BYTES 1024

#define TICK_USEC  (5 * USEC_PER_SEC)

struct fetch {
	const struct fleet_download *settings;
	const struct fetch_callbacks *callbacks;
	void *userdata;
	int folder;
	struct transfer *transfer;
	sd_event_source *digester; /* as it begins, and while what was there is digested */
	sd_event_source *tick;
	const char *url; /* NULL: none is under way */
	struct part part;
	bool goes_on;	 /* bytes that were there as it began are in use still */
	bool has_failed; /* `failure` says why */
	struct reason failure;
	uint64_t n_told; /* bytes */
	uint64_t n_mark; /* bytes at `mark_usec`, since when next to none came */
	uint64_t mark_usec;
};

/* ------------------------------------------------------------------ how it ends */

void fetch_stop(struct fetch *fetch)
{
	if (!fetch->url)
		return;
	transfer_stop(fetch->transfer);
	(void)sd_event_source_set_enabled(fetch->tick, SD_EVENT_OFF);
	(void)sd_event_source_set_enabled(fetch->digester, SD_EVENT_OFF);
	part_close(&fetch->part);
	fetch->url = NULL;
}

/* Nothing may be touched behind it. */
static void end_with(struct fetch *fetch, struct fetch_end *end)
{
	end->n_bytes = fetch->part.n_bytes;
	fetch_stop(fetch);
	fetch->callbacks->end(fetch->userdata, end);
}

static void fail(struct fetch *fetch, uint64_t rest_usec)
{
	struct fetch_end end = {
		.result = FETCH_FAILED,
		.fd = -1,
		.rest_usec = rest_usec,
		.reason = fetch->failure,
	};

	end_with(fetch, &end);
}

static void note_failure(struct fetch *fetch, const char *object, const char *what)
{
	fetch->has_failed = true;
	reason_set(&fetch->failure, "%s: %s", object, what);
}

static void note_server(struct fetch *fetch, const char *what)
{
	char shown[160];

	note_failure(fetch, url_show(fetch->url, shown, sizeof(shown)), what);
}

static void note_errno(struct fetch *fetch, int error)
{
	note_failure(fetch, "the folder of downloads", strerror(-error));
}

static void note_short(struct fetch *fetch, const char *what)
{
	struct reason reason;

	reason_set(&reason, "%s, after %" PRIu64 " of %" PRIu64 " bytes", what, fetch->part.n_bytes,
		fetch->part.size);
	note_server(fetch, reason.text);
}

/* All bytes are there. */
static void finish(struct fetch *fetch)
{
	struct fetch_end end = {.result = FETCH_WHOLE, .fd = -1};
	int r = part_finish(&fetch->part);

	if (r == PART_DONE) {
		end.fd = take_fd(&fetch->part.fd);
		end_with(fetch, &end);
		return;
	}
	/* Emptied first: a file that cannot be removed would be found wrong again and again. */
	r = r < 0 ? r : part_restart(&fetch->part);
	if (r < 0) {
		note_errno(fetch, r);
		fail(fetch, 0);
		return;
	}
	part_remove(fetch->folder, fetch->part.sha256);
	note_server(fetch,
		"the bytes have another digest than the wish says: it is another file, or was changed on its way");
	end.result = FETCH_WRONG;
	end.goes_on = fetch->goes_on;
	end.reason = fetch->failure;
	end_with(fetch, &end);
}

/* ------------------------------------------------------------------ what the transfer tells */

static int on_begin(void *userdata, const struct reply *reply)
{
	struct fetch *fetch = userdata;
	struct reason reason = {};
	enum reply_result judged =
		reply_judge(reply, fetch->part.n_bytes, fetch->part.size, &reason);
	int r = 0;

	if (judged == REPLY_REFUSED)
		note_server(fetch, reason.text);
	if (judged == REPLY_WHOLE || judged == REPLY_NO_RANGE) {
		fetch->goes_on = false;
		r = part_restart(&fetch->part);
	}
	if (r < 0)
		note_errno(fetch, r);
	else if (judged == REPLY_WHOLE)
		part_keep_tag(&fetch->part, fetch->url, reply->tag);
	else if (judged == REPLY_NO_RANGE)
		note_server(fetch, "the server's file is shorter than what is here of it");
	return fetch->has_failed;
}

static int on_bytes(void *userdata, const void *bytes, size_t n)
{
	struct fetch *fetch = userdata;
	int r = part_append(&fetch->part, bytes, n);

	if (r == PART_TOO_LONG) {
		note_server(fetch, "the server sends more bytes than the image has");
		/* So they are of another file. */
		r = part_restart(&fetch->part);
	}
	if (r < 0)
		note_errno(fetch, r);
	return fetch->has_failed;
}

static void on_end(void *userdata, const struct transfer_end *end)
{
	struct fetch *fetch = userdata;

	if (!fetch->has_failed && !end->is_whole)
		note_short(fetch, end->reason.text);
	if (!fetch->has_failed && fetch->part.n_bytes < fetch->part.size)
		note_short(fetch, "the server ended");
	if (fetch->has_failed)
		fail(fetch, end->retry_usec);
	else
		finish(fetch);
}

static const struct transfer_callbacks transfer_callbacks = {on_begin, on_bytes, on_end};

/* ------------------------------------------------------------------ the order */

static bool has_room(const struct fetch *fetch, uint64_t n_bytes)
{
	struct statvfs file_system;
	uint64_t left;

	/* Whoever cannot ask finds out by writing. */
	return fstatvfs(fetch->folder, &file_system) < 0 ||
	       __builtin_mul_overflow(
		       (uint64_t)file_system.f_bavail, (uint64_t)file_system.f_frsize, &left) ||
	       left >= n_bytes;
}

/* Room for what is to come, for the copy that goes to the images, and what is to be left. */
static bool make_room(struct fetch *fetch)
{
	uint64_t wanted = 2 * fetch->part.size - fetch->part.n_bytes + fetch->settings->space_left;
	struct reason reason;

	if (has_room(fetch, wanted))
		return true;
	fetch->callbacks->sweep(fetch->userdata);
	if (has_room(fetch, wanted))
		return true;
	reason_set(&reason,
		"too little room on the disk: %" PRIu64
		" bytes are needed, twice the image and space-left of [download]",
		wanted);
	note_failure(fetch, "the folder of downloads", reason.text);
	return false;
}

static void ask(struct fetch *fetch)
{
	char tag[REPLY_TAG_MAX];
	const struct transfer_ask question = {
		.url = fetch->url,
		.from = fetch->part.n_bytes,
		.tag = tag,
	};
	int r;

	part_tag(&fetch->part, fetch->url, tag, sizeof(tag));
	if (make_room(fetch)) {
		r = transfer_begin(fetch->transfer, &question);
		if (r == 0)
			return;
		note_server(fetch, strerror(-r));
	}
	fail(fetch, 0);
}

static int on_digest(sd_event_source *source, void *userdata)
{
	struct fetch *fetch = userdata;
	int r = fetch->has_failed ? PART_DONE : part_digest_some(&fetch->part);

	fetch->mark_usec = monotonic_usec();
	if (r == PART_MORE)
		return 0;
	(void)sd_event_source_set_enabled(source, SD_EVENT_OFF);
	if (r < 0)
		note_errno(fetch, r);
	if (fetch->has_failed)
		fail(fetch, 0);
	else if (fetch->part.n_bytes == fetch->part.size)
		finish(fetch);
	else
		ask(fetch);
	return 0;
}

static void set_tick(struct fetch *fetch)
{
	uint64_t idle_usec = fetch->settings->idle_usec;

	(void)sd_event_source_set_time_relative(
		fetch->tick, idle_usec < TICK_USEC ? idle_usec : TICK_USEC);
	(void)sd_event_source_set_enabled(fetch->tick, SD_EVENT_ONESHOT);
}

static int on_tick(sd_event_source *source, uint64_t usec, void *userdata)
{
	struct fetch *fetch = userdata;
	uint64_t n_bytes = fetch->part.n_bytes, now = monotonic_usec();

	(void)source;
	(void)usec;
	/* Fewer than there were: the part was begun anew. */
	if (n_bytes < fetch->n_mark || n_bytes - fetch->n_mark >= IDLE_BYTES ||
		transfer_is_paused(fetch->transfer)) {
		fetch->n_mark = n_bytes;
		fetch->mark_usec = now;
	} else if (now - fetch->mark_usec >= fetch->settings->idle_usec) {
		note_short(fetch, "nothing more came, or next to nothing");
		fail(fetch, 0);
		return 0;
	}
	set_tick(fetch);
	if (n_bytes != fetch->n_told) {
		fetch->n_told = n_bytes;
		fetch->callbacks->progress(fetch->userdata);
	}
	return 0;
}

/* What fails here is told from the loop as well, by the digester's round. */
void fetch_begin(struct fetch *fetch, const char *url, const char *sha256, uint64_t size)
{
	int r = part_open(fetch->folder, sha256, size, &fetch->part);

	fetch->url = url;
	fetch->has_failed = false;
	fetch->n_mark = fetch->n_told = fetch->part.n_bytes;
	fetch->goes_on = fetch->part.n_bytes > 0;
	fetch->mark_usec = monotonic_usec();
	if (r < 0)
		note_errno(fetch, r);
	set_tick(fetch);
	(void)sd_event_source_set_enabled(fetch->digester, SD_EVENT_ON);
}

uint64_t fetch_bytes(const struct fetch *fetch)
{
	return fetch->part.n_bytes;
}

/* ------------------------------------------------------------------ life cycle */

static void fetch_freep(struct fetch **fetch)
{
	fetch_free(*fetch);
}

int fetch_new(sd_event *event, const struct fleet_download *settings, int folder,
	const struct fetch_callbacks *callbacks, void *userdata, struct fetch **ret)
{
	CLEANUP(fetch_freep) struct fetch *fetch = calloc(1, sizeof(*fetch));
	int r;

	if (!fetch)
		return -ENOMEM;
	fetch->settings = settings;
	fetch->callbacks = callbacks;
	fetch->userdata = userdata;
	fetch->folder = folder;
	fetch->part = (struct part){.fd = -1};
	r = sd_event_add_time(event, &fetch->tick, CLOCK_MONOTONIC, 0, 0, on_tick, fetch);
	if (r >= 0)
		r = sd_event_source_set_enabled(fetch->tick, SD_EVENT_OFF);
	if (r >= 0)
		r = sd_event_add_defer(event, &fetch->digester, on_digest, fetch);
	if (r >= 0)
		r = sd_event_source_set_enabled(fetch->digester, SD_EVENT_OFF);
	if (r >= 0)
		r = transfer_new(event, settings, &transfer_callbacks, fetch, &fetch->transfer);
	if (r < 0)
		return r;
	*ret = TAKE_PTR(fetch);
	return 0;
}

struct fetch *fetch_free(struct fetch *fetch)
{
	if (!fetch)
		return NULL;
	fetch_stop(fetch);
	transfer_free(fetch->transfer);
	sd_event_source_disable_unref(fetch->tick);
	sd_event_source_disable_unref(fetch->digester);
	free(fetch);
	return NULL;
}
