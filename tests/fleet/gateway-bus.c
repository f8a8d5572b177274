/* SPDX-License-Identifier: MIT */
/*
 * gateway-bus.c - a socket on which clients find a bus with plugflashd on it, each over a
 * connection of its own.
 *
 * A connection is sd-bus as a server, without a loop of its own: with a thousand of them, sd-event
 * would ask each of them in each of its rounds what it waits for. What the loop waits for is a
 * descriptor of ours: sd-bus closes its own by itself, and while a child that was forked has it
 * still, epoll would tell of it on and on.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <systemd/sd-bus.h>

#include "api/message.h"
#include "base/names.h"
#include "fleet/gateway-private.h"
#include "records/store-dict.h"

#define DBUS	       "org.freedesktop.DBus"
#define PROPERTIES     DBUS ".Properties"
#define OBJECT_MANAGER DBUS ".ObjectManager"
#define SERVICE_OWNER  ":1.0"
#define CLIENT_OWNER   ":1.1"
#define LISTS_MOST     200

struct line {
	LIST_ENTRY(line) link;
	struct gateway *gateway;
	sd_bus *bus;
	int fd;
	sd_event_source *io;
	bool has_met; /* Hello: signals are sent to it */
};

static void close_line(struct line *line)
{
	LIST_REMOVE(line, link);
	line->gateway->n_lines--;
	sd_event_source_disable_unref(line->io);
	close(line->fd);
	sd_bus_close_unref(line->bus);
	free(line);
}

/* Reads and writes what there is, and waits for what the connection waits for. False: it ended. */
static bool pump(struct line *line)
{
	int r;

	do
		r = sd_bus_process(line->bus, NULL);
	while (r > 0);
	if (r >= 0)
		r = sd_bus_get_events(line->bus);
	if (r < 0) {
		close_line(line);
		return false;
	}
	assert_true(sd_event_source_set_io_events(line->io, (uint32_t)r) >= 0);
	return true;
}

static int on_io(sd_event_source *source, int fd, uint32_t events, void *userdata)
{
	(void)source;
	(void)fd;
	(void)events;
	(void)pump(userdata);
	return 0;
}

/* ----------------------------------------------------------------------------- answers */

static sd_bus_message *new_answer(sd_bus_message *call)
{
	sd_bus_message *answer;

	assert_true(sd_bus_message_new_method_return(call, &answer) >= 0);
	return answer;
}

static int send_answer(sd_bus_message *answer)
{
	int r = sd_bus_send(NULL, answer, NULL);

	sd_bus_message_unref(answer);
	return r < 0 ? r : 1;
}

static void append_dict(sd_bus_message *message, struct dict *dict)
{
	assert_int_equal(message_append_dict(message, dict), 0);
	dict_done(dict);
}

typedef void view_of(const struct gateway *gateway, unsigned number, struct dict *ret);

static void append_interfaces(sd_bus_message *message, const struct gateway *gateway,
	unsigned number, const char *interface, view_of *view)
{
	struct dict properties = {0};

	view(gateway, number, &properties);
	assert_true(sd_bus_message_open_container(message, 'a', "{sa{sv}}") >= 0);
	assert_true(sd_bus_message_open_container(message, 'e', "sa{sv}") >= 0);
	assert_true(sd_bus_message_append(message, "s", interface) >= 0);
	append_dict(message, &properties);
	assert_true(sd_bus_message_close_container(message) >= 0);
	assert_true(sd_bus_message_close_container(message) >= 0);
}

static void append_object(sd_bus_message *message, const struct gateway *gateway, unsigned number,
	const char *path, const char *interface, view_of *view)
{
	assert_true(sd_bus_message_open_container(message, 'e', "oa{sa{sv}}") >= 0);
	assert_true(sd_bus_message_append(message, "o", path) >= 0);
	append_interfaces(message, gateway, number, interface, view);
	assert_true(sd_bus_message_close_container(message) >= 0);
}

static void append_tree(sd_bus_message *message, const struct gateway *gateway)
{
	char path[GATEWAY_PATH_MAX];

	assert_true(sd_bus_message_open_container(message, 'a', "{oa{sa{sv}}}") >= 0);
	for (unsigned i = 0; i < gateway->n_units; i++) {
		const struct unit *unit = gateway->units[i];

		view_slot_path_of(i, path);
		append_object(message, gateway, i, path, BUS_SLOT, view_slot_of);
		if (!unit->is_plugged)
			continue;
		view_bridge_path_of(i, path);
		append_object(message, gateway, i, path, BUS_BRIDGE, view_bridge_of);
		if (!unit->attempt)
			continue;
		view_job_path_of(unit->attempt, path);
		append_object(message, gateway, i, path, BUS_JOB, view_job_of);
	}
	assert_true(sd_bus_message_close_container(message) >= 0);
}

/* What a list is asked for. Options besides, which the service has, no agent has asked for yet. */
struct list_question {
	uint64_t after;
	uint32_t most;
	bool is_newest;
};

static struct list_question read_question(sd_bus_message *call)
{
	CLEANUP(dict_done) struct dict options = {0};
	struct list_question question = {0};

	assert_true(sd_bus_message_read(call, "tu", &question.after, &question.most) > 0);
	assert_int_equal(message_read_dict(call, &options), 0);
	question.is_newest = dict_flag(&options, "newest");
	if (options.n_entries > question.is_newest)
		fail_msg("%s: option '%s'", sd_bus_message_get_member(call),
			options.entries[0].name);
	if (question.most == 0 || question.most > LISTS_MOST)
		question.most = LISTS_MOST;
	return question;
}

/* Appends the row of that id; false: there is none. */
typedef bool append_row(sd_bus_message *message, const struct gateway *gateway, uint64_t id);

static bool append_attempt(sd_bus_message *message, const struct gateway *gateway, uint64_t id)
{
	const struct store_attempt *attempt = gateway->attempts[id - 1];
	struct dict row = {0};

	if (!attempt)
		return false;
	assert_int_equal(attempt_to_dict(attempt, &row), 0);
	append_dict(message, &row);
	return true;
}

static bool append_unit(sd_bus_message *message, const struct gateway *gateway, uint64_t id)
{
	struct dict row = {0};

	assert_int_equal(unit_to_dict(&gateway->units[id - 1]->row, &row), 0);
	append_dict(message, &row);
	return true;
}

static void append_rows(sd_bus_message *message, const struct gateway *gateway,
	const struct list_question *question, uint64_t last, append_row *append)
{
	uint32_t n = 0;

	if (question->is_newest)
		for (uint64_t id = last; id > 0 && n < question->most; id--)
			n += append(message, gateway, id);
	else
		for (uint64_t id = question->after + 1; id <= last && n < question->most; id++)
			n += append(message, gateway, id);
}

static void append_boards(sd_bus_message *message, const struct gateway *gateway)
{
	struct dict row = {0};

	view_board_of(gateway, &row);
	append_dict(message, &row);
}

static int answer_list(const struct gateway *gateway, sd_bus_message *call, const char *method)
{
	sd_bus_message *answer = new_answer(call);
	struct list_question question = {0};

	assert_true(sd_bus_message_open_container(answer, 'a', "a{sv}") >= 0);
	if (strcmp(method, "ListBoards") == 0) {
		append_boards(answer, gateway);
	} else {
		question = read_question(call);
		if (strcmp(method, "ListUnits") == 0)
			append_rows(answer, gateway, &question, gateway->n_units, append_unit);
		else
			append_rows(
				answer, gateway, &question, gateway->n_attempts, append_attempt);
	}
	assert_true(sd_bus_message_close_container(answer) >= 0);
	return send_answer(answer);
}

static int answer_retry(struct gateway *gateway, sd_bus_message *call)
{
	CLEANUP(dict_done) struct dict options = {0};
	sd_bus_message *answer = new_answer(call);

	assert_int_equal(message_read_dict(call, &options), 0);
	assert_true(sd_bus_message_append(
			    answer, "u", gateway_retry(gateway, dict_text(&options, "unit"))) >= 0);
	return send_answer(answer);
}

static int answer_identify(struct gateway *gateway, sd_bus_message *call)
{
	char job[GATEWAY_PATH_MAX];
	const char *bridge;

	assert_true(sd_bus_message_read(call, "o", &bridge) > 0);
	view_job_path_of(gateway_identify(gateway, bridge), job);
	return sd_bus_reply_method_return(call, "o", job);
}

static int answer_manager(struct gateway *gateway, sd_bus_message *call, const char *method)
{
	if (strncmp(method, "List", strlen("List")) == 0)
		return answer_list(gateway, call, method);
	if (strcmp(method, "Retry") == 0)
		return answer_retry(gateway, call);
	if (strcmp(method, "Identify") == 0)
		return answer_identify(gateway, call);
	if (strcmp(method, "Pause") == 0 || strcmp(method, "Resume") == 0)
		return sd_bus_reply_method_return(call, NULL);
	return sd_bus_reply_method_errorf(call, BUS_ERROR_NOT_POSSIBLE,
		"a gateway that is not there does not know %s", method);
}

static int answer_tree(const struct gateway *gateway, sd_bus_message *call)
{
	sd_bus_message *answer = new_answer(call);

	append_tree(answer, gateway);
	return send_answer(answer);
}

static int answer_properties(const struct gateway *gateway, sd_bus_message *call)
{
	sd_bus_message *answer = new_answer(call);
	struct dict properties = {0};

	view_manager_of(gateway, &properties);
	append_dict(answer, &properties);
	return send_answer(answer);
}

static int answer_bus(struct line *line, sd_bus_message *call, const char *method)
{
	if (strcmp(method, "Hello") == 0) {
		line->has_met = true;
		return sd_bus_reply_method_return(call, "s", CLIENT_OWNER);
	}
	if (strcmp(method, "AddMatch") == 0 || strcmp(method, "RemoveMatch") == 0)
		return sd_bus_reply_method_return(call, NULL);
	if (strcmp(method, "GetNameOwner") == 0 && line->gateway->has_service)
		return sd_bus_reply_method_return(call, "s", SERVICE_OWNER);
	return sd_bus_reply_method_errorf(
		call, SD_BUS_ERROR_NAME_HAS_NO_OWNER, "nobody has this name");
}

static void count_call(struct gateway *gateway, const char *method)
{
	for (size_t i = 0; i < ARRAY_SIZE(gateway->calls); i++) {
		struct method_count *count = &gateway->calls[i];

		if (!*count->name)
			text_copy(count->name, sizeof(count->name), method);
		if (strcmp(count->name, method) == 0) {
			count->n++;
			return;
		}
	}
}

static int on_message(sd_bus_message *message, void *userdata, sd_bus_error *error)
{
	struct line *line = userdata;
	const char *interface = sd_bus_message_get_interface(message);
	const char *method = sd_bus_message_get_member(message);

	(void)error;
	if (sd_bus_message_is_method_call(message, NULL, NULL) <= 0 || !interface)
		return 0;
	count_call(line->gateway, method);
	if (strcmp(interface, DBUS) == 0)
		return answer_bus(line, message, method);
	if (!line->gateway->has_service)
		return sd_bus_reply_method_errorf(
			message, SD_BUS_ERROR_SERVICE_UNKNOWN, "nobody has this name");
	if (strcmp(interface, BUS_MANAGER) == 0)
		return answer_manager(line->gateway, message, method);
	if (strcmp(interface, PROPERTIES) == 0)
		return answer_properties(line->gateway, message);
	if (strcmp(interface, OBJECT_MANAGER) == 0)
		return answer_tree(line->gateway, message);
	return 0;
}

/* ----------------------------------------------------------------------------- signals */

/* Writes the signal's values; `userdata` is the caller's. */
typedef void fill_signal(sd_bus_message *signal, const struct gateway *gateway, unsigned number,
	const void *userdata);

/* To all that have met the bus. A connection that ends on the way is one that its client closed. */
static void send_signal(struct gateway *gateway, const char *path, const char *interface,
	const char *member, fill_signal *fill, unsigned number, const void *userdata)
{
	const char *sender = strcmp(interface, DBUS) == 0 ? DBUS : SERVICE_OWNER;
	struct line *line, *next;

	for (line = LIST_FIRST(&gateway->lines); line; line = next) {
		sd_bus_message *signal;

		next = LIST_NEXT(line, link);
		if (!line->has_met)
			continue;
		assert_true(sd_bus_message_new_signal(
				    line->bus, &signal, path, interface, member) >= 0);
		assert_true(sd_bus_message_set_sender(signal, sender) >= 0);
		fill(signal, gateway, number, userdata);
		(void)sd_bus_send(line->bus, signal, NULL);
		sd_bus_message_unref(signal);
		(void)pump(line);
	}
}

static void fill_owner(sd_bus_message *signal, const struct gateway *gateway, unsigned number,
	const void *userdata)
{
	(void)userdata;
	(void)gateway;
	assert_true(sd_bus_message_append(signal, "sss", BUS_NAME, number ? "" : SERVICE_OWNER,
			    number ? SERVICE_OWNER : "") >= 0);
}

void gateway_tell_owner(struct gateway *gateway, bool is_there)
{
	send_signal(gateway, "/org/freedesktop/DBus", DBUS, "NameOwnerChanged", fill_owner,
		is_there, NULL);
}

static void fill_manager(sd_bus_message *signal, const struct gateway *gateway, unsigned number,
	const void *userdata)
{
	struct dict properties = {0};

	(void)number;
	(void)userdata;
	view_manager_of(gateway, &properties);
	assert_true(sd_bus_message_append(signal, "s", BUS_MANAGER) >= 0);
	append_dict(signal, &properties);
	assert_true(sd_bus_message_append(signal, "as", 0) >= 0);
}

void gateway_tell_manager(struct gateway *gateway)
{
	send_signal(gateway, BUS_PATH, PROPERTIES, "PropertiesChanged", fill_manager, 0, NULL);
}

static void fill_bridge(sd_bus_message *signal, const struct gateway *gateway, unsigned number,
	const void *userdata)
{
	struct dict properties = {0};

	(void)userdata;
	view_bridge_of(gateway, number, &properties);
	assert_true(sd_bus_message_append(signal, "s", BUS_BRIDGE) >= 0);
	append_dict(signal, &properties);
	assert_true(sd_bus_message_append(signal, "as", 0) >= 0);
}

void gateway_tell_bridge(struct gateway *gateway, unsigned number)
{
	char path[GATEWAY_PATH_MAX];

	view_bridge_path_of(number, path);
	send_signal(gateway, path, PROPERTIES, "PropertiesChanged", fill_bridge, number, NULL);
}

struct object {
	const char *path, *interface;
	view_of *view;
};

static void fill_added(sd_bus_message *signal, const struct gateway *gateway, unsigned number,
	const void *userdata)
{
	const struct object *object = userdata;

	assert_true(sd_bus_message_append(signal, "o", object->path) >= 0);
	append_interfaces(signal, gateway, number, object->interface, object->view);
}

static void fill_removed(sd_bus_message *signal, const struct gateway *gateway, unsigned number,
	const void *userdata)
{
	const struct object *object = userdata;

	(void)gateway;
	(void)number;
	assert_true(sd_bus_message_append(signal, "oas", object->path, 1, object->interface) >= 0);
}

static void tell_object(
	struct gateway *gateway, unsigned number, const struct object *object, bool is_there)
{
	send_signal(gateway, BUS_PATH, OBJECT_MANAGER,
		is_there ? "InterfacesAdded" : "InterfacesRemoved",
		is_there ? fill_added : fill_removed, number, object);
}

static void fill_slot(sd_bus_message *signal, const struct gateway *gateway, unsigned number,
	const void *userdata)
{
	struct dict properties = {0};

	(void)userdata;
	view_slot_of(gateway, number, &properties);
	assert_true(sd_bus_message_append(signal, "s", BUS_SLOT) >= 0);
	append_dict(signal, &properties);
	assert_true(sd_bus_message_append(signal, "as", 0) >= 0);
}

void gateway_tell_plugged(struct gateway *gateway, unsigned number, bool is_plugged)
{
	char bridge[GATEWAY_PATH_MAX], slot[GATEWAY_PATH_MAX];

	view_bridge_path_of(number, bridge);
	view_slot_path_of(number, slot);
	tell_object(
		gateway, number, &(struct object){bridge, BUS_BRIDGE, view_bridge_of}, is_plugged);
	send_signal(gateway, slot, PROPERTIES, "PropertiesChanged", fill_slot, number, NULL);
}

static void fill_job_new(sd_bus_message *signal, const struct gateway *gateway, unsigned number,
	const void *userdata)
{
	(void)gateway;
	(void)number;
	assert_true(sd_bus_message_append(signal, "o", userdata) >= 0);
}

void gateway_tell_job(struct gateway *gateway, unsigned number)
{
	char path[GATEWAY_PATH_MAX];

	view_job_path_of(gateway->units[number]->attempt, path);
	tell_object(gateway, number, &(struct object){path, BUS_JOB, view_job_of}, true);
	send_signal(gateway, BUS_PATH, BUS_MANAGER, "JobNew", fill_job_new, 0, path);
}

static void fill_end(sd_bus_message *signal, const struct gateway *gateway, unsigned number,
	const void *userdata)
{
	const struct store_attempt *attempt = userdata;
	struct dict report = {0};
	char path[GATEWAY_PATH_MAX];

	(void)gateway;
	(void)number;
	view_job_path_of(attempt, path);
	assert_int_equal(report_to_dict(&attempt->report, &report), 0);
	assert_true(sd_bus_message_append(
			    signal, "os", path, outcome_to_string(attempt->report.outcome)) >= 0);
	append_dict(signal, &report);
}

void gateway_tell_end(struct gateway *gateway, const struct store_attempt *attempt)
{
	char path[GATEWAY_PATH_MAX];

	view_job_path_of(attempt, path);
	send_signal(gateway, BUS_PATH, BUS_MANAGER, "JobRemoved", fill_end, 0, attempt);
	tell_object(gateway, 0, &(struct object){path, BUS_JOB, NULL}, false);
}

/* ------------------------------------------------------------------------- connections */

static void open_line(struct gateway *gateway, int fd)
{
	struct line *line = calloc(1, sizeof(*line));
	int own = fcntl(fd, F_DUPFD_CLOEXEC, 0);
	sd_id128_t id;

	assert_non_null(line);
	assert_true(own >= 0);
	line->gateway = gateway;
	line->fd = own;
	LIST_INSERT_HEAD(&gateway->lines, line, link);
	gateway->n_lines++;
	assert_true(sd_id128_randomize(&id) >= 0);
	assert_true(sd_bus_new(&line->bus) >= 0);
	assert_true(sd_bus_set_fd(line->bus, fd, fd) >= 0);
	assert_true(sd_bus_set_server(line->bus, 1, id) >= 0);
	assert_true(sd_bus_add_filter(line->bus, NULL, on_message, line) >= 0);
	assert_true(sd_event_add_io(gateway->event, &line->io, own, 0, on_io, line) >= 0);
	/* A client that was killed meanwhile is one that is gone. */
	if (sd_bus_start(line->bus) < 0)
		close_line(line);
	else
		(void)pump(line);
}

static int on_accept(sd_event_source *source, int fd, uint32_t events, void *userdata)
{
	int line = accept4(fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

	(void)source;
	(void)events;
	if (line >= 0)
		open_line(userdata, line);
	return 0;
}

void gateway_bus_open(struct gateway *gateway)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};

	LIST_INIT(&gateway->lines);
	snprintf(address.sun_path, sizeof(address.sun_path), "%s/bus", gateway->folder);
	gateway->listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	assert_true(gateway->listener >= 0);
	assert_int_equal(bind(gateway->listener, (struct sockaddr *)&address, sizeof(address)), 0);
	assert_int_equal(listen(gateway->listener, 16), 0);
	assert_true(sd_event_add_io(gateway->event, &gateway->accept, gateway->listener, EPOLLIN,
			    on_accept, gateway) >= 0);
	assert_int_equal(text_format(&gateway->address, "unix:path=%s", address.sun_path), 0);
}

void gateway_bus_close(struct gateway *gateway)
{
	while (!LIST_EMPTY(&gateway->lines))
		close_line(LIST_FIRST(&gateway->lines));
	sd_event_source_disable_unref(gateway->accept);
	close(gateway->listener);
}
