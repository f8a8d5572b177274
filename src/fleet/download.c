/* SPDX-License-Identifier: MIT */
/*
 * download.c - whose turn it is, and what follows from how a try ended: the next, later each time,
 * and meanwhile another download has its turn.
 *
 * The handler is always called last: it may free the download.
 */
#include "fleet/download.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>
#include <sys/stat.h>

#include "base/clock.h"
#include "base/util.h"
#include "fleet/delay.h"
#include "fleet/fetch.h"
#include "fleet/part.h"
#include "fleet/url.h"

/* A server that is down for the night is asked twice an hour in the end. */
static const struct delay pauses = {5 * USEC_PER_SEC, 1800 * USEC_PER_SEC};

/* One that has another file is asked as seldom as somebody mends such a thing. */
static const struct delay wrongs = {60 * USEC_PER_SEC, 6 * 3600 * USEC_PER_SEC};

/* A try that brought so much shows that it goes on, if in pieces. */
#define GAIN_BYTES (64 * 1024)

/* One that would take longer than PACE_USEC at its pace so far has its turn for so long, where
 * others wait: a server that trickles holds up no image of another board. */
#define TURN_USEC (600 * USEC_PER_SEC)
#define PACE_USEC (3600 * USEC_PER_SEC)

/* What a server may ask for: more would be a way to keep a fleet from its updates. */
#define REST_MOST_USEC (3600 * USEC_PER_SEC)

#define HURRY_USEC     (10 * USEC_PER_SEC)
#define KEEP_USEC      (7 * 24 * 3600 * (int64_t)USEC_PER_SEC)

struct downloads {
	sd_event *event;
	const struct fleet_download *settings;
	int folder;
	struct fetch *fetch;
	struct download *list;
	struct download *active; /* whose fetch it is; NULL: nobody's */
	uint64_t begun_usec;	 /* its turn */
	uint64_t n_begun;	 /* bytes that were there then */
	sd_event_source *turn;	 /* when the next one is due; off while one is active */
};

struct download {
	struct downloads *downloads;
	struct download *next;
	char *url;
	char sha256[DIGEST_HEX_SIZE];
	uint64_t size;
	download_handler handler;
	void *userdata;
	enum download_state state;
	uint64_t due_usec; /* WAITING */
	bool rests;	   /* nobody hurries: the server asked for it, or has another file */
	unsigned n_failures;
	unsigned n_wrong; /* how often all bytes were there and the digest was another */
	uint64_t n_bytes;
	uint64_t n_most; /* the most that were there: what comes again is no gain */
	struct reason reason;
	int fd; /* WHOLE, else -1 */
};

static const char *const states[DOWNLOAD_MAX] = {
	[DOWNLOAD_WAITING] = "waiting",
	[DOWNLOAD_RUNNING] = "running",
	[DOWNLOAD_WHOLE] = "whole",
	[DOWNLOAD_REFUSED] = "refused",
};

const char *download_state_to_string(enum download_state state)
{
	return states[state];
}

static void tell(struct download *download)
{
	download->handler(download, download->userdata);
}

/* ------------------------------------------------------------------ whose turn it is */

static struct download *find_next(const struct downloads *downloads)
{
	struct download *next = NULL;

	for (struct download *d = downloads->list; d; d = d->next)
		if (d->state == DOWNLOAD_WAITING && (!next || d->due_usec < next->due_usec))
			next = d;
	return next;
}

/* The timer is set, and takes the turn in a round of its own. */
static void schedule(struct downloads *downloads)
{
	const struct download *next = downloads->active ? NULL : find_next(downloads);

	if (next)
		(void)sd_event_source_set_time(downloads->turn, next->due_usec);
	(void)sd_event_source_set_enabled(downloads->turn, next ? SD_EVENT_ONESHOT : SD_EVENT_OFF);
}

static bool is_wanted(const void *userdata, const char *digits)
{
	const struct downloads *downloads = userdata;

	for (const struct download *d = downloads->list; d; d = d->next)
		if (strncmp(d->sha256, digits, strlen(digits)) == 0)
			return true;
	return false;
}

static void begin(struct downloads *downloads, struct download *download)
{
	parts_sweep(downloads->folder, realtime_usec() - KEEP_USEC, is_wanted, downloads);
	downloads->active = download;
	downloads->begun_usec = monotonic_usec();
	download->state = DOWNLOAD_RUNNING;
	fetch_begin(downloads->fetch, download->url, download->sha256, download->size);
	downloads->n_begun = fetch_bytes(downloads->fetch);
	tell(download);
}

static int on_turn(sd_event_source *source, uint64_t usec, void *userdata)
{
	struct downloads *downloads = userdata;
	struct download *next = downloads->active ? NULL : find_next(downloads);

	(void)source;
	(void)usec;
	if (next && next->due_usec <= monotonic_usec())
		begin(downloads, next);
	else
		schedule(downloads);
	return 0;
}

void downloads_hurry(struct downloads *downloads)
{
	for (struct download *d = downloads->list; d; d = d->next) {
		uint64_t soon = monotonic_usec() + delay_within(HURRY_USEC, delay_random());

		if (d->state == DOWNLOAD_WAITING && d->n_failures > 0 && !d->rests &&
			soon < d->due_usec)
			d->due_usec = soon;
	}
	schedule(downloads);
}

/* ------------------------------------------------------------------ how a try ends */

/* Those that were asked to rest come back as scattered as the others. */
static uint64_t next_try(const struct download *download, uint64_t rest_usec)
{
	uint64_t pause = delay_usec(&pauses, download->n_failures, delay_random());

	return monotonic_usec() + pause + (rest_usec > REST_MOST_USEC ? REST_MOST_USEC : rest_usec);
}

static void take_failure(struct download *download, const struct fetch_end *end)
{
	bool has_gained = end->n_bytes >= download->n_most + GAIN_BYTES;

	download->state = DOWNLOAD_WAITING;
	download->n_failures = has_gained ? 1 : download->n_failures + 1;
	download->n_most = end->n_bytes > download->n_most ? end->n_bytes : download->n_most;
	download->rests = end->rest_usec > 0;
	download->reason = end->reason;
	download->due_usec = next_try(download, end->rest_usec);
}

/*
 * The first time the bytes of before may be to blame, which lay on our disk or were replaced at the
 * server: it is fetched anew at once. Again and again, a server would have a gateway fetch for ever
 * whose bytes nobody wants.
 */
static void take_wrong(struct download *download, const struct fetch_end *end)
{
	if (++download->n_wrong == 1 && end->goes_on) {
		download->state = DOWNLOAD_WAITING;
		download->due_usec = monotonic_usec();
		download->n_most = 0;
		return;
	}
	take_failure(download, end);
	if (download->n_wrong == 1)
		return;
	download->rests = true;
	download->due_usec += delay_usec(&wrongs, download->n_wrong - 1, delay_random());
}

static void take_bytes(struct download *download, int fd)
{
	download->state = DOWNLOAD_WHOLE;
	download->fd = fd;
	download->n_failures = 0;
	download->reason.text[0] = '\0';
}

static void on_end(void *userdata, const struct fetch_end *end)
{
	struct downloads *downloads = userdata;
	struct download *download = downloads->active;

	downloads->active = NULL;
	download->n_bytes = end->n_bytes;
	switch (end->result) {
	case FETCH_WHOLE:
		take_bytes(download, end->fd);
		break;
	case FETCH_WRONG:
		take_wrong(download, end);
		break;
	case FETCH_FAILED:
		take_failure(download, end);
		break;
	}
	schedule(downloads);
	tell(download);
}

/* Whether the one that is active holds up another. */
static bool is_too_slow(const struct downloads *downloads)
{
	uint64_t now = monotonic_usec(), spent = now - downloads->begun_usec;
	uint64_t n_bytes = fetch_bytes(downloads->fetch);
	uint64_t gained = n_bytes > downloads->n_begun ? n_bytes - downloads->n_begun : 0;
	const struct download *next = find_next(downloads);

	return next && next->due_usec <= now && spent >= TURN_USEC &&
	       gained < downloads->active->size / (PACE_USEC / USEC_PER_SEC) *
				(spent / USEC_PER_SEC);
}

static void on_progress(void *userdata)
{
	struct downloads *downloads = userdata;
	struct download *download = downloads->active;

	if (is_too_slow(downloads)) {
		download->n_bytes = fetch_bytes(downloads->fetch);
		fetch_stop(downloads->fetch);
		downloads->active = NULL;
		download->state = DOWNLOAD_WAITING;
		/* Behind those that are due. */
		download->due_usec = monotonic_usec() + 1;
		schedule(downloads);
	}
	tell(download);
}

static void on_sweep(void *userdata)
{
	const struct downloads *downloads = userdata;

	parts_sweep(downloads->folder, INT64_MAX, is_wanted, downloads);
}

static const struct fetch_callbacks fetch_callbacks = {on_progress, on_sweep, on_end};

/* ------------------------------------------------------------------ one download */

static bool is_fit(
	const struct downloads *downloads, const struct download_ask *ask, struct reason *reason)
{
	const struct fleet_download *settings = downloads->settings;

	if (!url_is_fit(ask->url, settings->plain_http, reason))
		return false;
	if (ask->size == 0)
		reason_set(reason, "size: an image of 0 bytes: expected those of the file");
	else if (ask->size > settings->size_most)
		reason_set(reason,
			"size: %" PRIu64 " bytes: at most %" PRIu32
			" are fetched (image-size of [download])",
			ask->size, settings->size_most);
	else
		return true;
	return false;
}

int download_new(struct downloads *downloads, const struct download_ask *ask,
	download_handler handler, void *userdata, struct download **ret)
{
	struct download *download = calloc(1, sizeof(*download));
	struct download **end = &downloads->list;

	if (!download)
		return -ENOMEM;
	download->url = strdup(ask->url);
	if (!download->url) {
		free(download);
		return -ENOMEM;
	}
	download->downloads = downloads;
	text_copy(download->sha256, sizeof(download->sha256), ask->sha256);
	download->size = ask->size;
	download->handler = handler;
	download->userdata = userdata;
	download->fd = -1;
	download->state =
		is_fit(downloads, ask, &download->reason) ? DOWNLOAD_WAITING : DOWNLOAD_REFUSED;
	download->due_usec =
		monotonic_usec() + delay_within(downloads->settings->spread_usec, delay_random());
	/* Behind the others, of which the first that is due comes first. */
	while (*end)
		end = &(*end)->next;
	*end = download;
	schedule(downloads);
	*ret = download;
	return 0;
}

bool download_is_for(const struct download *download, const struct download_ask *ask)
{
	return download->size == ask->size && strcmp(download->sha256, ask->sha256) == 0 &&
	       strcmp(download->url, ask->url) == 0;
}

void download_look(const struct download *download, struct download_view *ret)
{
	const struct downloads *downloads = download->downloads;
	bool is_active = downloads->active == download;

	*ret = (struct download_view){
		.state = download->state,
		.n_bytes = is_active ? fetch_bytes(downloads->fetch) : download->n_bytes,
		.n_failures = download->n_failures,
		.next_usec = download->state == DOWNLOAD_WAITING && download->n_failures > 0
				     ? download->due_usec
				     : 0,
		.reason = &download->reason,
	};
}

int download_open(const struct download *download)
{
	CLEANUP(closep) int fd = -1;

	if (download->state != DOWNLOAD_WHOLE)
		return -EBUSY;
	fd = fcntl(download->fd, F_DUPFD_CLOEXEC, 3);
	if (fd < 0 || lseek(fd, 0, SEEK_SET) < 0)
		return -errno;
	return take_fd(&fd);
}

struct download *download_free(struct download *download)
{
	struct downloads *downloads;
	struct download **at;

	if (!download)
		return NULL;
	downloads = download->downloads;
	if (downloads->active == download) {
		fetch_stop(downloads->fetch);
		downloads->active = NULL;
	}
	for (at = &downloads->list; *at != download;)
		at = &(*at)->next;
	*at = download->next;
	closep(&download->fd);
	free(download->url);
	free(download);
	schedule(downloads);
	return NULL;
}

struct download *download_forget(struct download *download)
{
	char sha256[DIGEST_HEX_SIZE];
	struct downloads *downloads;

	if (!download)
		return NULL;
	downloads = download->downloads;
	text_copy(sha256, sizeof(sha256), download->sha256);
	download_free(download);
	/* Another wish may want the same bytes. */
	if (!is_wanted(downloads, sha256))
		part_remove(downloads->folder, sha256);
	return NULL;
}

/* ------------------------------------------------------------------ all of them */

static int open_folder(const char *folder, struct reason *reason)
{
	char shown[TEXT_MAX];
	int fd;

	if (mkdir(folder, 0700) < 0 && errno != EEXIST)
		return reason_refuse(-errno, reason, "'%s' cannot be made: %s",
			text_escape(folder, shown, sizeof(shown)), strerror(errno));
	fd = open(folder, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	return fd >= 0 ? fd
		       : reason_refuse(-errno, reason, "'%s': %s",
				 text_escape(folder, shown, sizeof(shown)), strerror(errno));
}

static void downloads_freep(struct downloads **downloads)
{
	downloads_free(*downloads);
}

int downloads_new(sd_event *event, const struct fleet_download *settings, const char *folder,
	struct downloads **ret, struct reason *reason)
{
	CLEANUP(downloads_freep) struct downloads *downloads = NULL;
	CLEANUP(closep) int fd = open_folder(folder, reason);
	int r;

	if (fd < 0)
		return fd;
	downloads = calloc(1, sizeof(*downloads));
	if (!downloads)
		return -ENOMEM;
	downloads->event = sd_event_ref(event);
	downloads->settings = settings;
	downloads->folder = take_fd(&fd);
	r = sd_event_add_time(event, &downloads->turn, CLOCK_MONOTONIC, 0, 1, on_turn, downloads);
	if (r >= 0)
		r = sd_event_source_set_enabled(downloads->turn, SD_EVENT_OFF);
	if (r >= 0)
		r = fetch_new(event, settings, downloads->folder, &fetch_callbacks, downloads,
			&downloads->fetch);
	if (r < 0)
		return reason_refuse(r, reason, "downloads: %s", strerror(-r));
	*ret = TAKE_PTR(downloads);
	return 0;
}

struct downloads *downloads_free(struct downloads *downloads)
{
	if (!downloads)
		return NULL;
	fetch_free(downloads->fetch);
	sd_event_source_disable_unref(downloads->turn);
	sd_event_unref(downloads->event);
	closep(&downloads->folder);
	free(downloads);
	return NULL;
}
