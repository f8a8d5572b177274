/* SPDX-License-Identifier: MIT */
/*
 * feed.c - one document for all streams, and for each how much of it was sent.
 *
 * A change only marks the document as old. It is made anew when pace.h allows it, once for all
 * streams, and never while nobody listens. A stream that has sent all of its document takes the
 * newest one there is then: a client that reads slowly misses those in between, and a queue does
 * not exist. A document that a stream has begun to send stays in memory until it is through, one a
 * stream at most; the socket's buffer is bounded by http.c, and a client that takes nothing for the
 * time of its options is cut off there.
 *
 * A stream that has been silent looks the same as one whose other end is dead, for both sides.
 * Every BEAT_USEC each gets a beat, an event of its own name, which a page can wait for.
 */
#include "web/feed.h"

#include <errno.h>
#include <string.h>

#include "base/clock.h"
#include "base/text.h"
#include "base/util.h"
#include "web/pace.h"

#define BEAT_USEC (15 * USEC_PER_SEC)
/* A new stream's document is not older: the page reads the time from it. */
#define FRESH_USEC USEC_PER_SEC

static const char beat_text[] = "event: beat\ndata: 1\n\n";

/* Text that several streams send. */
struct piece {
	size_t n_users;
	size_t n;
	char *text;
};

struct stream {
	struct feed *feed;
	struct http_request *request;
	struct stream *next, *previous;
	uint64_t generation; /* of the document that it took last; 0: none */
	bool is_beat_due;
	struct piece *piece; /* being sent; NULL: nothing is */
	size_t n_sent;
};

struct feed {
	struct feed_callbacks callbacks;
	sd_event *event;
	sd_event_source *timer, *beat_timer;
	struct pace pace;
	struct stream *streams;
	size_t n_streams;
	struct piece *document, *beat;
	uint64_t generation;
	uint64_t made_usec; /* the document */
	bool is_old;	    /* the state is another than the document's */
};

/* ---------------------------------------------------------------------------------- pieces */

/* Takes the text. */
static struct piece *piece_new(char *text)
{
	struct piece *piece = text ? calloc(1, sizeof(*piece)) : NULL;

	if (!piece) {
		free(text);
		return NULL;
	}
	piece->n_users = 1;
	piece->text = text;
	piece->n = strlen(text);
	return piece;
}

static struct piece *piece_use(struct piece *piece)
{
	piece->n_users++;
	return piece;
}

static struct piece *piece_leave(struct piece *piece)
{
	if (piece && --piece->n_users == 0) {
		free(piece->text);
		free(piece);
	}
	return NULL;
}

/* The document of now; where there is no memory for it, the one before stays, and stays old. */
static void make_document(struct feed *feed)
{
	CLEANUP(freep) char *document = NULL;
	char *text = NULL;
	struct piece *piece;

	if (feed->callbacks.document(feed->callbacks.userdata, &document) < 0 ||
		text_format(&text, "retry: 1000\ndata: %s\n\n", document) < 0)
		return;
	piece = piece_new(text);
	if (!piece)
		return;
	piece_leave(feed->document);
	feed->document = piece;
	feed->made_usec = monotonic_usec();
	if (feed->is_old || feed->generation == 0)
		feed->generation++;
	feed->is_old = false;
}

/* --------------------------------------------------------------------------------- streams */

static struct piece *next_piece(struct stream *stream)
{
	struct feed *feed = stream->feed;

	if (feed->document && stream->generation != feed->generation) {
		stream->generation = feed->generation;
		stream->is_beat_due = false;
		return piece_use(feed->document);
	}
	if (stream->is_beat_due) {
		stream->is_beat_due = false;
		return piece_use(feed->beat);
	}
	return NULL;
}

static size_t read_stream(void *userdata, char *to, size_t max)
{
	struct stream *stream = userdata;
	size_t n;

	if (!stream->piece) {
		stream->piece = next_piece(stream);
		stream->n_sent = 0;
	}
	if (!stream->piece)
		return 0;
	n = stream->piece->n - stream->n_sent;
	n = n < max ? n : max;
	memcpy(to, stream->piece->text + stream->n_sent, n);
	stream->n_sent += n;
	if (stream->n_sent == stream->piece->n)
		stream->piece = piece_leave(stream->piece);
	return n;
}

static void on_stream_gone(void *userdata)
{
	struct stream *stream = userdata;
	struct feed *feed = stream->feed;

	if (stream->next)
		stream->next->previous = stream->previous;
	if (stream->previous)
		stream->previous->next = stream->next;
	else
		feed->streams = stream->next;
	feed->n_streams--;
	if (feed->n_streams == 0) {
		(void)sd_event_source_set_enabled(feed->timer, SD_EVENT_OFF);
		(void)sd_event_source_set_enabled(feed->beat_timer, SD_EVENT_OFF);
	}
	piece_leave(stream->piece);
	free(stream);
}

static void wake_all(struct feed *feed)
{
	for (struct stream *stream = feed->streams; stream; stream = stream->next)
		http_wake(stream->request);
}

static void start_timer(sd_event_source *timer, uint64_t usec)
{
	(void)sd_event_source_set_time(timer, usec);
	(void)sd_event_source_set_enabled(timer, SD_EVENT_ONESHOT);
}

static int on_time(sd_event_source *source, uint64_t usec, void *userdata)
{
	struct feed *feed = userdata;

	(void)usec;
	pace_tell(&feed->pace, monotonic_usec());
	make_document(feed);
	if (feed->is_old)
		start_timer(source, pace_next(&feed->pace));
	wake_all(feed);
	return 0;
}

void feed_change(struct feed *feed)
{
	if (feed->is_old)
		return;
	feed->is_old = true;
	/* By the timer also where it is due: all that changes in this round goes out at once. */
	if (feed->n_streams > 0)
		start_timer(feed->timer, pace_next(&feed->pace));
}

static int on_beat(sd_event_source *source, uint64_t usec, void *userdata)
{
	struct feed *feed = userdata;

	(void)usec;
	for (struct stream *stream = feed->streams; stream; stream = stream->next)
		stream->is_beat_due = true;
	wake_all(feed);
	start_timer(source, monotonic_usec() + BEAT_USEC);
	return 0;
}

bool feed_is_full(const struct feed *feed)
{
	return feed->n_streams >= FEED_MAX_STREAMS;
}

int feed_open(struct feed *feed, struct http_request *request)
{
	CLEANUP(freep) struct stream *stream = calloc(1, sizeof(*stream));
	const struct http_stream answer = {
		.read = read_stream,
		.gone = on_stream_gone,
		.userdata = stream,
	};
	static const char *const headers[] = {"Cache-Control", "no-store", NULL};
	int r;

	if (!stream)
		return -ENOMEM;
	if (feed->n_streams == 0 || monotonic_usec() - feed->made_usec > FRESH_USEC)
		make_document(feed);
	if (!feed->document)
		return -ENOMEM;
	stream->feed = feed;
	stream->request = request;
	r = http_answer_stream(request, "text/event-stream", headers, &answer);
	if (r < 0)
		return r;
	stream->next = feed->streams;
	if (stream->next)
		stream->next->previous = stream;
	feed->streams = TAKE_PTR(stream);
	if (feed->n_streams++ == 0)
		start_timer(feed->beat_timer, monotonic_usec() + BEAT_USEC);
	return 0;
}

/* ------------------------------------------------------------------------------ life cycle */

static int add_timer(struct feed *feed, sd_event_time_handler_t handler, uint64_t accuracy,
	sd_event_source **ret)
{
	int r = sd_event_add_time(feed->event, ret, CLOCK_MONOTONIC, 0, accuracy, handler, feed);

	return r < 0 ? r : sd_event_source_set_enabled(*ret, SD_EVENT_OFF);
}

static void feed_freep(struct feed **feed)
{
	feed_free(*feed);
}

int feed_new(sd_event *event, const struct feed_callbacks *callbacks, struct feed **ret)
{
	CLEANUP(feed_freep) struct feed *feed = calloc(1, sizeof(*feed));
	int r;

	if (!feed)
		return -ENOMEM;
	feed->callbacks = *callbacks;
	feed->event = sd_event_ref(event);
	feed->beat = piece_new(strdup(beat_text));
	if (!feed->beat)
		return -ENOMEM;
	r = add_timer(feed, on_time, USEC_PER_MSEC, &feed->timer);
	if (r >= 0)
		r = add_timer(feed, on_beat, USEC_PER_SEC, &feed->beat_timer);
	if (r < 0)
		return r;
	*ret = TAKE_PTR(feed);
	return 0;
}

struct feed *feed_free(struct feed *feed)
{
	if (!feed)
		return NULL;
	sd_event_source_disable_unref(feed->timer);
	sd_event_source_disable_unref(feed->beat_timer);
	sd_event_unref(feed->event);
	piece_leave(feed->document);
	piece_leave(feed->beat);
	free(feed);
	return NULL;
}
