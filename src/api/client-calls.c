/* SPDX-License-Identifier: MIT */
/*
 * client-calls.c - calls of the service's methods, and a loop for a command that has none.
 *
 * A call goes to the unique name of the service whose objects are in the mirror: a path of it means
 * nothing to the next one. Each call is answered once, also where there is nobody to ask, and then
 * from the loop, so that a caller never gets its reply before it has noted that it waits.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <string.h>
#include <sys/epoll.h>
#include <systemd/sd-bus.h>

#include "api/client-private.h"
#include "api/message.h"
#include "base/clock.h"
#include "base/names.h"
#include "base/util.h"

#define TIMEOUT_MS 25000
/* The service waits 300 s for somebody to type a password, and answers then. */
#define MAY_ASK_TIMEOUT_MS 330000
#define MAY_TIMEOUT_MS	   2000
#define ROWS_MOST	   20000

/* ------------------------------------------------------------------------------ answers */

void client_answer_done(struct client_answer *answer)
{
	free(answer->reason);
	free(answer->text);
	closep(&answer->fd);
	for (size_t i = 0; i < answer->n_rows; i++)
		dict_done(&answer->rows[i]);
	free(answer->rows);
	*answer = (struct client_answer){.fd = -1};
}

static enum client_result result_of(const sd_bus_error *error, uint64_t deadline_usec)
{
	static const struct {
		const char *name;
		enum client_result result;
	} rows[] = {
		{BUS_ERROR_NOT_FOUND, CLIENT_NOT_FOUND},
		{BUS_ERROR_BUSY, CLIENT_BUSY},
		{BUS_ERROR_DENIED, CLIENT_NOT_PERMITTED},
		{BUS_ERROR_NOT_POSSIBLE, CLIENT_NOT_POSSIBLE},
		{BUS_ERROR_INVALID, CLIENT_INVALID_ARGUMENT},
		/* The bus says so of an object that went, and of what its policy forbids. */
		{SD_BUS_ERROR_UNKNOWN_OBJECT, CLIENT_NOT_FOUND},
		{SD_BUS_ERROR_ACCESS_DENIED, CLIENT_NOT_PERMITTED},
		{SD_BUS_ERROR_INTERACTIVE_AUTHORIZATION_REQUIRED, CLIENT_NOT_PERMITTED},
		{SD_BUS_ERROR_INVALID_ARGS, CLIENT_INVALID_ARGUMENT},
		{SD_BUS_ERROR_SERVICE_UNKNOWN, CLIENT_AWAY},
		{SD_BUS_ERROR_NAME_HAS_NO_OWNER, CLIENT_AWAY},
		{SD_BUS_ERROR_DISCONNECTED, CLIENT_AWAY},
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		if (sd_bus_error_has_name(error, rows[i].name))
			return rows[i].result;
	/* The same name stands for a time that is over and for a service that went meanwhile. */
	if (sd_bus_error_has_name(error, SD_BUS_ERROR_NO_REPLY) ||
		sd_bus_error_has_name(error, SD_BUS_ERROR_TIMEOUT))
		return monotonic_usec() >= deadline_usec ? CLIENT_SILENT : CLIENT_AWAY;
	return CLIENT_FAILED;
}

static int read_rows(sd_bus_message *message, struct client_answer *answer)
{
	int r = sd_bus_message_enter_container(message, 'a', "a{sv}");

	while (r >= 0 && (r = sd_bus_message_at_end(message, 0)) == 0) {
		struct dict row = {0}, *rows;

		if (answer->n_rows >= ROWS_MOST)
			return -E2BIG;
		r = message_read_dict(message, &row);
		if (r < 0)
			return r;
		rows = room_for_one(answer->rows, answer->n_rows, sizeof(*rows));
		if (!rows) {
			dict_done(&row);
			return -ENOMEM;
		}
		answer->rows = rows;
		answer->rows[answer->n_rows++] = row;
	}
	return r < 0 ? r : sd_bus_message_exit_container(message);
}

static int read_text(sd_bus_message *message, char type, struct client_answer *answer)
{
	const char *text;
	int r = sd_bus_message_read_basic(message, type, &text);

	return r < 0 || answer->text ? r : text_duplicate(text, &answer->text);
}

static int read_fd(sd_bus_message *message, struct client_answer *answer)
{
	int fd, r = sd_bus_message_read_basic(message, 'h', &fd);

	if (r < 0 || answer->fd >= 0)
		return r;
	answer->fd = fcntl(fd, F_DUPFD_CLOEXEC, 3);
	return answer->fd < 0 ? -errno : 0;
}

static int read_values(sd_bus_message *message, struct client_answer *answer)
{
	const char *contents;
	uint32_t number;
	char type;
	int r;

	while ((r = sd_bus_message_peek_type(message, &type, &contents)) > 0) {
		if (type == 's' || type == 'o') {
			r = read_text(message, type, answer);
		} else if (type == 'u') {
			r = sd_bus_message_read_basic(message, type, &number);
			answer->number = r < 0 ? 0 : number;
		} else if (type == 't') {
			r = sd_bus_message_read_basic(message, type, &answer->number);
		} else if (type == 'h') {
			r = read_fd(message, answer);
		} else if (type == 'a' && strcmp(contents, "a{sv}") == 0 && !answer->rows) {
			r = read_rows(message, answer);
		} else {
			r = sd_bus_message_skip(message, NULL);
		}
		if (r < 0)
			return r;
	}
	return r;
}

static void fail(struct client_answer *answer, enum client_result result, const char *reason)
{
	answer->result = result;
	free(answer->reason);
	/* Without memory the result alone must do. */
	(void)text_duplicate(reason, &answer->reason);
}

/* -------------------------------------------------------------------------------- calls */

static void call_free(struct call *call)
{
	LIST_REMOVE(call, link);
	sd_bus_slot_unref(call->slot);
	sd_event_source_disable_unref(call->now);
	free(call);
}

static void give_answer(struct call *call, struct client_answer *answer)
{
	client_reply *to = call->reply;
	void *userdata = call->userdata;

	call_free(call);
	if (to)
		to(userdata, answer);
}

static int on_answer(sd_bus_message *message, void *userdata, sd_bus_error *ret_error)
{
	CLEANUP(client_answer_done) struct client_answer answer = {.fd = -1};
	const sd_bus_error *error = sd_bus_message_get_error(message);
	struct call *call = userdata;
	char shown[400];
	int r;

	(void)ret_error;
	if (error) {
		text_show(error->message ? error->message : error->name, shown, sizeof(shown));
		fail(&answer, result_of(error, call->deadline_usec), shown);
	} else {
		r = read_values(message, &answer);
		if (r < 0)
			fail(&answer, CLIENT_FAILED, strerror(-r));
	}
	give_answer(call, &answer);
	return 0;
}

static int on_away(sd_event_source *source, void *userdata)
{
	CLEANUP(client_answer_done) struct client_answer answer = {.fd = -1};
	struct call *call = userdata;

	(void)source;
	fail(&answer, CLIENT_AWAY,
		call->client->presence == CLIENT_THERE ? "plugflashd went before it answered"
						       : call->client->why.text);
	give_answer(call, &answer);
	return 0;
}

/* At the next round. Without memory for that the caller waits as long as it means to. */
static int answer_away(struct call *call)
{
	call->slot = sd_bus_slot_unref(call->slot);
	return call->now ? 0 : sd_event_add_defer(call->client->event, &call->now, on_away, call);
}

void client_end_calls(struct client *client)
{
	struct call *call;

	LIST_FOREACH(call, &client->calls, link)
	(void)answer_away(call);
}

void client_drop_calls(struct client *client)
{
	struct call *call, *next;

	for (call = LIST_FIRST(&client->calls); call; call = next) {
		next = LIST_NEXT(call, link);
		call_free(call);
	}
}

void client_forget(struct client *client, const void *userdata)
{
	struct call *call;

	LIST_FOREACH(call, &client->calls, link)
	if (call->userdata == userdata)
		call->reply = NULL;
}

static struct call *call_new(
	struct client *client, client_reply *reply, void *userdata, uint64_t timeout_ms)
{
	struct call *call = calloc(1, sizeof(*call));
	uint64_t usec;

	if (!call)
		return NULL;
	if (__builtin_mul_overflow(timeout_ms, USEC_PER_MSEC, &usec) ||
		__builtin_add_overflow(usec, monotonic_usec(), &usec))
		usec = UINT64_MAX;
	*call = (struct call){
		.client = client,
		.reply = reply,
		.userdata = userdata,
		.deadline_usec = usec,
	};
	LIST_INSERT_HEAD(&client->calls, call, link);
	return call;
}

/* Sends the question; the call is answered, or freed where this fails. */
static int send_call(struct call *call, sd_bus_message *message, uint64_t timeout_ms)
{
	uint64_t usec;
	int r;

	/* All ones stand for no limit in sd-bus, as they do here. */
	if (__builtin_mul_overflow(timeout_ms, USEC_PER_MSEC, &usec))
		usec = UINT64_MAX;
	r = sd_bus_call_async(call->client->bus, &call->slot, message, on_answer, call, usec);
	if (r < 0)
		call_free(call);
	return r < 0 ? r : 0;
}

static int append_arguments(sd_bus_message *message, const char *types, va_list arguments)
{
	int r = 0;

	for (; r >= 0 && *types; types++) {
		if (*types == 's') {
			r = message_append_text(message, va_arg(arguments, const char *));
		} else if (*types == 'o') {
			r = sd_bus_message_append_basic(
				message, 'o', va_arg(arguments, const char *));
		} else if (*types == 'u') {
			uint32_t value = va_arg(arguments, uint32_t);

			r = sd_bus_message_append_basic(message, 'u', &value);
		} else if (*types == 't') {
			uint64_t value = va_arg(arguments, uint64_t);

			r = sd_bus_message_append_basic(message, 't', &value);
		} else {
			r = -EINVAL;
		}
	}
	return r;
}

static void unref_messagep(sd_bus_message **message)
{
	sd_bus_message_unref(*message);
}

static int make_message(struct client *client, const struct client_call *call, const char *types,
	va_list arguments, sd_bus_message **ret)
{
	CLEANUP(unref_messagep) sd_bus_message *message = NULL;
	int r = sd_bus_message_new_method_call(client->bus, &message, client->owner,
		call->path ? call->path : BUS_PATH, client_interface(call->kind), call->method);

	if (r >= 0)
		r = append_arguments(message, types, arguments);
	if (r >= 0)
		r = message_append_dict(message, call->options);
	if (r >= 0)
		r = sd_bus_message_set_auto_start(message, 0);
	if (r >= 0)
		r = sd_bus_message_set_allow_interactive_authorization(message, call->may_ask);
	if (r < 0)
		return r;
	*ret = TAKE_PTR(message);
	return 0;
}

static int call_of(struct client *client, const struct client_call *call, client_reply *reply,
	void *userdata, const char *types, va_list arguments)
{
	CLEANUP(unref_messagep) sd_bus_message *message = NULL;
	uint64_t timeout_ms = call->timeout_ms > 0 ? call->timeout_ms
			      : call->may_ask	   ? MAY_ASK_TIMEOUT_MS
						   : TIMEOUT_MS;
	struct call *question;
	int r = 0;

	if (client->presence == CLIENT_THERE)
		r = make_message(client, call, types, arguments, &message);
	if (r < 0)
		return r;
	question = call_new(client, reply, userdata, timeout_ms);
	if (!question)
		return -ENOMEM;
	if (message)
		return send_call(question, message, timeout_ms);
	r = answer_away(question);
	if (r < 0)
		call_free(question);
	return r < 0 ? r : 0;
}

int client_call(struct client *client, const struct client_call *call, client_reply *reply,
	void *userdata, const char *types, ...)
{
	va_list arguments;
	int r;

	va_start(arguments, types);
	r = call_of(client, call, reply, userdata, types, arguments);
	va_end(arguments);
	return r;
}

/* polkit says whether that is so at once, and whether it would be after a password. */
static int on_authority(sd_bus_message *message, void *userdata, sd_bus_error *error)
{
	CLEANUP(client_answer_done) struct client_answer answer = {.fd = -1};
	struct call *call = userdata;
	int is_authorized = 0;

	(void)error;
	if (sd_bus_message_get_error(message) ||
		sd_bus_message_enter_container(message, 'r', "bba{ss}") < 0 ||
		sd_bus_message_read_basic(message, 'b', &is_authorized) < 0 || !is_authorized)
		fail(&answer, CLIENT_NOT_PERMITTED, "polkit does not allow it to this user");
	give_answer(call, &answer);
	return 0;
}

static int ask_authority(struct call *call, const char *action)
{
	CLEANUP(unref_messagep) sd_bus_message *message = NULL;
	sd_bus *bus = call->client->bus;
	const char *name;
	int r = sd_bus_get_unique_name(bus, &name);

	if (r >= 0)
		r = sd_bus_message_new_method_call(bus, &message, "org.freedesktop.PolicyKit1",
			"/org/freedesktop/PolicyKit1/Authority",
			"org.freedesktop.PolicyKit1.Authority", "CheckAuthorization");
	if (r >= 0)
		r = sd_bus_message_append(message, "(sa{sv})sa{ss}us", "system-bus-name", 1, "name",
			"s", name, action, 0, 0, "");
	if (r >= 0)
		r = sd_bus_call_async(bus, &call->slot, message, on_authority, call,
			MAY_TIMEOUT_MS * USEC_PER_MSEC);
	return r;
}

int client_may(struct client *client, const char *action, client_reply *reply, void *userdata)
{
	struct call *call = call_new(client, reply, userdata, MAY_TIMEOUT_MS);
	int r;

	if (!call)
		return -ENOMEM;
	r = client->is_connected ? ask_authority(call, action) : answer_away(call);
	if (r < 0)
		call_free(call);
	return r < 0 ? r : 0;
}

/* ---------------------------------------------------------------- a loop for a command */

static int on_fd(sd_event_source *source, int fd, uint32_t events, void *userdata)
{
	(void)source;
	(void)fd;
	(void)events;
	*(bool *)userdata = true;
	return 0;
}

static void unref_sourcep(sd_event_source **source)
{
	sd_event_source_disable_unref(*source);
}

int client_wait(struct client *client, uint64_t timeout_ms, int fd, bool (*is_done)(void *userdata),
	void *userdata)
{
	CLEANUP(unref_sourcep) sd_event_source *source = NULL;
	uint64_t begin = monotonic_usec(), usec = UINT64_MAX, left = UINT64_MAX;
	bool is_interrupted = false;
	int r = 0;

	if (__builtin_mul_overflow(timeout_ms, USEC_PER_MSEC, &usec))
		usec = UINT64_MAX;
	if (fd >= 0)
		r = sd_event_add_io(client->event, &source, fd, EPOLLIN, on_fd, &is_interrupted);
	while (r >= 0) {
		uint64_t passed = monotonic_usec() - begin;

		if (is_done(userdata))
			return 0;
		if (is_interrupted)
			return CLIENT_WAIT_INTERRUPTED;
		if (usec != UINT64_MAX && passed >= usec)
			return CLIENT_WAIT_TIMEOUT;
		if (usec != UINT64_MAX)
			left = usec - passed;
		r = sd_event_run(client->event, left);
	}
	return r;
}

static bool knows_presence(void *userdata)
{
	return client_presence(userdata) != CLIENT_ASKING;
}

static void unref_eventp(sd_event **event)
{
	sd_event_unref(*event);
}

int client_open(const struct client_callbacks *callbacks, void *userdata, uint64_t timeout_ms,
	struct client **ret)
{
	CLEANUP(unref_eventp) sd_event *event = NULL;
	CLEANUP(client_freep) struct client *client = NULL;
	int r = sd_event_new(&event);

	if (r >= 0)
		r = client_new(event, callbacks, userdata, &client);
	if (r >= 0)
		r = client_wait(client, timeout_ms, -1, knows_presence, client);
	if (r < 0)
		return r;
	*ret = TAKE_PTR(client);
	return 0;
}

struct waiting {
	struct client_answer answer;
	bool is_done;
};

static void note_answer(void *userdata, struct client_answer *answer)
{
	struct waiting *waiting = userdata;

	waiting->answer = *answer;
	*answer = (struct client_answer){.fd = -1};
	waiting->is_done = true;
}

static bool is_answered(void *userdata)
{
	return ((struct waiting *)userdata)->is_done;
}

int client_call_wait(struct client *client, const struct client_call *call,
	struct client_answer *ret, const char *types, ...)
{
	struct waiting waiting = {.answer.fd = -1};
	va_list arguments;
	int r;

	va_start(arguments, types);
	r = call_of(client, call, note_answer, &waiting, types, arguments);
	va_end(arguments);
	if (r == 0)
		r = client_wait(client, UINT64_MAX, -1, is_answered, &waiting);
	if (r < 0) {
		client_forget(client, &waiting);
		return r;
	}
	*ret = waiting.answer;
	return 0;
}
