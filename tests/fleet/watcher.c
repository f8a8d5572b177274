/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "fleet/watcher.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <search.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

#include "api/json.h"
#include "base/text.h"

#define PORT_TEXT_OF(n) #n
#define PORT_TEXT(n)	PORT_TEXT_OF(n)
#define BROKER_OPTIONS	"-h", "127.0.0.1", "-p", PORT_TEXT(FARM_PORT)

/* In the topic, so that the watcher hears itself: that it is subscribed. */
#define READY_TOPIC "watcher/"

struct heard {
	char *topic, *payload;
};

struct watcher {
	struct farm *farm;
	struct child child;
	int from;
	sd_event_source *lines;
	char *buffer;
	size_t n_buffer;
	void *topics; /* of struct heard, by tsearch() */
	watcher_heard *on_heard;
	void *userdata;
	size_t n_heard, n_bytes;
	char *ready_topic;
};

/* ----------------------------------------------------------------------------- hearing */

static int compare(const void *a, const void *b)
{
	return strcmp(((const struct heard *)a)->topic, ((const struct heard *)b)->topic);
}

static struct heard *place_of(struct watcher *watcher, const char *topic)
{
	struct heard *made = calloc(1, sizeof(*made)), **found;

	assert_non_null(made);
	assert_int_equal(text_duplicate(topic, &made->topic), 0);
	found = tsearch(made, &watcher->topics, compare);
	assert_non_null(found);
	if (*found != made) {
		free(made->topic);
		free(made);
	}
	return *found;
}

static void take_line(struct watcher *watcher, char *line)
{
	char *payload = strchr(line, '\t');
	struct heard *heard;

	if (!payload)
		fail_msg("a payload of more than one line: %s", line);
	*payload++ = '\0';
	heard = place_of(watcher, line);
	free(heard->payload);
	assert_int_equal(text_duplicate(payload, &heard->payload), 0);
	watcher->n_heard++;
	watcher->n_bytes += strlen(payload);
	if (watcher->on_heard)
		watcher->on_heard(watcher->userdata, heard->topic, heard->payload);
}

static void take_lines(struct watcher *watcher)
{
	char *line = watcher->buffer, *end;

	while ((end = memchr(line, '\n', watcher->n_buffer - (size_t)(line - watcher->buffer)))) {
		*end = '\0';
		take_line(watcher, line);
		line = end + 1;
	}
	watcher->n_buffer -= (size_t)(line - watcher->buffer);
	memmove(watcher->buffer, line, watcher->n_buffer);
}

static int on_lines(sd_event_source *source, int fd, uint32_t events, void *userdata)
{
	struct watcher *watcher = userdata;
	char *buffer = realloc(watcher->buffer, watcher->n_buffer + 65536);
	ssize_t n;

	(void)events;
	assert_non_null(buffer);
	watcher->buffer = buffer;
	n = read(fd, buffer + watcher->n_buffer, 65536);
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return 0;
	if (n <= 0) {
		sd_event_source_set_enabled(source, SD_EVENT_OFF);
		return 0;
	}
	watcher->n_buffer += (size_t)n;
	take_lines(watcher);
	return 0;
}

static bool is_ready(void *userdata)
{
	const struct watcher *watcher = userdata;

	return watcher_payload(watcher, watcher->ready_topic) != NULL;
}

/*
 * The watcher hears at QoS 0. So the broker writes to its socket what it takes before it tells the
 * sender that it has it, and a broker that is killed leaves nothing unread of the watcher's: what
 * it has written comes whole. At QoS 1 it keeps back all but 20 messages, answers for them at once,
 * and takes them along when it is killed: lost by the broker, where an agent has done its part.
 */
static void begin(struct watcher *watcher, const char *id)
{
	int ends[2];

	assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
	assert_true(fcntl(ends[0], F_SETFL, O_NONBLOCK) >= 0);
	watcher->from = ends[0];
	child_start(watcher->farm, &watcher->child,
		&(struct child_setup){.input = -1, .output = ends[1], .error = -1},
		(const char *const[]){"mosquitto_sub", BROKER_OPTIONS, "-q", "0", "-c", "-i", id,
			"-t", "#", "-F", "%t\t%p", "--quiet", NULL});
	close(ends[1]);
	assert_true(sd_event_add_io(farm_event(watcher->farm), &watcher->lines, watcher->from,
			    EPOLLIN, on_lines, watcher) >= 0);
}

struct watcher *watcher_new(
	struct farm *farm, const char *id, watcher_heard *on_heard, void *userdata)
{
	struct watcher *watcher = calloc(1, sizeof(*watcher));

	assert_non_null(watcher);
	*watcher = (struct watcher){.farm = farm, .on_heard = on_heard, .userdata = userdata};
	assert_int_equal(text_format(&watcher->ready_topic, READY_TOPIC "%s", id), 0);
	/* Retained: whichever of the two is first, it comes. */
	publish(farm, watcher->ready_topic, "{}", true);
	begin(watcher, id);
	if (!farm_wait(farm, FARM_LONG, is_ready, watcher))
		fail_msg("mosquitto_sub hears nothing (Debian package mosquitto-clients)");
	return watcher;
}

static void forget(void *node)
{
	struct heard *heard = node;

	free(heard->topic);
	free(heard->payload);
	free(heard);
}

struct watcher *watcher_free(struct watcher *watcher)
{
	if (!watcher)
		return NULL;
	child_end(&watcher->child, SIGKILL);
	sd_event_source_disable_unref(watcher->lines);
	close(watcher->from);
	tdestroy(watcher->topics, forget);
	free(watcher->buffer);
	free(watcher->ready_topic);
	free(watcher);
	return NULL;
}

const char *watcher_payload(const struct watcher *watcher, const char *topic)
{
	const struct heard wanted = {.topic = (char *)(uintptr_t)topic};
	struct heard *const *found = tfind(&wanted, &watcher->topics, compare);

	return found ? (*found)->payload : NULL;
}

size_t watcher_count(const struct watcher *watcher)
{
	return watcher->n_heard;
}

size_t watcher_bytes(const struct watcher *watcher)
{
	return watcher->n_bytes;
}

double watcher_cpu_msec(const struct watcher *watcher)
{
	return child_cpu_msec(&watcher->child);
}

/* ------------------------------------------------------------------------------ values */

struct search {
	const char *key;
	char *to;
};

static int on_value(void *userdata, const struct json_value *value)
{
	const struct search *search = userdata;

	if (value->n_keys != 1 || !value->keys[0] || strcmp(value->keys[0], search->key) != 0)
		return 0;
	switch (value->kind) {
	case JSON_KIND_TEXT:
		text_copy(search->to, VALUE_MAX, value->text);
		break;
	case JSON_KIND_NUMBER:
		snprintf(search->to, VALUE_MAX, "%" PRIu64, value->number);
		break;
	case JSON_KIND_BOOL:
		text_copy(search->to, VALUE_MAX, value->flag ? "true" : "false");
		break;
	case JSON_KIND_NULL:
		text_copy(search->to, VALUE_MAX, "null");
		break;
	case JSON_KIND_EMPTY:
		break;
	}
	return 0;
}

const char *value_of(const char *payload, const char *key, char to[VALUE_MAX])
{
	struct search search = {.key = key, .to = to};
	struct reason reason;

	to[0] = '\0';
	if (payload && *payload &&
		json_walk(payload, strlen(payload), on_value, &search, &reason) != JSON_OK)
		fail_msg("%s: %s", reason.text, payload);
	return to;
}

bool value_is(const char *payload, const char *key, const char *text)
{
	char value[VALUE_MAX];

	return strcmp(value_of(payload, key, value), text) == 0;
}

int64_t value_number(const char *payload, const char *key)
{
	char value[VALUE_MAX];

	return strtoll(value_of(payload, key, value), NULL, 10);
}

/* -------------------------------------------------------------------------- publishing */

void publish(struct farm *farm, const char *topic, const char *payload, bool is_retained)
{
	CLEANUP(closep) int input = memfd_create("payload", MFD_CLOEXEC);
	struct child child;

	assert_true(input >= 0);
	assert_int_equal(write_whole(input, payload, payload ? strlen(payload) : 0), 0);
	assert_int_equal(lseek(input, 0, SEEK_SET), 0);
	child_start(farm, &child, &(struct child_setup){.input = input, .output = -1, .error = -1},
		(const char *const[]){"mosquitto_pub", BROKER_OPTIONS, "-q", "1", "-t", topic,
			payload ? "-s" : "-n", is_retained ? "-r" : NULL, NULL});
	if (!child_wait(farm, &child, FARM_LONG) || child.status != 0)
		fail_msg("mosquitto_pub: %s is not published", topic);
}
