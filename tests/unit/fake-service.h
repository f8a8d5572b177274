/* SPDX-License-Identifier: MIT */
/*
 * fake-service.h - a dbus-daemon of the test's own, and on it somebody who owns the service's name
 * and says what the test wants, right or wrong. It runs in the test's own loop: messages are
 * written by hand, as no vtable would send half of what a client must stand. Include after
 * cmocka.h.
 */
#pragma once

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <systemd/sd-bus.h>
#include <systemd/sd-event.h>

#include "api/message.h"
#include "base/names.h"
#include "base/util.h"

/* ----------------------------------------------------------------------------- the bus */

struct fake_bus {
	char folder[64];
	pid_t daemon; /* 0: it does not run */
};

static void fake_bus_make(struct fake_bus *bus)
{
	char address[96];

	*bus = (struct fake_bus){0};
	strcpy(bus->folder, "/tmp/plugflash-bus-XXXXXX");
	assert_non_null(mkdtemp(bus->folder));
	snprintf(address, sizeof(address), "unix:path=%s/bus", bus->folder);
	assert_int_equal(setenv(ENV_BUS_ADDRESS, address, 1), 0);
}

static void fake_bus_write_configuration(const struct fake_bus *bus, const char *path)
{
	FILE *f = fopen(path, "we");

	assert_non_null(f);
	fprintf(f,
		"<busconfig><listen>unix:path=%s/bus</listen><auth>EXTERNAL</auth>"
		"<policy context='default'><allow send_destination='*'/>"
		"<allow receive_sender='*'/><allow own='*'/></policy></busconfig>\n",
		bus->folder);
	assert_int_equal(fclose(f), 0);
}

/* It takes connections once this has returned. */
static void fake_bus_start(struct fake_bus *bus)
{
	char path[96], option[128], number[32], byte;
	pid_t parent = getpid();
	int ends[2];

	snprintf(path, sizeof(path), "%s/bus.conf", bus->folder);
	fake_bus_write_configuration(bus, path);
	assert_int_equal(pipe(ends), 0);
	bus->daemon = fork();
	assert_true(bus->daemon >= 0);
	if (bus->daemon == 0) {
		int null = open("/dev/null", O_WRONLY | O_CLOEXEC);

		prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (getppid() != parent)
			_exit(1);
		close(ends[0]);
		dup2(null, STDERR_FILENO);
		snprintf(option, sizeof(option), "--config-file=%s", path);
		snprintf(number, sizeof(number), "--print-address=%d", ends[1]);
		execlp("dbus-daemon", "dbus-daemon", option, "--nofork", "--nopidfile",
			"--nosyslog", number, (char *)NULL);
		_exit(127);
	}
	close(ends[1]);
	if (read(ends[0], &byte, 1) != 1)
		fail_msg("dbus-daemon does not start (Debian package dbus-daemon)");
	close(ends[0]);
}

static inline void fake_bus_stop(struct fake_bus *bus)
{
	if (bus->daemon <= 0)
		return;
	kill(bus->daemon, SIGKILL);
	waitpid(bus->daemon, NULL, 0);
	bus->daemon = 0;
}

static void fake_bus_done(struct fake_bus *bus)
{
	static const char *const names[] = {"bus", "bus.conf"};
	char path[96];

	fake_bus_stop(bus);
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		snprintf(path, sizeof(path), "%s/%s", bus->folder, names[i]);
		unlink(path);
	}
	rmdir(bus->folder);
}

static sd_bus *fake_bus_connect(const struct fake_bus *bus, sd_event *event)
{
	char address[96];
	sd_bus *connection;

	snprintf(address, sizeof(address), "unix:path=%s/bus", bus->folder);
	assert_true(sd_bus_new(&connection) >= 0);
	assert_true(sd_bus_set_address(connection, address) >= 0);
	assert_true(sd_bus_set_bus_client(connection, 1) >= 0);
	assert_true(sd_bus_start(connection) >= 0);
	assert_true(sd_bus_attach_event(connection, event, 0) >= 0);
	return connection;
}

static sd_bus *fake_bus_disconnect(sd_bus *connection)
{
	if (connection)
		sd_bus_close(connection);
	return sd_bus_unref(connection);
}

/* ----------------------------------------------------------------------------- the service */

#define FAKE_OBJECTS_MOST 1200

struct fake_object {
	char path[96];
	const char *interface;
	struct dict properties;
};

struct fake_service {
	sd_bus *bus;
	struct fake_object *objects; /* the first is the manager */
	size_t n_objects;
	bool is_mute;	   /* questions are kept, and answered by fake_service_answer() */
	const char *error; /* every question is answered by this error */
	sd_bus_message *kept[8];
	size_t n_kept;
	char called[64];      /* the last method of ours */
	struct dict options;  /* what it came with */
	char text[64];	      /* its first s or o */
	uint64_t n_questions; /* GetManagedObjects */
	int (*on_call)(struct fake_service *service, sd_bus_message *message);
};

static struct fake_object *fake_service_object(struct fake_service *service, const char *path)
{
	for (size_t i = 0; i < service->n_objects; i++)
		if (strcmp(service->objects[i].path, path) == 0)
			return &service->objects[i];
	return NULL;
}

static void fake_add_interfaces(sd_bus_message *message, const struct fake_object *object)
{
	assert_true(sd_bus_message_open_container(message, 'a', "{sa{sv}}") >= 0);
	assert_true(sd_bus_message_open_container(message, 'e', "sa{sv}") >= 0);
	assert_true(sd_bus_message_append(message, "s", object->interface) >= 0);
	assert_true(message_append_dict(message, &object->properties) >= 0);
	assert_true(sd_bus_message_close_container(message) >= 0);
	/* Every object has interfaces that are not ours. */
	assert_true(sd_bus_message_append(message, "{sa{sv}}",
			    "org.freedesktop.DBus.Introspectable", 1, "Any", "as", 1, "x") >= 0);
	assert_true(sd_bus_message_close_container(message) >= 0);
}

static void fake_answer_tree(struct fake_service *service, sd_bus_message *reply)
{
	assert_true(sd_bus_message_open_container(reply, 'a', "{oa{sa{sv}}}") >= 0);
	for (size_t i = 1; i < service->n_objects; i++) {
		assert_true(sd_bus_message_open_container(reply, 'e', "oa{sa{sv}}") >= 0);
		assert_true(sd_bus_message_append(reply, "o", service->objects[i].path) >= 0);
		fake_add_interfaces(reply, &service->objects[i]);
		assert_true(sd_bus_message_close_container(reply) >= 0);
	}
	assert_true(sd_bus_message_close_container(reply) >= 0);
}

static int fake_answer(struct fake_service *service, sd_bus_message *message)
{
	sd_bus_message *reply;

	if (service->error)
		return sd_bus_reply_method_errorf(message, service->error, "not now");
	assert_true(sd_bus_message_new_method_return(message, &reply) >= 0);
	if (strcmp(sd_bus_message_get_member(message), "GetAll") == 0)
		assert_true(message_append_dict(reply, &service->objects[0].properties) >= 0);
	else
		fake_answer_tree(service, reply);
	assert_true(sd_bus_send(NULL, reply, NULL) >= 0);
	sd_bus_message_unref(reply);
	return 1;
}

static inline void fake_service_answer(struct fake_service *service)
{
	for (size_t i = 0; i < service->n_kept; i++) {
		fake_answer(service, service->kept[i]);
		sd_bus_message_unref(service->kept[i]);
	}
	service->n_kept = 0;
}

static void fake_note_call(struct fake_service *service, sd_bus_message *message)
{
	char type;

	snprintf(
		service->called, sizeof(service->called), "%s", sd_bus_message_get_member(message));
	service->text[0] = '\0';
	dict_done(&service->options);
	while (sd_bus_message_peek_type(message, &type, NULL) > 0 && type != 'a') {
		const char *text;
		uint64_t number;

		if (type == 's' || type == 'o') {
			assert_true(sd_bus_message_read_basic(message, type, &text) > 0);
			if (!service->text[0])
				snprintf(service->text, sizeof(service->text), "%s", text);
		} else {
			assert_true(sd_bus_message_read_basic(message, type, &number) > 0);
		}
	}
	assert_int_equal(message_read_dict(message, &service->options), 0);
}

static int fake_on_message(sd_bus_message *message, void *userdata, sd_bus_error *error)
{
	struct fake_service *service = userdata;
	const char *interface = sd_bus_message_get_interface(message);

	(void)error;
	if (sd_bus_message_is_method_call(message, NULL, NULL) <= 0)
		return 0;
	if (strcmp(interface, "org.freedesktop.DBus.ObjectManager") == 0 ||
		strcmp(interface, "org.freedesktop.DBus.Properties") == 0) {
		service->n_questions +=
			strcmp(sd_bus_message_get_member(message), "GetManagedObjects") == 0;
		if (!service->is_mute)
			return fake_answer(service, message);
		assert_true(service->n_kept < ARRAY_SIZE(service->kept));
		service->kept[service->n_kept++] = sd_bus_message_ref(message);
		return 1;
	}
	fake_note_call(service, message);
	return service->on_call ? service->on_call(service, message) : 1;
}

static void fake_service_set(struct fake_service *service, const char *path, const char *interface,
	const char *name, const char *value)
{
	struct fake_object *object = fake_service_object(service, path);

	if (!object) {
		if (!service->objects)
			service->objects = calloc(FAKE_OBJECTS_MOST, sizeof(*object));
		assert_true(service->n_objects < FAKE_OBJECTS_MOST);
		object = &service->objects[service->n_objects++];
		snprintf(object->path, sizeof(object->path), "%s", path);
		object->interface = interface;
	}
	assert_int_equal(dict_set_text(&object->properties, name, value), 0);
}

/* With one manager that is "running"; it owns the name once the loop has run. */
static void fake_service_begin(
	struct fake_service *service, const struct fake_bus *bus, sd_event *event)
{
	service->bus = fake_bus_connect(bus, event);
	if (service->n_objects == 0)
		fake_service_set(service, BUS_PATH, BUS_MANAGER, "State", "running");
	assert_true(sd_bus_add_filter(service->bus, NULL, fake_on_message, service) >= 0);
	assert_true(sd_bus_request_name_async(service->bus, NULL, BUS_NAME, 0, NULL, NULL) >= 0);
}

static void fake_service_end(struct fake_service *service)
{
	for (size_t i = 0; i < service->n_kept; i++)
		sd_bus_message_unref(service->kept[i]);
	for (size_t i = 0; i < service->n_objects; i++)
		dict_done(&service->objects[i].properties);
	free(service->objects);
	dict_done(&service->options);
	fake_bus_disconnect(service->bus);
	*service = (struct fake_service){0};
}

/* PropertiesChanged of one text, from any connection; without a value it is only named. */
static inline void fake_signal_change(
	sd_bus *from, const char *path, const char *interface, const char *name, const char *value)
{
	sd_bus_message *signal;

	assert_true(sd_bus_message_new_signal(from, &signal, path,
			    "org.freedesktop.DBus.Properties", "PropertiesChanged") >= 0);
	if (value)
		assert_true(sd_bus_message_append(
				    signal, "sa{sv}as", interface, 1, name, "s", value, 0) >= 0);
	else
		assert_true(sd_bus_message_append(signal, "sa{sv}as", interface, 0, 1, name) >= 0);
	assert_true(sd_bus_send(from, signal, NULL) >= 0);
	sd_bus_message_unref(signal);
}

/* The object has this from now on, and everybody is told. */
static inline void fake_service_change(
	struct fake_service *service, const char *path, const char *name, const char *value)
{
	struct fake_object *object = fake_service_object(service, path);

	fake_service_set(service, path, object->interface, name, value);
	fake_signal_change(service->bus, path, object->interface, name, value);
}

static inline void fake_service_add(struct fake_service *service, const char *path,
	const char *interface, const char *name, const char *value)
{
	sd_bus_message *signal;

	fake_service_set(service, path, interface, name, value);
	assert_true(sd_bus_message_new_signal(service->bus, &signal, BUS_PATH,
			    "org.freedesktop.DBus.ObjectManager", "InterfacesAdded") >= 0);
	assert_true(sd_bus_message_append(signal, "o", path) >= 0);
	fake_add_interfaces(signal, fake_service_object(service, path));
	assert_true(sd_bus_send(service->bus, signal, NULL) >= 0);
	sd_bus_message_unref(signal);
}

static inline void fake_service_remove(struct fake_service *service, const char *path)
{
	struct fake_object *object = fake_service_object(service, path);
	struct fake_object *last = &service->objects[service->n_objects - 1];
	const char *interface = object->interface;

	dict_done(&object->properties);
	*object = *last;
	service->n_objects--;
	assert_true(sd_bus_emit_signal(service->bus, BUS_PATH, "org.freedesktop.DBus.ObjectManager",
			    "InterfacesRemoved", "oas", path, 2,
			    "org.freedesktop.DBus.Introspectable", interface) >= 0);
}
